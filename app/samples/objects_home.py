"""What sits on window sills: cats and pot plants."""

from functools import partial

import numpy as np

from app.samples import patterns
from app.samples.lathe import Paint
from app.samples.sketch import Point, Sketch, smooth
from app.samples.thing import Thing

Colours = tuple[str, str]


def sitting_cat(coat: Colours, patches: tuple[str, ...], eyes: str, chest: str | None = None) -> Sketch:
    """From the front, tail curled to the right; patches are stripes on back and head."""
    sketch = Sketch(0.78)
    sketch.stroke(
        smooth([(0.50, 0.93), (0.66, 0.95), (0.735, 0.86), (0.70, 0.74), (0.64, 0.72)], closed=False),
        0.062,
        coat[1],
        bevel=0.025,
        lift=0.9,
    )
    body = [
        (0.27, 0.40),
        (0.45, 0.40),
        (0.545, 0.58),
        (0.60, 0.80),
        (0.55, 0.965),
        (0.18, 0.965),
        (0.12, 0.80),
        (0.18, 0.58),
    ]
    sketch.area(smooth(body), coat, bevel=0.07, lift=1.0)
    for side in (-1, 1):
        sketch.stroke([(0.36 + 0.055 * side, 0.66), (0.36 + 0.06 * side, 0.95)], 0.085, coat, bevel=0.03, lift=0.8)
        sketch.oval(0.36 + 0.066 * side, 0.955, 0.052, 0.030, coat[0], bevel=0.014)
    if chest:
        sketch.area(smooth([(0.27, 0.42), (0.45, 0.42), (0.42, 0.58), (0.36, 0.68), (0.30, 0.58)]), chest, bevel=0.03)
    for index, y in enumerate(np.linspace(0.52, 0.82, len(patches) * 2)):
        for side in (-1, 1):
            edge = 0.17 + 0.10 * (y - 0.5)
            stripe = [(0.36 + side * edge, y), (0.36 + side * edge * 0.72, y + 0.02)]
            sketch.stroke(stripe, 0.022, patches[index % len(patches)], bevel=0.006)
    head = [
        (0.17, 0.26),
        (0.155, 0.07),
        (0.27, 0.155),
        (0.45, 0.155),
        (0.565, 0.07),
        (0.55, 0.26),
        (0.52, 0.36),
        (0.42, 0.425),
        (0.30, 0.425),
        (0.20, 0.36),
    ]
    sketch.area(smooth(head, steps=8), coat, bevel=0.05, lift=1.0)
    for side in (-1, 1):
        sketch.area(
            [(0.36 + 0.175 * side, 0.115), (0.36 + 0.165 * side, 0.19), (0.36 + 0.115 * side, 0.175)],
            "#c98a86",
            bevel=0.008,
        )
        sketch.oval(0.36 + 0.085 * side, 0.275, 0.040, 0.033, eyes, bevel=0.012)
        sketch.oval(0.36 + 0.085 * side, 0.275, 0.012, 0.030, "#161312", bevel=0)
        sketch.oval(0.35 + 0.085 * side, 0.264, 0.008, 0.008, "#ffffff", bevel=0)
        for lift in (-0.012, 0.006, 0.022):
            sketch.stroke(
                [(0.36 + 0.06 * side, 0.355 + lift * 0.4), (0.36 + 0.235 * side, 0.345 + lift)],
                0.003,
                "#f2ede2",
                bevel=0,
            )
    for x in (0.325, 0.36, 0.395) if patches else ():
        sketch.stroke([(x, 0.165), (x, 0.215)], 0.014, patches[0], bevel=0)
    sketch.area([(0.34, 0.335), (0.38, 0.335), (0.36, 0.36)], "#b5706c", bevel=0.004)
    return sketch


def resting_cat(coat: Colours, patches: tuple[tuple[float, float, float, str], ...], eyes: str) -> Sketch:
    """Lying loaf-like, looking at the viewer; patches are (x, y, radius, colour)."""
    sketch = Sketch(1.75)
    sketch.stroke(
        smooth([(1.45, 0.86), (1.66, 0.88), (1.70, 0.74), (1.58, 0.66)], closed=False),
        0.10,
        coat[1],
        bevel=0.04,
        lift=0.9,
    )
    sketch.area(
        smooth(
            [
                (0.36, 0.55),
                (0.75, 0.34),
                (1.20, 0.32),
                (1.52, 0.52),
                (1.60, 0.82),
                (1.45, 0.97),
                (0.40, 0.97),
                (0.26, 0.80),
            ]
        ),
        coat,
        bevel=0.10,
        lift=1.0,
    )
    for x, y, radius, colour in patches:
        sketch.area(
            smooth(
                [
                    (x - radius, y),
                    (x - radius * 0.3, y - radius * 0.8),
                    (x + radius, y - radius * 0.3),
                    (x + radius * 0.6, y + radius * 0.8),
                ]
            ),
            colour,
            bevel=0.03,
        )
    for x in (0.42, 0.66):
        sketch.oval(x, 0.93, 0.14, 0.055, coat[0], bevel=0.025)
    head = [
        (0.20, 0.38),
        (0.17, 0.10),
        (0.34, 0.22),
        (0.58, 0.22),
        (0.75, 0.10),
        (0.73, 0.38),
        (0.70, 0.55),
        (0.56, 0.65),
        (0.36, 0.65),
        (0.23, 0.55),
    ]
    sketch.area(smooth(head, steps=8), coat, bevel=0.07, lift=1.0)
    if patches:
        sketch.area(
            smooth([(0.46, 0.20), (0.60, 0.24), (0.72, 0.14), (0.72, 0.38), (0.60, 0.44), (0.48, 0.34)]),
            patches[0][3],
            bevel=0.03,
        )
    for side in (-1, 1):
        sketch.stroke(
            smooth([(0.46 + 0.17 * side, 0.40), (0.46 + 0.125 * side, 0.43), (0.46 + 0.07 * side, 0.40)], closed=False),
            0.028,
            eyes,
            bevel=0,
        )
        for lift in (-0.02, 0.012, 0.04):
            sketch.stroke(
                [(0.46 + 0.09 * side, 0.52 + lift * 0.3), (0.46 + 0.36 * side, 0.50 + lift)], 0.005, "#f2ede2", bevel=0
            )
    sketch.area([(0.43, 0.485), (0.49, 0.485), (0.46, 0.525)], "#c98a86", bevel=0.006)
    return sketch


def cactus(pot: Paint, bloom: str) -> Sketch:
    sketch = Sketch(0.72)
    ribs = patterns.gores(("#5fa463", "#4a8c53"), 22, 0.25)
    arm = ((0, 0.02), (0.08, 0.12), (0.25, 0.16), (0.9, 0.15), (1, 0.12))
    sketch.stroke(
        smooth([(0.30, 0.48), (0.15, 0.45), (0.13, 0.30)], closed=False), 0.085, "#4f9158", bevel=0.03, lift=1.0
    )
    sketch.stroke(
        smooth([(0.42, 0.40), (0.56, 0.38), (0.58, 0.22)], closed=False), 0.075, "#4f9158", bevel=0.03, lift=1.0
    )
    sketch.turned(0.36, 0.06, 0.68, arm, ribs, tilt=0.0, gloss=0.1, inside=None)
    for x, y in ((0.36, 0.055), (0.13, 0.25), (0.58, 0.17)):
        for turn in np.arange(5) * 2 * np.pi / 5:
            sketch.oval(x + 0.028 * np.cos(turn), y + 0.022 * np.sin(turn), 0.024, 0.022, bloom, bevel=0.010)
        sketch.oval(x, y, 0.016, 0.014, "#f9d976", bevel=0.006)
    sketch.turned(
        0.36,
        0.63,
        0.97,
        ((0, 0.56), (0.16, 0.56), (0.17, 0.50), (1, 0.38)),
        pot,
        tilt=0.10,
        gloss=0.3,
        inside="#3d2a20",
    )
    return sketch


def leafy_plant(pot: Paint, leaf: Colours) -> Sketch:
    """Big split leaves on long stems."""
    sketch = Sketch(0.95)
    for tip, size, lean in (
        ((0.24, 0.40), 0.16, -0.9),
        ((0.74, 0.42), 0.15, 0.8),
        ((0.35, 0.22), 0.16, -0.35),
        ((0.64, 0.24), 0.17, 0.4),
        ((0.48, 0.36), 0.15, 0.05),
    ):
        sketch.stroke(
            smooth([(0.48, 0.70), (0.48 + (tip[0] - 0.48) * 0.35, 0.5), tip], closed=False), 0.014, leaf[1], bevel=0.005
        )
        _split_leaf(sketch, tip, size, lean, leaf)
    sketch.turned(
        0.48, 0.66, 0.97, ((0, 0.60), (0.12, 0.60), (0.5, 0.55), (1, 0.42)), pot, tilt=0.10, gloss=0.4, inside="#3d2a20"
    )
    return sketch


def _split_leaf(sketch: Sketch, at: Point, size: float, lean: float, leaf: Colours) -> None:
    turn = np.linspace(-np.pi, np.pi, 60, endpoint=False)
    notch = 1 - 0.32 * np.clip(np.cos(turn * 5) - 0.55, 0, 1) / 0.45 * (np.abs(turn) > 0.6)
    reach = size * (0.55 + 0.45 * np.cos(turn / 2) ** 0.7) * notch
    x, y = reach * np.sin(turn), -reach * np.cos(turn)
    sine, cosine = np.sin(lean), np.cos(lean)
    outline = [(at[0] + a * cosine - b * sine, at[1] + a * sine + b * cosine) for a, b in zip(x, y, strict=True)]
    sketch.area(outline, leaf, bevel=0.03, lift=0.9)
    sketch.stroke([at, (at[0] + sine * size * 0.9, at[1] - cosine * size * 0.9)], 0.006, leaf[1], bevel=0)


THINGS = (
    Thing("cat-black", "sill", 1.0, partial(sitting_cat, ("#35333a", "#17161b"), (), "#d8b93f")),
    Thing(
        "cat-ginger-tabby",
        "sill",
        1.0,
        partial(sitting_cat, ("#e8a05a", "#b8642a"), ("#a8531f", "#c4702f"), "#7fa84a", "#fbeedb"),
    ),
    Thing(
        "cat-calico-resting",
        "sill",
        0.62,
        partial(
            resting_cat,
            ("#f8efe2", "#d3c3b2"),
            ((1.0, 0.50, 0.20, "#c9743a"), (1.35, 0.66, 0.16, "#3a3231")),
            "#3a3231",
        ),
    ),
    Thing(
        "cactus-painted-pot",
        "sill",
        0.85,
        partial(cactus, patterns.zigzag(("#e4572e", "#f6e7c8", "#2a7f9e", "#f6e7c8"), 14, 5, 0.7), "#e85d92"),
    ),
    Thing(
        "monstera-white-pot",
        "sill",
        1.15,
        partial(leafy_plant, patterns.dipped(patterns.plain("#f4efe4"), "#33302e", 0.42, 0.0), ("#4f9a5a", "#1f5a38")),
    ),
)
