"""Grounds: what wares stand before or lie upon. All but a few are busy."""

from collections.abc import Callable

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples import noise
from app.samples.canvas import Canvas
from app.samples.hunt.designs import PALETTES
from app.samples.hunt.prints import PRINTS
from app.samples.palettes import LANDS, Land, rgb
from app.samples.scenes_home import paper
from app.samples.scenes_table import BACKDROP_SHARES, BACKDROPS, WALLS, WOODS, cloth, tabletop, wall
from app.samples.views import VIEWS

Ground = Callable[[Canvas], None]
PEBBLES = ("#b9aa98", "#8f8578", "#d6cab8", "#6f6a66", "#a0917f", "#c7b3a2")


def table(canvas: Canvas) -> None:
    """A wall with something on it, and wood or cloth before it."""
    rng, edge = canvas.rng, canvas.rng.uniform(0.4, 0.6)
    wall(canvas, edge, str(rng.choice(WALLS)))
    BACKDROPS[str(rng.choice(list(BACKDROPS), p=BACKDROP_SHARES))](canvas, edge, _land(canvas))
    tabletop(canvas, edge, str(rng.choice(WOODS))) if rng.random() < 0.5 else cloth(canvas, edge)


def planks(canvas: Canvas) -> None:
    tabletop(canvas, 0.0, str(canvas.rng.choice(WOODS)))


def checked_cloth(canvas: Canvas) -> None:
    cloth(canvas, 0.0)


def wallpaper(canvas: Canvas) -> None:
    paper(canvas, str(canvas.rng.choice(WALLS)))


def outdoors(canvas: Canvas) -> None:
    VIEWS[str(canvas.rng.choice(sorted(VIEWS)))](canvas, _land(canvas))


def fabric(canvas: Canvas) -> None:
    """A cloth printed as wares are, in softer colours and folded."""
    rng = canvas.rng
    codes = PALETTES[str(rng.choice(list(PALETTES)))]
    angle, v = np.broadcast_arrays((canvas.x - 0.5) * np.pi, canvas.y)
    colour = PRINTS[str(rng.choice(list(PRINTS)))](codes, rng)(angle, v)
    woven = PIL.Image.fromarray((colour * 255).astype(np.uint8)).filter(PIL.ImageFilter.GaussianBlur(1.2))
    fold = noise.field(rng, canvas.height, canvas.width, (2, 4), 3)[..., None]
    calm = 0.35 * rgb(codes[3]) + 0.65 * np.asarray(woven, np.float32) / 255
    canvas.pixels[:] = calm * rgb(canvas.light.tint) * (0.7 + 0.5 * fold)


def pebbles(canvas: Canvas) -> None:
    """A beach of stones, each lit from the upper left."""
    rng = canvas.rng
    points, colours = rng.random((110, 2)) * (canvas.aspect, 1), rng.integers(0, len(PEBBLES), 110)
    across, down = canvas.x * canvas.aspect, canvas.y
    nearest, second = (np.full((canvas.height, canvas.width), np.inf, np.float32) for _ in range(2))
    owner = np.zeros(nearest.shape, int)
    for number, (x, y) in enumerate(points):
        reach = np.hypot(across - x, down - y).astype(np.float32)
        closer = reach < nearest
        second = np.where(closer, nearest, np.minimum(second, reach))
        owner[closer], nearest = number, np.minimum(nearest, reach)
    round_ = noise.ramp(second - nearest, -0.004, 0.018)
    slope = (down - points[owner, 1]) + (across - points[owner, 0])
    grain = noise.field(rng, canvas.height, canvas.width, (60, 60), 2)
    tone = round_ * (0.85 + 0.35 * grain - 1.4 * slope) + 0.15
    stones = np.stack([rgb(code) for code in PEBBLES])[colours[owner]]
    canvas.pixels[:] = stones * rgb(canvas.light.tint) * tone[..., None].astype(np.float32)


def foliage(canvas: Canvas) -> None:
    """Leaves over leaves, the upper ones brighter."""
    rng = canvas.rng
    canvas.pixels[:] = rgb("#14231a")
    greens = [rgb(code) for code in ("#2f5d3a", "#4f7f3c", "#7a9f45", "#3c6b54", "#8fae5a")]
    for number in range(150):
        place = rng.uniform((-0.05, -0.05, 0, 0.06), (canvas.aspect, 1, np.pi, 0.14))
        _leaf(canvas, tuple(place), greens[int(rng.integers(5))] * (0.5 + 0.55 * number / 150))


def _leaf(canvas: Canvas, place: tuple[float, float, float, float], colour: np.ndarray) -> None:
    """A pointed oval with a pale rib; `place` is x, y, turn and half its length, in heights."""
    x, y, turn, size = place
    top, bottom = (int(np.clip((y + side * size) * canvas.height, 0, canvas.height)) for side in (-1, 1))
    left, right = (int(np.clip((x + side * size) / canvas.aspect * canvas.width, 0, canvas.width)) for side in (-1, 1))
    across, down = canvas.x[:, left:right] * canvas.aspect - x, canvas.y[top:bottom] - y
    along, aside = across * np.cos(turn) + down * np.sin(turn), np.abs(down * np.cos(turn) - across * np.sin(turn))
    half = 0.38 * size * np.clip(1 - (along / size) ** 2, 0, None)
    alpha = np.clip((half - aside) * canvas.height, 0, 1).astype(np.float32)
    rib = np.exp(-((aside * canvas.height) ** 2) / 2)[..., None]
    shade = 1 - 0.5 * (aside / np.maximum(half, 1e-3)).clip(0, 1)[..., None]
    canvas.cover(alpha, (colour * shade * (1 + 0.5 * rib) * rgb(canvas.light.tint)).astype(np.float32), top, left)


def _land(canvas: Canvas) -> Land:
    return LANDS[str(canvas.rng.choice(sorted(LANDS)))]


GROUNDS: dict[str, Ground] = {
    "table": table, "planks": planks, "cloth": checked_cloth, "wallpaper": wallpaper, "outdoors": outdoors,
    "fabric": fabric, "pebbles": pebbles, "foliage": foliage,
}  # fmt: skip
