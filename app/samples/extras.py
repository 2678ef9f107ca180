"""Bystanders: things that fill a scene and belong to no one in the cast. The truth does not name them."""

import functools
from collections.abc import Callable

import numpy as np
import PIL.Image

from app.samples import patterns
from app.samples.sketch import Sketch, smooth

SPINES = ("#8f2f2a", "#24406f", "#2f5d4a", "#d9b36a", "#e9dcc0", "#5a4a55", "#c8703f", "#3a6f7a", "#b58a9a")


def lemon() -> Sketch:
    sketch = Sketch(1.35)
    profile = ((0, 0.02), (0.06, 0.07), (0.22, 0.27), (0.5, 0.36), (0.78, 0.27), (0.94, 0.08), (1, 0.03))
    upright = Sketch(0.8, height_px=400)
    paint = patterns.speckled(patterns.fade("#f3c62f", "#f9dc5c", "#f3c62f"), "#d9a81f", 3, 0.06)
    upright.turned(0.4, 0.0, 1.0, profile, paint, tilt=0.0, gloss=0.35, inside=None)
    sketch.paste(upright.straight().transpose(1, 0, 2)[:, ::-1], 20, 40)
    return sketch


def apple() -> Sketch:
    sketch = Sketch(1.1)
    profile = ((0, 0.10), (0.05, 0.26), (0.2, 0.44), (0.42, 0.5), (0.7, 0.42), (0.92, 0.26), (1, 0.16))
    paint = patterns.speckled(patterns.fade("#d98a3f", "#c8262c", "#b01f2e"), "#e9a04f", 4, 0.03)
    sketch.turned(0.55, 0.14, 0.98, profile, paint, tilt=0.12, gloss=0.6, inside="#7a3a1f")
    sketch.stroke(smooth([(0.55, 0.20), (0.56, 0.10), (0.62, 0.02)], closed=False), 0.03, "#5a3d25")
    sketch.area(smooth([(0.60, 0.10), (0.70, 0.01), (0.86, 0.04), (0.74, 0.13)]), ("#7fb04f", "#4f8a3c"), bevel=0.02)
    return sketch


def books() -> Sketch:
    """A low stack, lying."""
    sketch = Sketch(1.7)
    rng = np.random.default_rng(11)
    y = 0.98
    for code, thick in zip(("#24406f", "#c8703f", "#e9dcc0", "#2f5d4a"), (0.22, 0.18, 0.24, 0.16), strict=True):
        shift, wide = rng.uniform(-0.06, 0.06), rng.uniform(1.25, 1.5)
        x0 = 0.85 - wide / 2 + shift
        sketch.box(x0, y - thick, x0 + wide, y, (code, code), round_=0.03, bevel=0.03, lift=0.8)
        sketch.box(x0 + wide - 0.09, y - thick + 0.03, x0 + wide + 0.005, y - 0.03, "#f4ecd9", bevel=0.01)
        for band in (0.16, 0.22, wide - 0.40):
            sketch.box(x0 + band, y - thick + 0.004, x0 + band + 0.018, y - 0.004, "#e0b85a", bevel=0)
        y -= thick
    return sketch


def candle() -> Sketch:
    sketch = Sketch(0.6)
    wax = patterns.fade("#fff2d0", "#f4e2bc")
    sketch.turned(0.3, 0.30, 0.80, ((0, 0.17), (1, 0.17)), wax, tilt=0.2, gloss=0.2, inside="#f0d79a", glow=0.4)
    brass = patterns.plain("#c9a24a")
    sketch.turned(0.3, 0.78, 0.95, ((0, 1.0), (0.3, 1.4), (1, 1.1)), brass, tilt=0.2, gloss=0.7, inside=None)
    sketch.area(smooth([(0.30, 0.02), (0.345, 0.18), (0.30, 0.28), (0.255, 0.18)]), ("#fff6c8", "#ffb03a"), bevel=0)
    return sketch


def sprig() -> Sketch:
    """A cut twig with olive leaves."""
    sketch = Sketch(2.6)
    stem = smooth([(0.05, 0.80), (0.8, 0.55), (1.6, 0.50), (2.5, 0.25)], closed=False)
    sketch.stroke(stem, 0.035, "#6b5a3c", bevel=0.012)
    for index, (x, y) in enumerate(stem[3:-2:4]):
        side = 1 if index % 2 else -1
        leaf = [(x, y), (x + 0.14, y - 0.17 * side), (x + 0.36, y - 0.26 * side), (x + 0.20, y - 0.07 * side)]
        sketch.area(smooth(leaf), ("#9ab07a", "#5f7f4f"), bevel=0.03, lift=0.9)
    return sketch


def bookcase() -> Sketch:
    """A tall case of shelves, full."""
    sketch, rng = Sketch(0.62), np.random.default_rng(5)
    sketch.box(0.0, 0.0, 0.62, 0.985, ("#7a5236", "#5a3a26"), bevel=0.015)
    for shelf in range(4):
        top = 0.035 + shelf * 0.235
        sketch.box(0.03, top, 0.59, top + 0.215, "#3a2619", bevel=0.01, lift=-0.5)
        x = 0.04
        while x < 0.545:
            thick, tall = rng.uniform(0.018, 0.038), rng.uniform(0.13, 0.195)
            if rng.random() < 0.12:
                x += rng.uniform(0.03, 0.07)
                continue
            sketch.box(
                x, top + 0.212 - tall, min(x + thick, 0.58), top + 0.212, str(rng.choice(SPINES)), bevel=0.006, lift=0.9
            )
            x += thick + 0.002
    return sketch


def saguaro() -> Sketch:
    sketch = Sketch(0.62)
    for arm in ([(0.31, 0.62), (0.13, 0.58), (0.10, 0.34)], [(0.31, 0.50), (0.50, 0.47), (0.53, 0.22)]):
        sketch.stroke(smooth(arm, closed=False), 0.085, "#557a4a", bevel=0.03, lift=1.0)
    ribs = patterns.gores(("#6b9058", "#557a4a"), 26, 0.3)
    sketch.turned(
        0.31, 0.03, 0.98, ((0, 0.02), (0.04, 0.055), (0.2, 0.072), (1, 0.066)), ribs, tilt=0.0, gloss=0.05, inside=None
    )
    return sketch


def rock() -> Sketch:
    sketch = Sketch(1.8)
    sketch.area(
        [(0.05, 0.97), (0.18, 0.55), (0.52, 0.22), (0.95, 0.10), (1.40, 0.32), (1.70, 0.68), (1.76, 0.97)],
        ("#c9a07a", "#8f6a50"),
        bevel=0.05,
        lift=0.9,
    )
    for facet, code in (
        ([(0.52, 0.22), (0.95, 0.10), (1.05, 0.52), (0.62, 0.60)], "#dcb48a"),
        ([(1.05, 0.52), (1.40, 0.32), (1.70, 0.68), (1.20, 0.97)], "#8a644c"),
        ([(0.18, 0.55), (0.52, 0.22), (0.62, 0.60), (0.40, 0.97)], "#cfa57c"),
    ):
        sketch.area(facet, code, bevel=0.03)
    return sketch


EXTRAS: dict[str, Callable[[], Sketch]] = {
    "lemon": lemon, "apple": apple, "books": books, "candle": candle, "sprig": sprig,
    "bookcase": bookcase, "saguaro": saguaro, "rock": rock,
}  # fmt: skip


@functools.cache
def sprite(name: str) -> PIL.Image.Image:
    return EXTRAS[name]().sprite()
