"""Still lifes: things on a table before a wall, in soft light from the left."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples import cast as players
from app.samples import noise
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, rgb
from app.samples.place import add, place
from app.samples.scene import Cast, Scene
from app.samples.views import VIEWS

WALLS = (
    "#c9b8a4",
    "#7d8f8a",
    "#3f4f5f",
    "#d9a08a",
    "#a9b8c4",
    "#5a4a55",
    "#e3d6bf",
    "#6f7f5f",
    "#b5766a",
    "#2f4a4a",
    "#8a94b5",
    "#d8b66a",
)
WOODS = ("#8a5a36", "#b98a5a", "#5f3f2a", "#d3ac7a", "#a06a45", "#3f2c24")


def still_life(canvas: Canvas, cast: Cast, land: Land) -> None:
    """A few things on wood or cloth."""
    rng, edge = canvas.rng, canvas.rng.uniform(0.56, 0.66)
    wall(canvas, edge, str(rng.choice(WALLS)))
    BACKDROPS[str(rng.choice(list(BACKDROPS), p=BACKDROP_SHARES))](canvas, edge, land)
    tabletop(canvas, edge, str(rng.choice(WOODS))) if rng.random() < 0.6 else cloth(canvas, edge)
    for extra, height in _some(rng, (("books", 0.13), ("candle", 0.24))):
        add(canvas, extra, rng.choice([rng.uniform(0.08, 0.24), rng.uniform(0.76, 0.92)]), edge + 0.04, height)
    line_up(canvas, cast["table"], edge)
    for extra, height in _some(rng, (("lemon", 0.085), ("apple", 0.095), ("sprig", 0.075), ("lemon", 0.085))):
        add(canvas, extra, rng.uniform(0.08, 0.92), rng.uniform(0.93, 0.97), height)


def _some(rng: np.random.Generator, choices: tuple) -> list:
    """Each of the choices or not, at even odds of one in three."""
    return [choice for choice in choices if rng.random() < 0.33]


def wall(canvas: Canvas, edge: float, code: str) -> None:
    """Painted plaster, lighter towards the window on the left."""
    plaster = noise.field(canvas.rng, canvas.height, canvas.width, (5, 5 * canvas.aspect), 5, 0.6) - 0.5
    light = 1.10 - 0.48 * np.hypot((canvas.x - 0.22) * canvas.aspect * 0.7, (canvas.y - 0.25) * 0.9)
    canvas.pixels[:] = rgb(code) * rgb(canvas.light.tint) * (light + 0.09 * plaster)[..., None]
    canvas.pixels *= (1 - 0.22 * ramp(canvas.y, edge - 0.16, edge))[..., None]


def plain(canvas: Canvas, edge: float, land: Land) -> None:
    """Nothing but the wall."""


def window_light(canvas: Canvas, edge: float, land: Land) -> None:
    """The slanting bright panes that a window throws on the wall."""
    rng = canvas.rng
    left, top, slant = rng.uniform(0.05, 0.5), rng.uniform(0.02, 0.14), rng.uniform(0.15, 0.4)
    u = (canvas.x - left) * canvas.aspect - (canvas.y - top) * slant
    v = canvas.y - top + u * 0.10
    pane_width, pane_height = rng.uniform(0.17, 0.24), rng.uniform(0.17, 0.24)
    inside = (
        ramp(u, 0, 0.012)
        * ramp(u, 2 * pane_width, 2 * pane_width - 0.012)
        * ramp(v, 0, 0.012)
        * ramp(v, 2 * pane_height, 2 * pane_height - 0.012)
    )
    bars = ramp(np.abs(u - pane_width), 0.008, 0.016) * ramp(np.abs(v - pane_height), 0.008, 0.016)
    leaves = ramp(noise.field(rng, canvas.height, canvas.width, (6, 6 * canvas.aspect), 3), 0.66, 0.46)
    strength = 0.55 * (1 - 0.6 * canvas.light.dark)
    canvas.pixels += (
        (inside * bars * (0.35 + 0.65 * leaves) * strength)[..., None]
        * rgb(canvas.light.sun)
        * (0.4 + 0.6 * canvas.pixels)
    )


def bokeh(canvas: Canvas, edge: float, land: Land) -> None:
    """A dim room far behind, out of focus: discs of light."""
    rng = canvas.rng
    canvas.pixels *= 0.55
    for _ in range(26):
        x, y, radius = rng.random(), rng.uniform(0, edge), rng.uniform(0.018, 0.06)
        reach = np.hypot((canvas.x - x) * canvas.aspect, canvas.y - y)
        disc = (
            ramp(reach, radius, radius * 0.86)
            * (0.75 + 0.25 * ramp(reach, radius * 0.6, radius))
            * rng.uniform(0.10, 0.42)
        )
        canvas.pixels += disc[..., None] * rgb(str(rng.choice(["#ffcf8a", "#ff9f6a", "#ffe9c4", "#9ac4e0", "#f4a0a8"])))


def garden(canvas: Canvas, edge: float, land: Land) -> None:
    """The open air behind the table, far out of focus."""
    view = Canvas(canvas.height // 3, canvas.width // 3, canvas.light, canvas.rng)
    VIEWS[str(canvas.rng.choice(sorted(VIEWS)))](view, land)
    small = PIL.Image.fromarray((np.clip(view.pixels, 0, 1) * 255).astype(np.uint8))
    soft = small.filter(PIL.ImageFilter.GaussianBlur(view.height / 60))
    canvas.pixels[:] = (
        np.asarray(soft.resize((canvas.width, canvas.height), PIL.Image.Resampling.BICUBIC), np.float32) / 255
    )


BACKDROPS = {"plain": plain, "window": window_light, "bokeh": bokeh, "garden": garden}
BACKDROP_SHARES = (0.20, 0.32, 0.20, 0.28)


def tabletop(canvas: Canvas, edge: float, code: str) -> None:
    """Planks running towards the viewer, with grain, and a sheen from the window."""
    rng, top = canvas.rng, int(canvas.height * edge)
    y = canvas.y[top:]
    near = (y - edge) / (1 - edge)
    across = (canvas.x - 0.5) * canvas.aspect / (0.55 + 0.75 * near) * 5 + 40
    plank = np.floor(across)
    tone = np.random.default_rng(rng.integers(1 << 30)).uniform(0.88, 1.10, 90)[plank.astype(int)]
    grain = noise.field(rng, 64, 2400, (3, 420), 3, 0.6)
    column = ((across / 80) * 2399).astype(int).clip(0, 2399)
    streak = grain[(near * 40 + plank * 7 % 23).astype(int).clip(0, 63), column] - 0.5
    seam = ramp(np.abs(across - np.round(across)), 0.012, 0.03)
    colour = rgb(code) * rgb(canvas.light.tint) * (tone * (0.94 + 0.34 * streak) * (0.62 + 0.38 * seam))[..., None]
    sheen = np.exp(-(((canvas.x - 0.30) / 0.30) ** 2)) * np.exp(-near * 2.2) * 0.30
    colour = colour + sheen[..., None] * rgb(canvas.light.sun) * (1 - 0.6 * canvas.light.dark) * 0.6
    canvas.cover(
        np.clip((y - edge) * canvas.height, 0, 1) * np.ones_like(canvas.x),
        colour * (1.02 - 0.16 * near[..., None]),
        top,
    )


def cloth(canvas: Canvas, edge: float) -> None:
    """A checked or striped cloth with soft folds."""
    rng, top = canvas.rng, int(canvas.height * edge)
    y = canvas.y[top:]
    near = (y - edge) / (1 - edge)
    fold = noise.field(rng, len(y), canvas.width, (2, 7 * canvas.aspect), 3) - 0.5
    across = (canvas.x - 0.5) * canvas.aspect / (0.55 + 0.75 * near) * rng.choice([9, 14]) + 40 + fold * 0.5
    down = np.log1p(near * 1.6) * rng.choice([7, 11]) + fold * 0.4
    base, ink = (rgb(code) for code in CLOTHS[int(rng.integers(len(CLOTHS)))])
    stripes = (across % 1 < 0.45).astype(np.float32)
    checks = stripes + (down % 1 < 0.45) if rng.random() < 0.6 else stripes * 1.6
    colour = base + (ink - base) * (checks * 0.42)[..., None]
    weave = 1 + 0.02 * rng.standard_normal(checks.shape).astype(np.float32)
    tone = (0.98 + 0.30 * fold - 0.12 * near) * weave * (1.05 - 0.25 * canvas.x)
    canvas.cover(
        np.clip((y - edge) * canvas.height, 0, 1) * np.ones_like(canvas.x),
        colour * rgb(canvas.light.tint) * tone[..., None],
        top,
    )


CLOTHS = (
    ("#f4eee0", "#b5332e"),
    ("#f1ece0", "#2d5d8f"),
    ("#e9e3d0", "#6b7a3f"),
    ("#f3e7d3", "#d98a3f"),
    ("#dfe6e6", "#4f6f7f"),
    ("#40506a", "#e9dcc0"),
)


def line_up(canvas: Canvas, names: Sequence[str], edge: float, spread: float = 0.26, most: float = 0.62) -> None:
    """Stand things side by side, the tall ones behind, overlapping a little as a painter would.

    The group fills the picture whatever it is made of; `spread` is how far it reaches down the table, `most` the
    largest size, both in heights of the picture.
    """
    rng = canvas.rng
    order = sorted(names, key=lambda name: -players.CAST[name].size)
    shares = np.array([players.CAST[name].size * _aspect(name) for name in order])
    overlap = rng.uniform(0.80, 0.95) if canvas.aspect > 0.95 else rng.uniform(0.62, 0.76)
    highest = rng.uniform(0.82, 0.94) * edge / players.CAST[order[0]].size
    size = min(rng.uniform(0.66, 0.80) * canvas.aspect / (shares.sum() * overlap), highest, most)
    left = canvas.aspect * rng.uniform(0.47, 0.53) - shares.sum() * size * overlap / 2
    middles = np.empty(len(order))
    for slot in rng.permutation(len(order)):
        middles[slot] = left + shares[slot] * size * overlap / 2
        left += shares[slot] * size * overlap
    depths = np.linspace(0.28, 0.88, len(order)) + rng.uniform(-0.06, 0.06, len(order))
    for name, middle, near in zip(order, middles, depths, strict=True):
        foot = min(edge + near * spread, 0.97)
        place(canvas, name, middle / canvas.aspect, foot, size * (0.92 + 0.16 * near), shadow=0.68, lean=0.5)


def _aspect(name: str) -> float:
    sprite = players.sprite(name)
    return sprite.width / sprite.height


LIGHTS = ("morning", "noon", "golden", "overcast", "teal", "rose", "dusk", "night")
SCENES = (
    Scene(
        "still-life",
        "table",
        ("still-life", "on-the-table", "kitchen-table", "shelf", "breakfast"),
        LIGHTS,
        ("summer", "alpine", "autumn", "heath", "winter"),
        ("clear",),
        (("table", 2, 4),),
        still_life,
    ),
)
