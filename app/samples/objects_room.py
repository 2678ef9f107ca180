"""What furnishes rooms: rugs, posters, armchairs."""

from functools import partial

import numpy as np

from app.samples import patterns
from app.samples.sketch import Sketch, smooth
from app.samples.thing import Thing

Colours = tuple[str, str]


def rug(field: str, border: str, motif: str, accent: str, style: int) -> Sketch:
    """A woven rug seen from straight above; scenes lay it in perspective."""
    sketch = Sketch(1.55)
    for y in np.linspace(0.04, 0.96, 40):
        sketch.stroke([(0.005, y), (1.545, y)], 0.006, "#efe5cf", bevel=0)
    sketch.box(0.035, 0.01, 1.515, 0.99, lambda x, y: _woven(x, y, (field, border, motif, accent), style), bevel=0.006)
    return sketch


def _woven(x: np.ndarray, y: np.ndarray, codes: tuple[str, str, str, str], style: int) -> np.ndarray:
    table = np.stack([patterns.rgb(code) for code in codes])
    edge = np.minimum(np.minimum(x - 0.035, 1.515 - x), np.minimum(y - 0.01, 0.99 - y))
    index = WEAVES[style]((x - 0.775) / 0.74, (y - 0.5) / 0.49)
    teeth = np.abs(((x + y) * 12) % 1 - 0.5) * 2 > np.clip((edge - 0.05) / 0.05, 0, 1)
    index = np.where(edge < 0.10, np.where(teeth, 1, 3), index)
    index = np.where((edge < 0.05) | ((edge > 0.10) & (edge < 0.115)), 1, index)
    thread = 0.93 + 0.07 * np.sign(np.sin(x * 900)) * np.sign(np.sin(y * 900))
    return table[index] * thread[..., None]


def _medallion(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    reach = np.abs(u) * 1.1 + np.abs(v) * 0.85 + 0.04 * np.sign(np.sin(u * 40)) * np.sign(np.sin(v * 28))
    return np.choose(np.searchsorted([0.14, 0.26, 0.34, 0.52, 0.60], reach), [3, 2, 1, 3, 2, 0])


def _lozenges(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    reach = np.abs((u * 3 + 0.5) % 1 - 0.5) + np.abs((v * 2 + 0.5) % 1 - 0.5)
    return np.choose(np.searchsorted([0.10, 0.22, 0.34, 0.44], reach), [3, 2, 0, 1, 0])


def _stripes(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    wave = (u * 6 + 0.22 * np.abs((v * 5) % 1 - 0.5) + 20) % 1
    return np.choose(np.searchsorted([0.35, 0.5, 0.62, 0.8], wave), [0, 2, 3, 1, 0])


WEAVES = (_medallion, _lozenges, _stripes)


def poster(frame: str, paper: str, style: int, inks: tuple[str, str, str]) -> Sketch:
    """A framed print."""
    sketch = Sketch(0.76)
    sketch.box(0.01, 0.005, 0.75, 0.995, frame, bevel=0.012, lift=0.9)
    sketch.box(0.045, 0.04, 0.715, 0.96, "#faf6ec", bevel=0.01, lift=-0.4)
    sketch.box(0.085, 0.08, 0.675, 0.92, paper, bevel=0)
    PRINTS[style](sketch, inks)
    return sketch


def _sun_print(sketch: Sketch, inks: tuple[str, str, str]) -> None:
    sketch.oval(0.38, 0.34, 0.16, 0.16, inks[0], bevel=0)
    for y, ink in ((0.56, inks[1]), (0.66, inks[2]), (0.78, inks[1])):
        hill = smooth(
            [(0.085, y + 0.02), (0.22, y - 0.06), (0.40, y + 0.03), (0.56, y - 0.05), (0.675, y)], closed=False
        )
        sketch.area([*hill, (0.675, 0.92), (0.085, 0.92)], ink, bevel=0.006)


def _leaf_print(sketch: Sketch, inks: tuple[str, str, str]) -> None:
    sketch.oval(0.38, 0.46, 0.25, 0.30, inks[1], bevel=0)
    sketch.stroke([(0.38, 0.86), (0.38, 0.20)], 0.012, inks[0], bevel=0)
    for y in np.linspace(0.26, 0.74, 6):
        for side in (-1, 1):
            tip = (0.38 + 0.17 * side, y - 0.10)
            sketch.area(
                smooth([(0.38, y), (0.38 + 0.07 * side, y - 0.09), tip, (0.38 + 0.11 * side, y - 0.015)]),
                inks[2] if y > 0.5 else inks[0],
                bevel=0.004,
            )


def _block_print(sketch: Sketch, inks: tuple[str, str, str]) -> None:
    for row in range(4):
        for column in range(3):
            x, y = 0.10 + column * 0.19, 0.10 + row * 0.205
            ink, other = inks[(row + column) % 3], inks[(row * 2 + column + 1) % 3]
            sketch.box(x, y, x + 0.18, y + 0.195, ink, bevel=0)
            corner = ((x, y), (x + 0.18, y), (x + 0.18, y + 0.195), (x, y + 0.195))[(row * 3 + column) % 4]
            turn = np.linspace(0, np.pi / 2, 12) + ((row * 3 + column) % 4) * np.pi / 2
            arc = [(corner[0] + 0.18 * np.cos(a), corner[1] + 0.195 * np.sin(a)) for a in turn]
            sketch.area([corner, *arc], other, bevel=0)


def _wave_print(sketch: Sketch, inks: tuple[str, str, str]) -> None:
    sketch.oval(0.52, 0.24, 0.075, 0.075, inks[0], bevel=0)
    for row, y in enumerate(np.linspace(0.44, 0.86, 7)):
        for x in np.linspace(0.15, 0.61, 5) - (0.0 if row % 2 else 0.058):
            for radius, ink in ((0.062, inks[1]), (0.044, "#faf6ec"), (0.028, inks[2])):
                turn = np.linspace(np.pi, 2 * np.pi, 14)
                arc = [
                    (float(np.clip(x + radius * np.cos(a), 0.085, 0.675)), y + 0.055 + radius * np.sin(a)) for a in turn
                ]
                sketch.area(arc, ink, bevel=0)


PRINTS = (_sun_print, _leaf_print, _block_print, _wave_print)


def armchair(cloth: Colours, legs: str) -> Sketch:
    sketch = Sketch(1.05)
    for x in (0.17, 0.88):
        sketch.stroke([(x, 0.86), (x + (0.03 if x > 0.5 else -0.03), 0.985)], 0.035, legs)
    sketch.area(
        smooth([(0.20, 0.20), (0.34, 0.03), (0.70, 0.03), (0.85, 0.20), (0.83, 0.70), (0.22, 0.70)]),
        cloth,
        bevel=0.09,
        lift=1.0,
    )
    for x, y in ((0.42, 0.22), (0.63, 0.22), (0.525, 0.36), (0.38, 0.42), (0.67, 0.42)):
        sketch.oval(x, y, 0.012, 0.012, cloth[1], bevel=0.004)
    sketch.box(0.16, 0.52, 0.90, 0.72, cloth, round_=0.07, bevel=0.06, lift=0.9)
    sketch.box(0.16, 0.68, 0.90, 0.90, (cloth[1], cloth[1]), round_=0.04, bevel=0.05, lift=0.8)
    for x in (0.04, 0.81):
        sketch.box(x, 0.42, x + 0.20, 0.92, cloth, round_=0.09, bevel=0.07, lift=1.0)
    return sketch


THINGS = (
    Thing("rug-crimson-medallion", "floor", 1.0, partial(rug, "#8f2430", "#1f2f4f", "#e0b060", "#f3e4c4", 0)),
    Thing("rug-indigo-lozenge", "floor", 1.0, partial(rug, "#24406f", "#d9b36a", "#c8553d", "#f3e9d2", 1)),
    Thing("rug-olive-stripes", "floor", 1.0, partial(rug, "#e9dcc0", "#6b7a3f", "#c9803f", "#2f4f4a", 2)),
    Thing("poster-red-sun", "wall", 1.0, partial(poster, "#2b2622", "#f3d9a8", 0, ("#d8402f", "#e08a4f", "#7a3b4f"))),
    Thing("poster-leaf", "wall", 0.95, partial(poster, "#b88a57", "#f4ecd9", 1, ("#2f5d4a", "#f0c9a0", "#4f8a6b"))),
    Thing("poster-blocks", "wall", 1.0, partial(poster, "#f2eee4", "#faf6ec", 2, ("#1d3557", "#e9b23b", "#d8572f"))),
    Thing("poster-waves", "wall", 0.95, partial(poster, "#3a4a55", "#d9e6e4", 3, ("#e4572e", "#1f5f7a", "#7fb3b8"))),
    Thing("armchair-mustard", "furniture", 1.0, partial(armchair, ("#e0a63a", "#9a6a1c"), "#5a3a26")),
    Thing("armchair-sage", "furniture", 1.0, partial(armchair, ("#8fb09a", "#557560"), "#3a2a20")),
)
