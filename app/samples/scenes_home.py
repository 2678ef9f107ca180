"""Scenes indoors: a window sill, a room."""

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples import noise
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, mix, rgb
from app.samples.place import add, hang, lay, place
from app.samples.scene import Cast, Scene
from app.samples.scenes_table import WALLS, WOODS, line_up, tabletop
from app.samples.views import VIEWS

Box = tuple[float, float, float, float]
FRAMES = ("#f4efe4", "#e9e2d2", "#6b4a34", "#3f4a48", "#8fa3a0")


def sill(canvas: Canvas, cast: Cast, land: Land) -> None:
    """A big window; a cat, a plant or a vase on its sill."""
    rng, ledge = canvas.rng, canvas.rng.uniform(0.74, 0.80)
    paper(canvas, str(rng.choice(WALLS)))
    half = rng.uniform(0.34, 0.42) * min(1.0, canvas.aspect) / canvas.aspect
    middle = rng.uniform(0.46, 0.54)
    box = (middle - half, 0.06, middle + half, ledge)
    window(canvas, box, land, str(rng.choice(FRAMES)), panes=2)
    curtains(canvas, box, str(rng.choice(["#c96f5a", "#e3c9a0", "#6f8f8a", "#4f5f7f", "#d9a5a0", "#f0e6d2"])))
    _ledge(canvas, ledge, str(rng.choice(WOODS)))
    names = (*cast.get("sill", ()), *cast.get("table", ()))
    line_up(canvas, names, ledge, spread=0.13, most=0.42)


def paper(canvas: Canvas, code: str) -> None:
    """Wallpaper: painted plaster or a soft stripe or a small print."""
    plaster = noise.field(canvas.rng, canvas.height, canvas.width, (4, 4 * canvas.aspect), 5, 0.6) - 0.5
    light = 1.06 - 0.42 * np.hypot((canvas.x - 0.35) * canvas.aspect * 0.6, (canvas.y - 0.3) * 0.8)
    kind = canvas.rng.integers(3)
    across, down = canvas.x * canvas.aspect * 18, canvas.y * 18
    stripe = 0.05 * ramp(np.abs(across % 1 - 0.5), 0.20, 0.30) * np.ones_like(canvas.y)
    reach = np.hypot((across + 0.5 * (np.floor(down) % 2)) % 1 - 0.5, down % 1 - 0.5)
    motif = -0.09 * ramp(
        np.abs(reach - 0.17 - 0.07 * np.cos(4 * np.arctan2(down % 1 - 0.5, across % 1 - 0.5))), 0.08, 0.03
    )
    pattern = (0, stripe, motif)[kind]
    canvas.pixels[:] = rgb(code) * rgb(canvas.light.tint) * (light + 0.07 * plaster + pattern)[..., None]


def window(canvas: Canvas, box: Box, land: Land, frame: str, panes: int) -> None:
    """A window onto some view, with a wooden frame, a cross bar and a glow from outside."""
    x0, y0, x1, y1 = box
    left, right = (round(x * canvas.width) for x in (x0, x1))
    top, low = (round(y * canvas.height) for y in (y0, y1))
    view = Canvas(low - top, right - left, canvas.light, canvas.rng)
    VIEWS[str(canvas.rng.choice(sorted(VIEWS)))](view, land)
    canvas.cover(np.ones(view.pixels.shape[:2], np.float32), soften(view.pixels, canvas.height / 500), top, left)
    wood = rgb(frame) * mix(rgb(canvas.light.tint), np.ones(3, np.float32), 0.25)
    bar = 0.014
    bars = [(x0 - bar, y0, x0 + bar, y1), (x1 - bar, y0, x1 + bar, y1)]
    bars += [
        (x0 + (x1 - x0) * i / panes - bar * 0.7, y0, x0 + (x1 - x0) * i / panes + bar * 0.7, y1)
        for i in range(1, panes)
    ]
    for vertical in bars:
        _bar(canvas, vertical, wood, upright=True)
    for at, thick in ((y0, 1.0), (y0 + (y1 - y0) * 0.36, 0.6), (y1, 1.0)):
        _bar(canvas, (x0 - bar, at - bar * thick * 1.3, x1 + bar, at + bar * thick * 1.3), wood, upright=False)
    canvas.glow(
        (x0 + x1) / 2, (y0 + y1) / 2, (y1 - y0) * 0.55, rgb(canvas.light.sky[-1]), 0.16 * (1 - canvas.light.dark), 1.2
    )


def soften(pixels: np.ndarray, radius_px: float) -> np.ndarray:
    """A little out of focus, as what lies outside is."""
    picture = PIL.Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.filter(PIL.ImageFilter.GaussianBlur(radius_px)), np.float32) / 255


def _bar(canvas: Canvas, box: Box, wood: np.ndarray, upright: bool) -> None:
    shadow = tuple(edge + shift for edge, shift in zip(box, (0.004, 0.006, 0.006, 0.010), strict=True))
    for (x0, y0, x1, y1), colour, alpha in ((shadow, wood * 0.25, 0.35), (box, wood, 1.0)):
        left, right = (int(np.clip(x, 0, 1) * canvas.width) for x in (x0, x1))
        top, low = (int(np.clip(y, 0, 1) * canvas.height) for y in (y0, y1))
        share = np.linspace(0, 1, right - left if upright else low - top, dtype=np.float32)
        tone = 1.10 - 0.38 * share + 0.10 * np.sin(share * 9)
        tone = np.broadcast_to(tone[None, :] if upright else tone[:, None], (low - top, right - left))
        canvas.cover(np.full(tone.shape, alpha, np.float32), colour * tone[..., None], top, left)


def curtains(canvas: Canvas, box: Box, code: str) -> None:
    """Cloth gathered at both sides, hanging in folds from a rod."""
    x0, y0, x1, _ = box
    wide = 0.09 * min(1.0, canvas.aspect) / canvas.aspect + (x1 - x0) * 0.14
    cloth = rgb(code) * rgb(canvas.light.tint)
    for side, at in ((-1, x0 - 0.03), (1, x1 + 0.03)):
        inward = (canvas.x - at) * -side
        gather = 1 - 0.42 * np.exp(-(((canvas.y - 0.52) / 0.16) ** 2))
        share = (inward + 0.05) / ((wide + 0.05) * gather)
        folds = 0.80 + 0.24 * np.sin(share * 19 + 2 * np.sin(canvas.y * 5)) + 0.08 * np.sin(share * 47 + canvas.y * 3)
        inside = (
            ramp(share, 1.0, 0.985) * ramp(share, -0.02, 0.0) * (canvas.y > y0 - 0.03) * ramp(canvas.y, 0.88, 0.875)
        )
        sheer = 1 + 0.22 * ramp(share, 0.5, 1.0) * (1 - canvas.light.dark)
        canvas.cover(inside.astype(np.float32) * 0.97, np.clip(cloth * (folds * sheer)[..., None], 0, 1.1))
    rod = ramp(np.abs(canvas.y - (y0 - 0.032)), 0.009, 0.006) * ramp(
        np.abs(canvas.x - (x0 + x1) / 2), (x1 - x0) / 2 + 0.07, (x1 - x0) / 2 + 0.06
    )
    canvas.cover(
        rod, rgb("#8a6a3f") * rgb(canvas.light.tint) * (1.2 - 14 * np.clip(canvas.y - y0 + 0.04, 0, 0.02))[..., None]
    )


def _ledge(canvas: Canvas, edge: float, code: str) -> None:
    tabletop(canvas, edge, code)
    lip = edge + 0.155
    front = ramp(canvas.y, lip, lip + 0.004) * np.ones_like(canvas.x)
    canvas.pixels *= (1 - 0.42 * front)[..., None]
    canvas.pixels *= (1 + 0.25 * np.exp(-(((canvas.y - lip) / 0.004) ** 2)))[..., None]


def room(canvas: Canvas, cast: Cast, land: Land) -> None:
    """A corner to sit in: window, poster, chair, rug."""
    rng, edge = canvas.rng, canvas.rng.uniform(0.66, 0.72)
    paper(canvas, str(rng.choice(WALLS)))
    _skirting(canvas, edge)
    tabletop(canvas, edge, str(rng.choice(WOODS)))
    flip = rng.random() < 0.5
    where = (lambda x: 1 - x) if flip else (lambda x: x)
    narrow = min(1.0, canvas.aspect / 1.3)
    middle, half = where(0.27), 0.15 * narrow + 0.02
    window(canvas, (middle - half, 0.10, middle + half, 0.50), land, str(rng.choice(FRAMES)), panes=2)
    _patch_of_sun(canvas, middle, edge)
    for index, name in enumerate(cast.get("wall", ())):
        hang(canvas, name, where(0.62 + 0.20 * index), rng.uniform(0.24, 0.29), 0.32 * narrow + 0.02)
    for name in cast.get("floor", ()):
        shift, low = rng.uniform(-0.05, 0.05), edge + 0.07
        corners = ((0.26 + shift, low), (0.74 + shift, low), (0.90 + shift, 0.97), (0.10 + shift, 0.97))
        lay(canvas, name, corners)
    seat = where(rng.uniform(0.64, 0.72))
    if not cast.get("furniture") and rng.random() < 0.6:
        add(canvas, "bookcase", where(rng.uniform(0.88, 0.94)), edge + 0.05, 0.62, shadow=0.5)
    for name in cast.get("furniture", ()):
        place(canvas, name, seat, rng.uniform(0.84, 0.88), 0.46 * narrow + 0.05, shadow=0.6, lean=0.4)
    stand = where(rng.uniform(0.24, 0.32))
    for name in cast.get("table", ()):
        _side_table(canvas, stand, 0.86, 0.25)
        place(canvas, name, stand, 0.622, 0.26, shadow=0.3, lean=0.3)
    for name in cast.get("sill", ()):
        place(canvas, name, where(0.46), 0.93, 0.25, shadow=0.55, lean=0.4)


def _skirting(canvas: Canvas, edge: float) -> None:
    band = ramp(np.abs(canvas.y - edge + 0.022), 0.023, 0.021) * np.ones_like(canvas.x)
    tone = 1.0 - 7 * np.clip(canvas.y - edge + 0.035, 0, 0.05)
    canvas.cover(band, rgb("#f2ece0") * rgb(canvas.light.tint) * 0.9 * tone[..., None])


def _patch_of_sun(canvas: Canvas, x: float, edge: float) -> None:
    """The window's shape thrown on the floor."""
    near = (canvas.y - edge) / (1 - edge)
    across = canvas.x - x - 0.16 * near - 0.04
    inside = (
        ramp(np.abs(across), 0.15, 0.13)
        * ramp(near, 0.18, 0.24)
        * ramp(near, 0.86, 0.80)
        * ramp(np.abs(across), 0.006, 0.014)
    )
    canvas.pixels += (
        (inside * 0.30 * (1 - canvas.light.dark))[..., None] * rgb(canvas.light.sun) * (0.5 + canvas.pixels)
    )


def _side_table(canvas: Canvas, x: float, foot: float, height: float) -> None:
    """A round table on three legs."""
    wood = rgb("#8a5a36") * rgb(canvas.light.tint)
    top = foot - height
    for lean in (-0.055, 0.0, 0.055):
        middle = x + (lean * 0.75 + lean * (canvas.y - top) / height * 0.5) / canvas.aspect
        leg = ramp(np.abs(canvas.x - middle) * canvas.aspect, 0.0085, 0.006) * (
            (canvas.y > top) & (canvas.y < foot + 0.02 * (lean == 0))
        )
        canvas.cover(leg.astype(np.float32), wood * 0.62)
    for drop, tone in ((0.016, 0.62), (0.0, 1.08)):
        reach = np.hypot((canvas.x - x) * canvas.aspect / 0.125, (canvas.y - top - drop) / 0.026)
        canvas.cover(ramp(reach, 1.02, 0.98), wood * tone)


LIGHTS = ("morning", "noon", "golden", "overcast", "dusk", "night", "rose", "teal", "sunset")
LANDS = ("summer", "alpine", "autumn", "winter", "heath")
SCENES = (
    Scene(
        "sill",
        "home",
        ("window", "window-sill", "at-home", "looking-out"),
        LIGHTS,
        LANDS,
        ("clear",),
        (("sill", 1, 2), ("table", 0, 1)),
        sill,
    ),
    Scene(
        "room",
        "home",
        ("living-room", "corner", "reading-chair", "sunday"),
        LIGHTS,
        LANDS,
        ("clear",),
        (("wall", 1, 2), ("floor", 1, 1), ("furniture", 0, 1), ("table", 0, 1), ("sill", 0, 1)),
        room,
    ),
)
