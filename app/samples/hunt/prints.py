"""What wares are printed with, all over: patterns that repeat, and some that never do.

Each maker takes five colours (paper, ink, main, second, accent) and a generator, and returns a paint over half a turn:
(angle −π/2…π/2, v 0…1) -> colours (h, w, 3). On flat wares the angle runs across.
"""

from collections.abc import Callable, Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw

from app.samples import noise, patterns
from app.samples.lathe import Paint
from app.samples.palettes import rgb

Codes = Sequence[str]
RASTER_PX = 320  # of a side of what is drawn once and then looked up


def stripes(codes: Codes, rng: np.random.Generator) -> Paint:
    return patterns.gores(rng.permutation(codes[1:4]).tolist(), int(rng.integers(9, 26)), 0.1)


def rings(codes: Codes, rng: np.random.Generator) -> Paint:
    count = int(rng.integers(7, 13))
    edges = np.sort(rng.uniform(0.03, 0.97, count - 1))
    return patterns.bands(edges.tolist(), [codes[index % 5] for index in rng.permutation(count)])


def spiral(codes: Codes, rng: np.random.Generator) -> Paint:
    return patterns.spiral((codes[2], codes[0], codes[3], codes[4]), rng.uniform(5, 11), rng.uniform(2, 6))


def zigzag(codes: Codes, rng: np.random.Generator) -> Paint:
    return patterns.zigzag((codes[2], codes[3], codes[0]), int(rng.integers(8, 18)), rng.uniform(5, 11), 0.8)


def diamonds(codes: Codes, rng: np.random.Generator) -> Paint:
    return patterns.diamonds((codes[2], codes[3], codes[0], codes[4]), int(rng.integers(8, 16)), rng.uniform(4, 8))


def checks(codes: Codes, rng: np.random.Generator) -> Paint:
    return patterns.checks((codes[2], codes[0], codes[3]), int(rng.integers(10, 22)), rng.uniform(6, 11))


def dots(codes: Codes, rng: np.random.Generator) -> Paint:
    ground = patterns.fade(codes[2], codes[3])
    return patterns.dots(ground, codes[0], int(rng.integers(9, 18)), rng.uniform(5, 9), rng.uniform(0.2, 0.34))


def flowers(codes: Codes, rng: np.random.Generator) -> Paint:
    ground = patterns.fade(codes[2], codes[3])
    return patterns.flowers(ground, codes[0], codes[4], int(rng.integers(7, 13)), rng.uniform(3.5, 6))


def waves(codes: Codes, rng: np.random.Generator) -> Paint:
    paint = patterns.plain(codes[2])
    for at in np.arange(0.06, 1, rng.uniform(0.09, 0.14)):
        code, count = codes[(0, 3, 4)[int(rng.integers(3))]], int(rng.integers(4, 11))
        paint = patterns.waves(paint, code, float(at), count, rng.uniform(0.015, 0.04), rng.uniform(0.012, 0.03))
    return paint


def marbled(codes: Codes, rng: np.random.Generator) -> Paint:
    """Veins as on the endpapers of old books: the level lines of a cloudy field, filled by turns."""
    cells = rng.uniform(2.5, 4.5)
    level = noise.field(rng, RASTER_PX, RASTER_PX, (cells, cells), 3) * rng.uniform(9, 14)
    return looked_up(_table(codes)[np.floor(level).astype(int) % 5])


def patchwork(codes: Codes, rng: np.random.Generator) -> Paint:
    """A crazy quilt: every place has the colour of the nearest of some points, and seams where two are as near."""
    points, colours = rng.random((int(rng.integers(28, 60)), 2)), rng.integers(0, 5, 60)
    at = (np.arange(RASTER_PX) + 0.5) / RASTER_PX
    reach = np.hypot(at[:, None, None] - points[:, 1], at[None, :, None] - points[:, 0])
    nearest = reach.argmin(axis=-1)
    seam = np.partition(reach, 1, axis=-1)[..., :2] @ np.array([-1, 1])
    raster = _table(codes)[colours[nearest]]
    raster[seam < 0.008] = rgb(codes[1])
    return looked_up(raster)


def confetti(codes: Codes, rng: np.random.Generator) -> Paint:
    """Cut paper thrown down: triangles, bars and discs."""
    picture = PIL.Image.new("RGB", (RASTER_PX, RASTER_PX), codes[int(rng.integers(2, 4))])
    pen = PIL.ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(60, 110))):
        middle, size = rng.uniform(0, RASTER_PX, 2), rng.uniform(8, 26)
        corners = int(rng.choice([3, 4, 12]))
        turns = rng.uniform(0, 2 * np.pi) + np.arange(corners) / corners * 2 * np.pi
        stretch = (1, 0.45) if corners == 4 else (1, 1)
        outline = middle + size * np.stack([np.cos(turns) * stretch[0], np.sin(turns) * stretch[1]], axis=-1)
        pen.polygon([tuple(point) for point in outline.tolist()], fill=codes[int(rng.integers(5))])
    return looked_up(np.asarray(picture, np.float32) / 255)


def engraved(codes: Codes, rng: np.random.Generator) -> Paint:
    """Fine lines that swell and bend, as on banknotes."""
    y, x = np.mgrid[:RASTER_PX, :RASTER_PX].astype(np.float32) / RASTER_PX
    bend = noise.field(rng, RASTER_PX, RASTER_PX, (2, 2), 2)
    turn, lines = rng.uniform(0, np.pi), rng.uniform(16, 26)
    wave = np.sin((x * np.cos(turn) + y * np.sin(turn) + 0.5 * bend) * lines * 2 * np.pi)
    ink = noise.ramp(wave, 0.1, 0.5)[..., None]
    tint = _table((codes[0], codes[3]))[(bend > 0.5).astype(int)]
    return looked_up(tint + (rgb(codes[2]) - tint) * ink)


def looked_up(raster: np.ndarray) -> Paint:
    """A paint that shows a raster (h, w, 3) across half a turn."""
    height, width = raster.shape[:2]

    def paint(angle: np.ndarray, v: np.ndarray) -> np.ndarray:
        column = ((angle / np.pi + 0.5) * width).astype(int).clip(0, width - 1)
        return raster[(v * height).astype(int).clip(0, height - 1), column]

    return paint


def _table(codes: Codes) -> np.ndarray:
    return np.stack([rgb(code) for code in codes])


PRINTS: dict[str, Callable[[Codes, np.random.Generator], Paint]] = {
    "stripes": stripes, "rings": rings, "spiral": spiral, "zigzag": zigzag, "diamonds": diamonds, "checks": checks,
    "dots": dots, "flowers": flowers, "waves": waves, "marbled": marbled, "patchwork": patchwork,
    "confetti": confetti, "engraved": engraved,
}  # fmt: skip
