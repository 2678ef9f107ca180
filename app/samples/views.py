"""What is seen through a window: small outdoor pictures in the room's own light."""

from collections.abc import Callable

import numpy as np

from app.samples import flora, scenery, town
from app.samples.canvas import Canvas
from app.samples.palettes import Land


def hills(canvas: Canvas, land: Land) -> None:
    scenery.sky(canvas, 0.6, 0.6)
    scenery.mountains(canvas, 0.62, 0.28, land.far, 0.5, 0.4)
    crest = scenery.hills(canvas, 0.70, 0.10, land.middle, 0.3)
    flora.woods(canvas, crest, land.trees, 0.28, 0.06, 0.05)
    crest = scenery.hills(canvas, 0.86, 0.12, land.near, 0.12)
    flora.tree(canvas, canvas.rng.uniform(0.15, 0.85), 0.92, 0.45, land.trees, 0.05)


def sea(canvas: Canvas, land: Land) -> None:
    sun = scenery.sky(canvas, 0.58, 0.6)
    scenery.mountains(canvas, 0.59, 0.08, land.far, 0.6)
    scenery.water(canvas, 0.58, "#2f7f9a", sun, 0.5)


def roofs(canvas: Canvas, land: Land) -> None:
    scenery.sky(canvas, 0.8, 0.5)
    lit = 0.08 + 0.45 * canvas.light.dark
    town.skyline(canvas, 1.0, 0.75, "#6b7080", 0.55, 0.16, lit * 0.7)
    town.skyline(canvas, 1.02, 0.48, "#7a6a6a", 0.25, 0.22, lit)


def firs(canvas: Canvas, land: Land) -> None:
    scenery.sky(canvas, 0.7, 0.4)
    scenery.mountains(canvas, 0.72, 0.36, land.far, 0.45, 0.7)
    for base, haze, size in ((0.80, 0.40, 0.28), (0.98, 0.15, 0.50)):
        flora.pines(canvas, np.full(canvas.width, base, np.float32), land.trees, haze, size, size * 0.3)
        scenery.mist(canvas, base, 0.08, 0.3 * (1 - base + 0.3))


VIEWS: dict[str, Callable[[Canvas, Land], None]] = {"hills": hills, "sea": sea, "roofs": roofs, "firs": firs}
