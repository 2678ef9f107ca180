"""What towns are built of: skylines with lit windows, street lamps, cobbles."""

import numpy as np

from app.samples import noise
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import mix, rgb
from app.samples.scenery import ground_colour
from app.samples.sketch import Sketch, smooth

PANES = ("#ffd88a", "#ffe7b5", "#ffc06a", "#fff3d6", "#bfe0ff")


def skyline(canvas: Canvas, base: float, height: float, code: str, haze: float, width: float, lit: float) -> None:
    """A row of towers standing on `base`; `width` of a tower in canvas heights, `lit` the share of windows alight."""
    rng, at = canvas.rng, -0.02
    while at < 1.0:
        across = width * rng.uniform(0.55, 1.3) / canvas.aspect
        centre = 1 - 0.55 * abs(at + across / 2 - 0.5) * 2
        tall = height * rng.uniform(0.35, 1.0) * (0.6 + 0.4 * centre)
        _tower(canvas, at, at + across, base - tall, base, str(code), haze, lit)
        at += across * rng.uniform(0.80, 1.12)


def _tower(canvas: Canvas, x0: float, x1: float, top: float, base: float, code: str, haze: float, lit: float) -> None:
    rng = canvas.rng
    left, right = (int(np.clip(x, 0, 1) * canvas.width) for x in (x0, x1))
    high, low = (int(np.clip(y, 0, 1) * canvas.height) for y in (top, base))
    if right - left < 4 or low - high < 8:
        return
    rows, columns = np.mgrid[0 : low - high, 0 : right - left].astype(np.float32)
    across, down = columns / (right - left), rows / (low - high)
    body = ground_colour(canvas, code, haze) * rng.uniform(0.85, 1.12)
    edge = rng.uniform(0.55, 0.8)
    tone = np.where(across < edge, 1.08 - 0.12 * across, 0.74) * (1.06 - 0.20 * down)
    colour = body * tone[..., None]
    colour = colour + ramp(down, 0.55, 1.0)[..., None] * 0.35 * (rgb(canvas.light.haze) - colour) * (0.4 + haze)
    pitch = max(3.0, canvas.height * rng.uniform(0.010, 0.016) * (1.25 - haze))
    colour = _windows(canvas, colour, rows, columns, pitch, lit, haze, body)
    canvas.cover(np.ones(rows.shape, np.float32), np.clip(colour, 0, 1.3), high, left)
    _roof(canvas, left, right, high, body)


def _windows(
    canvas: Canvas,
    colour: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    pitch: float,
    lit: float,
    haze: float,
    body: np.ndarray,
) -> np.ndarray:
    rng = canvas.rng
    down, across = (rows / (pitch * 1.35)).astype(int), (columns / pitch).astype(int)
    inside = ((rows / (pitch * 1.35)) % 1 > 0.38) & ((columns / pitch) % 1 > 0.34) & (down > 0)
    alight = rng.random((down.max() + 1, across.max() + 1))
    floors = rng.random(down.max() + 1)[:, None] < 0.12  # whole floors where somebody works late
    table = np.where(floors, alight * 0.4, alight)[down, across]
    panes = np.stack([rgb(code) for code in PANES])[rng.integers(len(PANES), size=alight.shape)][down, across]
    bright = inside & (table < lit)
    glass = mix(body * 0.80, rgb(canvas.light.sky[2]) * 0.8, 0.35)
    colour = np.where((inside & ~bright)[..., None], colour * 0.55 + glass * 0.45, colour)
    shine = (0.70 + 0.5 * (alight[down, across] / max(lit, 1e-3)).clip(0, 1))[..., None] * (1 - 0.45 * haze)
    return np.where(bright[..., None], mix(colour, panes * shine, 0.88), colour)


def _roof(canvas: Canvas, left: int, right: int, high: int, body: np.ndarray) -> None:
    """Tanks, set-backs and masts."""
    rng, kind = canvas.rng, canvas.rng.random()
    width = right - left
    if kind < 0.35:
        rise, inset = int(canvas.height * rng.uniform(0.01, 0.04)), int(width * rng.uniform(0.15, 0.35))
        top = max(0, high - rise)
        canvas.cover(np.ones((high - top, max(1, width - 2 * inset)), np.float32), body * 0.92, top, left + inset)
    if kind < 0.18:
        mast, middle = int(canvas.height * rng.uniform(0.04, 0.10)), left + width // 2
        top = max(0, high - mast)
        canvas.cover(np.full((high - top, max(1, canvas.height // 400)), 0.9, np.float32), body * 0.8, top, middle)
        if canvas.light.dark > 0.5:
            canvas.glow(middle / canvas.width, top / canvas.height, 0.006, rgb("#ff5a4a"), 1.0)


def street_lamp(canvas: Canvas, x: float, foot: float, height: float) -> None:
    """A cast-iron lamp, alight after dark."""
    sketch = Sketch(0.24, height_px=300)
    sketch.stroke([(0.12, 0.20), (0.12, 0.97)], 0.018, "#2b3038")
    sketch.box(0.085, 0.93, 0.155, 0.995, "#2b3038", round_=0.01)
    sketch.stroke(smooth([(0.05, 0.23), (0.12, 0.27), (0.19, 0.23)], closed=False), 0.014, "#2b3038")
    lit = canvas.light.dark > 0.2
    sketch.area(
        [(0.075, 0.075), (0.165, 0.075), (0.145, 0.20), (0.095, 0.20)],
        ("#fff6d0", "#ffdb8a") if lit else "#c9d6da",
        bevel=0.008,
    )
    sketch.area(smooth([(0.06, 0.08), (0.12, 0.005), (0.18, 0.08)], steps=8), "#2b3038", bevel=0.008)
    sprite = sketch.sprite()
    ratio = height * canvas.height / sprite.height
    sprite = sprite.resize(
        (max(2, round(sprite.width * ratio)), max(4, round(sprite.height * ratio))), reducing_gap=3.0
    )
    top = round(foot * canvas.height) - sprite.height
    canvas.stamp(sprite, top, round(x * canvas.width) - sprite.width // 2)
    if lit:
        at = foot - height * 0.86
        canvas.glow(x, at, height * 0.10, rgb("#ffe2a0"), 0.9)
        canvas.glow(x, at, height * 0.55, rgb("#ffb860"), 0.10 + 0.28 * canvas.light.dark, power=1.1)


def cobbles(canvas: Canvas, edge: float, code: str, wet: float) -> None:
    """A street of setts in perspective; `wet` mirrors what stands above it, 0…1."""
    rng, top = canvas.rng, int(canvas.height * edge)
    y = canvas.y[top:]
    near = (y - edge) / (1 - edge)
    across = (canvas.x - 0.5) * canvas.aspect / (0.30 + 0.9 * near) * 22 + 200
    down = np.log(0.30 + 0.9 * near) * 24 + 60
    row = np.floor(down)
    across = across + 0.5 * (row % 2)
    tone = np.random.default_rng(int(rng.integers(1 << 30))).uniform(0.80, 1.14, (120, 400))
    stone = tone[row.astype(int).clip(0, 119) * np.ones_like(across, int), np.floor(across).astype(int).clip(0, 399)]
    joint = ramp(np.minimum(np.abs(across - np.round(across)), np.abs(down - np.round(down)) * 0.9), 0.02, 0.16)
    dirt = noise.field(rng, len(y), canvas.width, (3, 5 * canvas.aspect), 4) - 0.5
    colour = ground_colour(canvas, code, 0.05) * (stone * (0.60 + 0.40 * joint) * (1 + 0.25 * dirt))[..., None]
    source = (top - 1 - ((near * (1 - edge) * 0.95 + 0.012 * (joint - 0.5) * near) * canvas.height).astype(int)).clip(
        0, top - 1
    )
    shift = (rng.standard_normal((1, 1)) + 4 * dirt).astype(int)
    mirrored = canvas.pixels[source, (np.arange(canvas.width)[None, :] + shift).clip(0, canvas.width - 1)]
    share = wet * (0.35 + 0.5 * ramp(dirt, -0.1, 0.2)) * (0.75 + 0.25 * joint)
    canvas.cover(np.ones_like(dirt), colour + share[..., None] * (mirrored * 0.92 - colour), top)
