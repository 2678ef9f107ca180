"""What else stands on tables: lamps, a radio, a clock, a camera."""

from functools import partial

import numpy as np

from app.samples import patterns
from app.samples.lathe import Paint
from app.samples.sketch import Point, Sketch, smooth
from app.samples.thing import Thing

Profile = tuple[Point, ...]

Colours = tuple[str, str]


def table_lamp(base: Paint, profile: Profile, shade: Paint) -> Sketch:
    sketch = Sketch(0.72)
    sketch.turned(0.36, 0.44, 0.97, profile, base, tilt=0.14, gloss=0.6, inside=None)
    sketch.box(0.345, 0.38, 0.375, 0.46, ("#d9b45b", "#8a6a26"), bevel=0.012)
    sketch.turned(0.36, 0.06, 0.42, ((0, 0.52), (1, 0.93)), shade, tilt=0.09, gloss=0.0, inside="#fff0c2", glow=0.65)
    return sketch


def radio(case: Colours, cloth: str, dial: str) -> Sketch:
    """A rounded valve radio with a speaker cloth and a lit dial."""
    sketch = Sketch(1.5)
    sketch.stroke(
        smooth([(0.35, 0.20), (0.40, 0.06), (1.10, 0.06), (1.15, 0.20)], closed=False), 0.05, "#e8dcc4", bevel=0.02
    )
    for x in (0.20, 1.22):
        sketch.box(x, 0.90, x + 0.09, 0.98, "#3a2a20", round_=0.02)
    sketch.box(0.04, 0.17, 1.46, 0.93, case, round_=0.14, bevel=0.06, lift=1.0)
    sketch.box(0.12, 0.26, 0.80, 0.84, cloth, round_=0.06, bevel=0.02, lift=-0.6)
    for y in np.linspace(0.30, 0.80, 11):
        sketch.stroke([(0.16, y), (0.76, y)], 0.014, case[1], bevel=0.005)
    sketch.oval(1.12, 0.46, 0.235, 0.235, ("#f6e9c8", "#d8c08a"), bevel=0.02)
    sketch.oval(1.12, 0.46, 0.205, 0.205, dial, bevel=0.01)
    for turn in np.linspace(-2.6, -0.5, 12):
        inner, outer = ((1.12 + r * np.cos(turn), 0.46 + r * np.sin(turn)) for r in (0.135, 0.175))
        sketch.stroke([inner, outer], 0.009, "#fff3cf", bevel=0)
    sketch.stroke([(1.12, 0.46), (1.22, 0.34)], 0.012, "#e4572e", bevel=0)
    for x in (0.96, 1.28):
        sketch.oval(x, 0.80, 0.062, 0.062, ("#f4e6c6", "#a88b52"), bevel=0.025, lift=1.0)
    return sketch


def alarm_clock(case: Colours, face: str, hands: str) -> Sketch:
    """A twin-bell alarm clock at ten past ten."""
    sketch = Sketch(0.92)
    for x, foot in ((0.20, 0.12), (0.72, 0.80)):
        sketch.stroke([(x, 0.84), (foot, 0.96)], 0.045, case[1], bevel=0.016)
    sketch.stroke([(0.46, 0.10), (0.46, 0.24)], 0.03, case[1], bevel=0.012)
    for x, lean in ((0.24, -0.05), (0.68, 0.05)):
        dome = [(x - 0.15, 0.20 - lean), (x - 0.10, 0.07), (x, 0.025), (x + 0.10, 0.07), (x + 0.15, 0.20 + lean)]
        sketch.area(smooth(dome), ("#f3d98b", "#9c752a"), bevel=0.03, lift=1.0)
    sketch.oval(0.46, 0.57, 0.385, 0.385, case, bevel=0.05, lift=1.1)
    sketch.oval(0.46, 0.57, 0.315, 0.315, face, bevel=0.02, lift=-0.5)
    for hour in range(12):
        turn = hour * np.pi / 6
        dot = (0.46 + 0.26 * np.cos(turn), 0.57 + 0.26 * np.sin(turn))
        sketch.oval(*dot, 0.020 if hour % 3 == 0 else 0.010, 0.020 if hour % 3 == 0 else 0.010, hands, bevel=0)
    sketch.stroke([(0.46, 0.57), (0.34, 0.48)], 0.028, hands, bevel=0)
    sketch.stroke([(0.46, 0.57), (0.65, 0.43)], 0.020, hands, bevel=0)
    sketch.oval(0.46, 0.57, 0.024, 0.024, "#c8402f", bevel=0.008)
    return sketch


def camera(leather: Colours, metal: Colours) -> Sketch:
    """A rangefinder camera seen from the front."""
    sketch = Sketch(1.5)
    for x, width in ((0.20, 0.20), (1.05, 0.12), (1.22, 0.14)):
        sketch.box(x, 0.05, x + width, 0.20, ("#efefec", "#8f8f8c"), round_=0.02, bevel=0.02)
    sketch.box(0.04, 0.15, 1.46, 0.97, metal, round_=0.10, bevel=0.04, lift=0.9)
    sketch.box(0.04, 0.36, 1.46, 0.83, leather, bevel=0.02)
    for x, width in ((0.16, 0.14), (0.66, 0.17), (1.16, 0.17)):
        sketch.box(x, 0.20, x + width, 0.31, ("#6f8794", "#22303a"), round_=0.015, bevel=0.008)
    for radius, fill in (
        (0.335, ("#f3f3f0", "#8a8a88")),
        (0.285, ("#3b3b3e", "#1c1c1f")),
        (0.245, ("#d9d9d6", "#7a7a78")),
        (0.205, ("#2a2a2d", "#111113")),
        (0.145, ("#31505f", "#0d1a22")),
    ):
        sketch.oval(0.75, 0.60, radius, radius, fill, bevel=0.02)
    sketch.oval(0.70, 0.55, 0.045, 0.035, "#a8cfe0", bevel=0.02)
    sketch.oval(0.80, 0.66, 0.022, 0.018, "#7d5f9a", bevel=0.01)
    return sketch


LAMP_GOURD = ((0, 0.06), (0.15, 0.10), (0.40, 0.27), (0.70, 0.38), (0.92, 0.26), (1, 0.28))

LAMP_COLUMN = ((0, 0.05), (0.10, 0.09), (0.50, 0.075), (0.80, 0.10), (0.88, 0.26), (1, 0.30))

THINGS = (
    Thing(
        "lamp-green-gourd",
        "table",
        1.45,
        partial(table_lamp, patterns.fade("#2f6f5a", "#1a453a"), LAMP_GOURD, patterns.fade("#fff1cf", "#ffdf9a")),
        (0.5, 0.30, 0.55, "#ffcf7a"),
    ),
    Thing(
        "lamp-brass-pleats",
        "table",
        1.45,
        partial(
            table_lamp,
            patterns.fade("#e0b85a", "#8f6a24"),
            LAMP_COLUMN,
            patterns.gores(("#f2a2a0", "#e98b8b"), 34, 0.3),
        ),
        (0.5, 0.30, 0.55, "#ffb08a"),
    ),
    Thing("radio-walnut", "table", 0.72, partial(radio, ("#8f5a33", "#4f2d18"), "#d8c08f", "#33534f")),
    Thing("alarm-clock-red", "table", 0.52, partial(alarm_clock, ("#d8402f", "#8a1f1a"), "#fbf4e2", "#2b2622")),
    Thing("camera-chrome", "table", 0.46, partial(camera, ("#3a2f2b", "#211a18"), ("#e3e2dd", "#9a9994"))),
)
