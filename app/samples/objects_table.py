"""What stands on tables: vases, mugs, teapots, bowls of fruit."""

from functools import partial

import numpy as np

from app.samples import patterns
from app.samples.lathe import Paint
from app.samples.sketch import Point, Sketch, smooth
from app.samples.thing import Thing

Profile = tuple[Point, ...]

Colours = tuple[str, str]

AMPHORA = (
    (0, 0.15),
    (0.06, 0.115),
    (0.16, 0.105),
    (0.30, 0.22),
    (0.45, 0.30),
    (0.60, 0.285),
    (0.80, 0.18),
    (0.95, 0.125),
    (1, 0.135),
)

BOTTLE = ((0, 0.085), (0.04, 0.07), (0.35, 0.06), (0.52, 0.13), (0.68, 0.225), (0.85, 0.225), (1, 0.15))

MOON = ((0, 0.12), (0.05, 0.105), (0.20, 0.30), (0.45, 0.42), (0.70, 0.39), (0.90, 0.24), (1, 0.19))

TULIP = ((0, 0.24), (0.12, 0.195), (0.35, 0.15), (0.60, 0.20), (0.82, 0.22), (0.94, 0.16), (1, 0.17))

CUP = ((0, 0.40), (0.08, 0.395), (0.75, 0.385), (0.93, 0.34), (1, 0.30))

POT = ((0, 0.17), (0.08, 0.28), (0.30, 0.46), (0.55, 0.52), (0.80, 0.44), (0.95, 0.31), (1, 0.32))

BOWL = ((0, 1.15), (0.10, 1.12), (0.45, 0.98), (0.75, 0.70), (0.90, 0.42), (1, 0.44))


def vase(profile: Profile, paint: Paint, gloss: float = 0.6, stems: tuple[str, str, int] | None = None) -> Sketch:
    """A vase; `stems` are the colours of petals and leaves and how many blossoms stand in it."""
    sketch = Sketch(0.95 if stems else 0.9)
    top = 0.44 if stems else 0.07
    if stems:
        _bouquet(sketch, (0.47, top), *stems)
    sketch.turned(0.47 if stems else 0.45, top, 0.97, profile, paint, tilt=0.20, gloss=gloss)
    return sketch


def _bouquet(sketch: Sketch, mouth: Point, petals: str, leaves: str, count: int) -> None:
    rng = np.random.default_rng([count, *petals.encode()])
    heads = [
        (mouth[0] + dx, mouth[1] - dy)
        for dx, dy in zip(np.linspace(-0.30, 0.30, count), rng.uniform(0.16, 0.37, count), strict=True)
    ]
    for x, y in heads:
        stem = smooth(
            [
                (mouth[0] + (x - mouth[0]) * 0.15, mouth[1] + 0.04),
                (mouth[0] + (x - mouth[0]) * 0.55, (y + mouth[1]) / 2),
                (x, y),
            ],
            closed=False,
        )
        sketch.stroke(stem, 0.010, leaves, bevel=0.004)
        for share, side in ((0.45, 1), (0.65, -1)):
            sx, sy = stem[int(len(stem) * share)]
            sketch.area(
                smooth(
                    [
                        (sx, sy),
                        (sx + 0.045 * side, sy - 0.045),
                        (sx + 0.095 * side, sy - 0.055),
                        (sx + 0.055 * side, sy - 0.005),
                    ]
                ),
                leaves,
                bevel=0.012,
                lift=0.9,
            )
    for x, y in heads:
        for turn in np.arange(0, 2 * np.pi, 2 * np.pi / 7) + x * 9:
            sketch.oval(x + 0.042 * np.cos(turn), y + 0.036 * np.sin(turn), 0.032, 0.030, petals, bevel=0.016, lift=0.9)
        sketch.oval(x, y, 0.026, 0.023, "#f4c95d", bevel=0.012)


def mug(paint: Paint, handle: str, inside: str = "#3b2116") -> Sketch:
    sketch = Sketch(1.25)
    grip = smooth([(0.80, 0.30), (0.98, 0.27), (1.10, 0.42), (1.06, 0.62), (0.90, 0.74), (0.76, 0.76)], closed=False)
    sketch.stroke(grip, 0.085, handle, bevel=0.03, lift=0.9)
    sketch.turned(0.45, 0.10, 0.95, CUP, paint, tilt=0.26, gloss=0.55, inside=inside)
    return sketch


def teapot(paint: Paint, trim: Colours) -> Sketch:
    """Spout to the left, handle to the right, lid with a knob."""
    sketch = Sketch(1.72)
    grip = smooth([(1.20, 0.42), (1.42, 0.30), (1.62, 0.40), (1.60, 0.66), (1.42, 0.82), (1.18, 0.82)], closed=False)
    sketch.stroke(grip, 0.075, trim[0], bevel=0.03, lift=0.9)
    spout = [
        (0.52, 0.86),
        (0.30, 0.72),
        (0.22, 0.48),
        (0.08, 0.34),
        (0.17, 0.29),
        (0.34, 0.40),
        (0.42, 0.54),
        (0.58, 0.58),
    ]
    sketch.area(smooth(spout), trim, bevel=0.05, lift=1.0)
    sketch.turned(0.86, 0.24, 0.97, POT, paint, tilt=0.14, gloss=0.7, inside=None)
    sketch.turned(
        0.86,
        0.14,
        0.30,
        ((0, 0.20), (0.4, 0.80), (0.85, 1.12), (1, 1.10)),
        patterns.plain(trim[0]),
        tilt=0.14,
        gloss=0.7,
        inside=None,
    )
    sketch.ball(0.86, 0.115, 0.055, patterns.plain(trim[1]), gloss=0.7)
    return sketch


def fruit_bowl(paint: Paint, fruit: tuple[tuple[str, str], ...]) -> Sketch:
    """A wide bowl heaped with fruit; each fruit is its colour and blush."""
    sketch = Sketch(1.75)
    places = (
        (0.52, 0.33, 0.17),
        (1.20, 0.33, 0.17),
        (0.86, 0.20, 0.18),
        (0.70, 0.42, 0.17),
        (1.04, 0.41, 0.18),
        (0.38, 0.46, 0.15),
        (1.36, 0.46, 0.15),
    )
    for (x, y, radius), colours in zip(places, fruit * 3, strict=False):
        sketch.ball(
            x,
            y,
            radius,
            patterns.speckled(patterns.fade(colours[1], colours[0], colours[0]), colours[1], 7, 0.02),
            gloss=0.55,
        )
        sketch.stroke([(x + 0.005, y - radius * 0.86), (x + 0.03, y - radius * 1.12)], 0.014, "#5a3d25")
    front = Sketch(1.75)
    front.turned(
        0.87, 0.50, 0.97, tuple((v, r * 0.66 / 0.47 * 0.75) for v, r in BOWL), paint, tilt=0.0, gloss=0.6, inside=None
    )
    sketch.paste(front.straight(), 0, 0)
    return sketch


COBALT, CREAM, CLAY = "#1f4e9c", "#f4ead7", "#b5603c"

THINGS = (
    Thing(
        "vase-delft-flowers",
        "table",
        1.0,
        partial(
            vase,
            AMPHORA,
            patterns.waves(
                patterns.flowers(patterns.plain("#f3f1ea"), COBALT, "#f4c95d", 10, 5, (0.24, 0.80)),
                COBALT,
                0.86,
                10,
                0.008,
                0.022,
            ),
        ),
    ),
    Thing(
        "vase-terracotta-zigzag",
        "table",
        0.92,
        partial(vase, TULIP, patterns.zigzag((CLAY, CREAM, "#2f2a2a", CLAY), 12, 9, 0.8), 0.15),
    ),
    Thing(
        "vase-moon-celadon",
        "table",
        0.75,
        partial(
            vase,
            MOON,
            patterns.dipped(
                patterns.speckled(patterns.fade("#cfe0cf", "#9fbfa8"), "#5f8570", 5), "#2f6f6a", 0.34, 0.035
            ),
            0.8,
        ),
    ),
    Thing(
        "vase-bottle-amber",
        "table",
        1.05,
        partial(
            vase,
            BOTTLE,
            patterns.bands(
                (0.30, 0.34, 0.62, 0.66, 0.78, 0.82),
                ("#d98324", "#5a2a10", "#e9a13b", "#5a2a10", "#c0601c", "#5a2a10", "#8f3f14"),
            ),
            0.9,
        ),
    ),
    Thing(
        "vase-tulips-pink",
        "table",
        1.35,
        partial(
            vase,
            MOON,
            patterns.dots(patterns.fade("#fbf6ea", "#e9dcc6"), "#e07a8b", 14, 7, 0.25),
            0.6,
            ("#e8677f", "#4f8a4c", 6),
        ),
    ),
    Thing(
        "vase-daisies-indigo",
        "table",
        1.40,
        partial(
            vase,
            TULIP,
            patterns.spiral(("#2b3a67", "#e9c46a", "#2b3a67", "#4d679f"), 6, 2.0),
            0.6,
            ("#fdfaf0", "#3f7a52", 7),
        ),
    ),
    Thing(
        "mug-navy-stripe",
        "table",
        0.42,
        partial(
            mug,
            patterns.bands(
                (0.22, 0.30, 0.40, 0.48, 0.58, 0.66), (CREAM, "#22406f", CREAM, "#22406f", CREAM, "#22406f", CREAM)
            ),
            CREAM,
        ),
    ),
    Thing(
        "mug-coral-dots",
        "table",
        0.42,
        partial(mug, patterns.dots(patterns.plain("#e9694f"), "#fff3e2", 14, 5, 0.28, (0.05, 0.95)), "#d85a42"),
    ),
    Thing(
        "mug-glazed-teal",
        "table",
        0.44,
        partial(
            mug,
            patterns.dipped(patterns.speckled(patterns.plain("#d8c3a0"), "#6b4f35", 9), "#1f7a7a", 0.55, 0.04),
            "#1f7a7a",
        ),
    ),
    Thing(
        "teapot-blue-blossom",
        "table",
        0.62,
        partial(
            teapot,
            patterns.flowers(patterns.fade("#8fb8d8", "#4f86b8"), "#ffffff", "#f4c95d", 10, 4, (0.22, 0.9)),
            ("#4f86b8", "#2d5d8f"),
        ),
    ),
    Thing(
        "teapot-iron-red",
        "table",
        0.62,
        partial(
            teapot,
            patterns.dots(patterns.fade("#b5332e", "#7a1d20"), "#d9564a", 26, 13, 0.22, (0.2, 0.85)),
            ("#8f2424", "#4a1416"),
        ),
    ),
    Thing(
        "bowl-oranges-majolica",
        "table",
        0.62,
        partial(
            fruit_bowl,
            patterns.zigzag(("#1f4e9c", "#f6f0dd", "#e9b23b", "#f6f0dd"), 22, 4, 1.0),
            (("#f28c28", "#f7b34f"), ("#ef7d1a", "#f5a53b"), ("#f6c23f", "#f9dd7f")),
        ),
    ),
    Thing(
        "bowl-apples-walnut",
        "table",
        0.62,
        partial(
            fruit_bowl,
            patterns.fade("#8a5a34", "#5a3720"),
            (("#c8262c", "#e86a45"), ("#8fb93b", "#c9d96a"), ("#b01f2e", "#e0a04a")),
        ),
    ),
)
