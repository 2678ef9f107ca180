"""Sky, sun, clouds, mountains, hills, dunes and water: the stage outdoors, painted back to front."""

import numpy as np

from app.samples import noise
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import mix, rgb

SUN_GLOW = {
    "night": 0.30,
    "noon": 0.28,
    "overcast": 0.10,
    "morning": 0.16,
    "golden": 0.34,
    "sunset": 0.50,
    "dusk": 0.30,
}


def sky(canvas: Canvas, horizon: float, clouds: float = 0.5, sun_x: float | None = None) -> tuple[float, float]:
    """Everything above the horizon, and its glow below it; returns where the sun or moon stands."""
    light, rng = canvas.light, canvas.rng
    stops = np.stack([rgb(code) for code in light.sky])
    at = np.clip(canvas.y[:, 0] / horizon, 0, 1) * (len(stops) - 1)
    column = np.stack([np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)], axis=-1)
    canvas.pixels[:] = column[:, None, :].astype(np.float32)
    sun = (rng.uniform(0.18, 0.82) if sun_x is None else sun_x), horizon * (1 - light.sun_height)
    if light.dark > 0.6:
        stars(canvas, horizon)
    _sun(canvas, sun, horizon)
    if clouds > 0:
        _clouds(canvas, horizon, clouds, sun)
    return sun


def _sun(canvas: Canvas, sun: tuple[float, float], horizon: float) -> None:
    light = canvas.light
    colour = rgb(light.sun)
    warm = SUN_GLOW.get(light.name, 0.30)
    canvas.glow(*sun, 0.40, mix(colour, rgb(light.sky[-1]), 0.6), warm * 0.55, power=1.0)
    canvas.glow(*sun, 0.10, colour, warm * 0.8, power=1.2)
    radius = 0.030 if light.dark > 0.9 else 0.042
    if light.name in ("overcast",) or sun[1] > horizon + radius:
        return
    reach = np.hypot((canvas.x - sun[0]) * canvas.aspect, canvas.y - sun[1])
    disc = np.clip((radius - reach) * canvas.height, 0, 1)
    canvas.cover(disc * 0.95, np.clip(colour * 1.25, 0, 1.1))


def stars(canvas: Canvas, horizon: float) -> None:
    """Points of many sizes, denser in a slanting band."""
    rng, rows = canvas.rng, max(2, int(canvas.height * horizon))
    count = int(canvas.width * rows / 1500)
    x, y = rng.random(count), rng.random(count) ** 1.15
    milky = rng.random(count) < 0.4
    y = np.where(milky, np.clip(0.85 - 0.7 * x + rng.normal(0, 0.07, count), 0, 0.98), y)
    column, row = (x * (canvas.width - 2)).astype(int), (y * (rows - 2)).astype(int)
    shine = (rng.random(count) ** 5 * 0.9 + 0.12) * (1 - y) ** 0.4 * canvas.light.dark
    tone = mix(rgb("#cfdcff"), rgb("#fff0d8"), 0.5) + rng.normal(0, 0.05, (count, 3))
    np.add.at(canvas.pixels, (row, column), (shine[:, None] * tone).astype(np.float32))
    big = shine > 0.45
    for dy, dx in ((0, 1), (1, 0), (1, 1)):
        np.add.at(
            canvas.pixels, (row[big] + dy, column[big] + dx), (shine[big, None] * 0.6 * tone[big]).astype(np.float32)
        )


def _clouds(canvas: Canvas, horizon: float, amount: float, sun: tuple[float, float]) -> None:
    rows = max(2, int(canvas.height * horizon))
    shape = canvas.rng.choice(["banks", "streaks"], p=[0.6, 0.4])
    cells = (3.5, 3.0 * canvas.aspect) if shape == "banks" else (7.0, 1.6 * canvas.aspect)
    mass = noise.field(canvas.rng, rows, canvas.width, cells, 5, 0.52)
    lower = canvas.y[:rows] / horizon
    edge = 0.74 - 0.34 * amount + 0.10 * np.abs(lower - 0.55)
    alpha = ramp(mass, edge, edge + 0.20) * (0.55 + 0.35 * amount) * ramp(lower, 1.02, 0.86)
    step = max(1, rows // 40)
    lit = np.clip(0.5 + 2.6 * (mass - np.roll(mass, -step, axis=0)), 0, 1)[..., None]
    under = mix(rgb(canvas.light.sky[1]), rgb(canvas.light.clouds), 0.45)
    near = np.exp(-np.hypot((canvas.x - sun[0]) * canvas.aspect, canvas.y[:rows] - sun[1]) / 0.25)[..., None]
    colour = under * (1 - lit) + rgb(canvas.light.clouds) * lit
    canvas.cover(alpha, colour + near * 0.25 * rgb(canvas.light.sun))


def ground_colour(canvas: Canvas, code: str, haze: float) -> np.ndarray:
    """A land colour in the scene's light, faded by distance."""
    return mix(rgb(code) * rgb(canvas.light.tint), rgb(canvas.light.haze), haze)


def mountains(
    canvas: Canvas, base: float, height: float, code: str, haze: float, snow: float = 0.0, cells: float = 3.0
) -> np.ndarray:
    """A range with lit and shaded faces; returns its crest (W,) in shares. `snow` is how far down it lies, 0…1."""
    width, rng = canvas.width, canvas.rng
    wander = noise.line(rng, width, cells, 6, 0.48)
    crest = base - height * (0.55 + 0.45 * wander)
    top = max(0, int(crest.min() * canvas.height) - 1)
    y = canvas.y[top:]
    depth = y - crest[None, :]
    rough = noise.field(rng, len(y), width, (6, 8 * canvas.aspect), 4, 0.55) - 0.5
    slope = np.gradient(np.convolve(np.pad(crest, 12, "edge"), np.ones(25) / 25, "valid")) * width / canvas.aspect
    shift = (rough * depth * 1.4 + depth * 0.25) * width / canvas.aspect * 0.6
    source = np.clip(np.arange(width)[None, :] + shift.astype(int), 0, width - 1)
    lit = ramp(slope[source] + rough * 0.8, 0.5, -0.5)
    body = ground_colour(canvas, code, haze)
    lighter, darker = body * 1.16 + 0.03 * (1 - haze), body * (0.74 + 0.2 * haze)
    colour = darker + (lighter - darker) * lit[..., None]
    if snow:
        line = depth + rough * 0.09
        cap = ramp(line, height * snow, height * snow * 0.55)[..., None]
        white = mix(mix(rgb("#93a7cc"), rgb("#ffffff"), 1) * rgb(canvas.light.tint), rgb(canvas.light.haze), haze * 0.7)
        colour = colour + cap * (white * (0.68 + 0.32 * lit[..., None]) - colour)
    fog = ramp(y, base - height * 0.35, base + 0.02)[..., None] * 0.62
    colour = colour + fog * (mix(rgb(canvas.light.haze), body, 0.25) - colour)
    canvas.cover(np.clip(depth * canvas.height, 0, 1), colour, top)
    return crest


def hills(
    canvas: Canvas, base: float, height: float, code: str, haze: float, cells: float = 2.0, stripes: float = 0.0
) -> np.ndarray:
    """Rolling ground with a lit brow and a soft shadow behind; returns its crest (W,) in shares."""
    rng = canvas.rng
    crest = base - height * (0.5 + 0.5 * noise.line(rng, canvas.width, cells, 2, 0.35))
    top = max(0, int((crest.min() - 0.03) * canvas.height))
    y = canvas.y[top:]
    depth = y - crest[None, :]
    canvas.cover(ramp(depth, -0.035, 0.0) * 0.28 * (1 - haze), rgb(canvas.light.shade) * 0.7, top)
    grass = noise.field(rng, len(y), canvas.width, (30, 14 * canvas.aspect), 3, 0.7) - 0.5
    fold = noise.field(rng, len(y), canvas.width, (2.5, 2.5 * canvas.aspect), 2) - 0.5
    body = ground_colour(canvas, code, haze)
    glow = np.exp(-np.clip(depth, 0, None) / 0.05)
    tone = 0.92 + 0.22 * glow + (0.16 * grass + 0.34 * fold) * (1 - 0.6 * haze) - 0.20 * ramp(depth, 0.05, 0.5)
    if stripes:
        rows = np.sin((canvas.x * canvas.aspect * 22 + depth * 30 * (canvas.x - 0.5) + fold * 3) * np.pi)
        tone = tone + stripes * np.sign(rows) * ramp(depth, 0.0, 0.03)
    canvas.cover(np.clip(depth * canvas.height, 0, 1), body * tone[..., None], top)
    return crest


def dune(canvas: Canvas, base: float, height: float, code: str, haze: float, cells: float = 1.6) -> np.ndarray:
    """A dune: a sunny face and a shaded one, parted by a winding edge; returns its crest (W,)."""
    rng, width = canvas.rng, canvas.width
    crest = base - height * (0.5 + 0.5 * noise.line(rng, width, cells, 2, 0.25))
    top = max(0, int((crest.min() - 0.02) * canvas.height))
    y = canvas.y[top:]
    depth = y - crest[None, :]
    slope = np.gradient(crest) * width / canvas.aspect
    edge = noise.line(rng, len(y), 3, 2, 0.4)[:, None] * 0.04
    source = np.clip(
        np.arange(width)[None, :] + ((edge - depth * 0.9) * width / canvas.aspect).astype(int), 0, width - 1
    )
    lit = ramp(slope[source], 0.10, -0.10)[..., None]
    ripple = (
        np.sin((depth * 95 + 5 * noise.field(rng, len(y), width, (4, 4 * canvas.aspect), 3)) * (1.5 - depth)) * 0.022
    )
    sand = ground_colour(canvas, code, haze)
    shade = sand * mix(rgb(canvas.light.shade), np.ones(3, np.float32), 0.30)
    colour = shade + (sand * 1.10 - shade) * lit
    speck = rng.standard_normal((len(y), width), dtype=np.float32) * 0.012
    tone = 1 + (ripple + speck) * (1 - haze) - 0.14 * ramp(depth, 0.0, 0.4)
    canvas.cover(np.clip(depth * canvas.height, 0, 1), colour * tone[..., None], top)
    return crest


def water(canvas: Canvas, horizon: float, code: str, sun: tuple[float, float] | None = None, calm: float = 0.5) -> None:
    """Water below the horizon: what stands above it upside down, broken by ripples, with glints under the sun."""
    rng, line = canvas.rng, int(canvas.height * horizon)
    rows = canvas.height - line
    near = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    swell = noise.field(rng, rows, canvas.width, (26, 3 * canvas.aspect), 3, 0.6) - 0.5
    reach = (0.012 + 0.10 * near) * (1.3 - calm)
    source_row = line - 1 - ((near * 0.9 + swell * reach * 2) * rows).astype(int)
    source_column = np.arange(canvas.width)[None, :] + (swell * reach * 0.35 * canvas.width).astype(int)
    mirrored = canvas.pixels[source_row.clip(0, line - 1), source_column.clip(0, canvas.width - 1)]
    body = rgb(code) * rgb(canvas.light.tint)
    tone = (0.85 + 0.5 * swell * (1.2 - calm))[..., None]
    share = (0.30 + 0.38 * near)[..., None]
    colour = mirrored * 0.94 + share * (body * tone - mirrored)
    crest = ramp(swell, 0.16, 0.34) * (0.25 + 0.5 * (1 - calm)) * (0.3 + near)
    colour = colour + crest[..., None] * 0.22 * rgb(canvas.light.clouds)
    if sun is not None:
        colour = colour + _glints(canvas, sun, near, swell)
    edge = np.full((rows, canvas.width), 1, np.float32)
    canvas.cover(edge, colour.astype(np.float32), line)


def _glints(canvas: Canvas, sun: tuple[float, float], near: np.ndarray, swell: np.ndarray) -> np.ndarray:
    width = 0.022 + 0.09 * near
    path = np.exp(-(((canvas.x - sun[0]) * canvas.aspect / (width * 2)) ** 2))
    fine = noise.field(canvas.rng, *swell.shape, (90, 30 * canvas.aspect), 2)
    spark = ramp(fine + swell * 0.5, 0.56, 0.74)
    strength = 0.25 if canvas.light.dark > 0.9 else 0.75
    return (path * (0.16 + spark) * strength)[..., None] * rgb(canvas.light.sun)


def mist(canvas: Canvas, at: float, depth: float, amount: float) -> None:
    """A drifting band of haze around a height."""
    drift = noise.field(canvas.rng, canvas.height, canvas.width, (4, 2 * canvas.aspect), 3)
    band = np.exp(-(((canvas.y - at) / depth) ** 2)) * (0.45 + 0.75 * drift) * amount
    canvas.cover(np.clip(band, 0, 0.95), rgb(canvas.light.haze))
