"""What stands by the water or floats on it: lighthouses, a windmill, boats."""

from functools import partial

from app.samples import patterns
from app.samples.lathe import Paint
from app.samples.sketch import Point, Sketch, smooth
from app.samples.thing import Thing

Colours = tuple[str, str]  # top and bottom of a gradient


def lighthouse(paint: Paint, roof: Colours, gallery: str, slim: float = 1.0) -> Sketch:
    """A tapering tower, a gallery, a lamp room and a domed roof."""
    sketch = Sketch(0.42)
    tower = ((0, 0.085 * slim), (0.5, 0.105 * slim), (0.9, 0.135 * slim), (1, 0.15 * slim))
    sketch.turned(0.21, 0.21, 0.985, tower, paint, tilt=0.06, gloss=0.08, inside=None)
    for y in (0.42, 0.60, 0.78):
        sketch.box(0.198, y, 0.216, y + 0.035, "#2b2f3a", round_=0.008, bevel=0.004)
    sketch.area([(0.19, 0.985), (0.19, 0.93), (0.21, 0.915), (0.23, 0.93), (0.23, 0.985)], "#4a2f28")
    sketch.turned(
        0.21,
        0.185,
        0.215,
        ((0, 3.1 * slim), (1, 2.6 * slim)),
        patterns.plain(gallery),
        tilt=0.05,
        inside=gallery,
        gloss=0.1,
    )
    lamp = patterns.gores(("#fff3c4", "#ffe08a"), 14, seam=0.25)
    sketch.turned(
        0.21, 0.11, 0.19, ((0, 0.62 * slim), (1, 0.62 * slim)), lamp, tilt=0.05, inside=None, gloss=0.3, glow=0.8
    )
    for x in (-0.082, -0.055, -0.028, 0, 0.028, 0.055, 0.082):
        sketch.stroke([(0.21 + x * slim, 0.155), (0.21 + x * slim, 0.19)], 0.004, gallery, bevel=0)
    sketch.stroke([(0.21 - 0.085 * slim, 0.157), (0.21 + 0.085 * slim, 0.157)], 0.005, gallery, bevel=0)
    dome = ((0, 0.01), (0.25, 0.28 * slim), (0.8, 0.58 * slim), (1, 0.68 * slim))
    sketch.turned(0.21, 0.035, 0.115, dome, patterns.fade(*roof), tilt=0.05, inside=None, gloss=0.4)
    sketch.stroke([(0.21, 0.0), (0.21, 0.05)], 0.006, roof[1], bevel=0)
    return sketch


def windmill(body: Paint, cap: Colours, sails: str) -> Sketch:
    """A smock mill with four lattice sails."""
    sketch = Sketch(0.86)
    tower = ((0, 0.17), (0.3, 0.19), (1, 0.30))
    sketch.turned(0.43, 0.36, 0.985, tower, body, tilt=0.06, gloss=0.05, inside=None)
    sketch.box(0.405, 0.86, 0.455, 0.985, "#40302a", round_=0.02)
    for x, y in ((0.375, 0.66), (0.475, 0.66), (0.43, 0.52)):
        sketch.box(x - 0.014, y, x + 0.014, y + 0.05, "#ffe3a0", round_=0.004, bevel=0.003)
    sketch.area(smooth([(0.31, 0.38), (0.33, 0.29), (0.43, 0.235), (0.53, 0.29), (0.55, 0.38)]), cap, bevel=0.03)
    for along, across in (
        ((0.80, 0.60), (-0.6, 0.8)),
        ((-0.60, 0.80), (-0.8, -0.6)),
        ((-0.80, -0.60), (0.6, -0.8)),
        ((0.60, -0.80), (0.8, 0.6)),
    ):
        _sail(sketch, (0.43, 0.33), along, across, sails)
    sketch.oval(0.43, 0.33, 0.022, 0.022, "#4a3930")
    return sketch


def _sail(sketch: Sketch, hub: Point, along: Point, across: Point, cloth: str) -> None:
    def at(out: float, side: float) -> Point:
        return hub[0] + along[0] * out * 0.40 + across[0] * side, hub[1] + along[1] * out * 0.40 + across[1] * side

    sketch.area([at(0.25, 0.0), at(1.0, 0.0), at(1.0, 0.075), at(0.25, 0.075)], cloth, bevel=0.008)
    for out in (0.25, 0.4, 0.55, 0.7, 0.85, 1.0):
        sketch.stroke([at(out, -0.008), at(out, 0.078)], 0.006, "#5b4234", bevel=0)
    sketch.stroke([hub, at(1.02, 0)], 0.014, "#5b4234")


def sailing_boat(hull: Colours, stripe: str, main: Colours, jib: Colours, emblem: str | None = None) -> Sketch:
    """A sloop with mainsail and jib, heading left."""
    sketch = Sketch(0.86)
    sketch.stroke([(0.43, 0.02), (0.45, 0.84)], 0.012, "#6d4c33")
    mainsail = [(0.455, 0.04), (0.60, 0.24), (0.715, 0.50), (0.77, 0.74), (0.62, 0.765), (0.462, 0.75), (0.475, 0.40)]
    sketch.area(smooth(mainsail, steps=8), main, bevel=0.05, lift=0.7)
    for share in (0.30, 0.48, 0.63):
        sketch.stroke([(0.47, share), (0.46 + (share - 0.02) * 0.41, share + 0.015)], 0.0025, "#8b8373", bevel=0)
    foresail = [(0.425, 0.08), (0.40, 0.42), (0.41, 0.745), (0.26, 0.755), (0.10, 0.77), (0.24, 0.46)]
    sketch.area(smooth(foresail, steps=8), jib, bevel=0.05, lift=0.7)
    if emblem:
        sketch.oval(0.555, 0.47, 0.045, 0.045, emblem, bevel=0.004)
    sketch.stroke([(0.44, 0.775), (0.78, 0.785)], 0.012, "#6d4c33")
    hull_line = [
        (0.03, 0.815),
        (0.25, 0.835),
        (0.60, 0.84),
        (0.84, 0.815),
        (0.79, 0.93),
        (0.70, 0.99),
        (0.24, 0.99),
        (0.12, 0.93),
    ]
    sketch.area(smooth(hull_line, steps=10), hull, bevel=0.04, lift=0.8)
    sketch.stroke(smooth([(0.06, 0.845), (0.25, 0.865), (0.60, 0.87), (0.825, 0.848)], closed=False), 0.016, stripe)
    sketch.area(smooth([(0.48, 0.835), (0.51, 0.795), (0.66, 0.795), (0.69, 0.833)]), "#f1e6cf", bevel=0.015)
    for x in (0.54, 0.60, 0.66):
        sketch.oval(x, 0.815, 0.011, 0.011, "#2c4a5e", bevel=0.003)
    return sketch


def rowing_boat(hull: Colours, inside: str, oar: str) -> Sketch:
    """An open boat seen a little from above."""
    sketch = Sketch(2.3)
    sketch.area(
        smooth(
            [
                (0.04, 0.30),
                (0.45, 0.16),
                (1.15, 0.12),
                (1.90, 0.20),
                (2.26, 0.34),
                (1.95, 0.52),
                (1.15, 0.58),
                (0.42, 0.50),
            ]
        ),
        inside,
        bevel=0.05,
    )
    for x in (0.62, 1.12, 1.62):
        sketch.area(
            [(x, 0.15), (x + 0.16, 0.15), (x + 0.18, 0.56), (x + 0.02, 0.56)], ("#b88a57", "#8b6238"), bevel=0.02
        )
    side = [
        (0.04, 0.30),
        (0.42, 0.50),
        (1.15, 0.59),
        (1.95, 0.53),
        (2.26, 0.34),
        (2.16, 0.66),
        (1.90, 0.92),
        (1.15, 0.99),
        (0.40, 0.90),
        (0.16, 0.64),
    ]
    sketch.area(smooth(side), hull, bevel=0.09, lift=0.9)
    for y in (0.68, 0.80):
        plank = smooth([(0.20, y - 0.12), (0.60, y), (1.15, y + 0.06), (1.80, y), (2.14, y - 0.14)], closed=False)
        sketch.stroke(plank, 0.012, hull[1], bevel=0.004)
    rim = smooth([(0.04, 0.30), (0.42, 0.50), (1.15, 0.59), (1.95, 0.53), (2.26, 0.34)], closed=False)
    sketch.stroke(rim, 0.05, oar, bevel=0.02)
    sketch.stroke([(0.85, 0.02), (1.55, 0.80)], 0.035, oar, bevel=0.012)
    sketch.area(smooth([(1.50, 0.72), (1.60, 0.72), (1.80, 0.98), (1.66, 0.99)]), oar, bevel=0.012)
    return sketch


def tug(hull: Colours, house: str, funnel: str, band: str) -> Sketch:
    """A stubby harbour tug with a tall funnel."""
    sketch = Sketch(1.35)
    sketch.box(0.70, 0.10, 0.86, 0.56, funnel, round_=0.02, bevel=0.05, lift=1.0)
    sketch.box(0.695, 0.18, 0.865, 0.26, band, bevel=0.05, lift=1.0)
    sketch.box(0.36, 0.42, 1.02, 0.68, house, round_=0.03, bevel=0.03)
    sketch.box(0.38, 0.18, 0.66, 0.46, house, round_=0.03, bevel=0.03)
    sketch.box(0.35, 0.15, 0.69, 0.205, hull[0], round_=0.02, bevel=0.02)
    for x in (0.405, 0.49, 0.575):
        sketch.box(x, 0.25, x + 0.06, 0.35, ("#bfe3ea", "#6f9fb0"), round_=0.01, bevel=0.006)
    for x in (0.50, 0.70, 0.88):
        sketch.oval(x, 0.57, 0.035, 0.035, "#2a3a4a", bevel=0.008)
    sketch.stroke([(0.52, 0.02), (0.52, 0.16)], 0.012, "#5b4a3c")
    outline = [
        (0.03, 0.56),
        (0.20, 0.66),
        (0.60, 0.71),
        (1.10, 0.70),
        (1.32, 0.66),
        (1.28, 0.86),
        (1.15, 0.98),
        (0.25, 0.98),
        (0.10, 0.80),
    ]
    sketch.area(smooth(outline, steps=10), hull, bevel=0.06, lift=0.9)
    sketch.stroke(
        smooth([(0.05, 0.60), (0.20, 0.69), (0.60, 0.735), (1.10, 0.725), (1.31, 0.69)], closed=False),
        0.03,
        "#f3e9d2",
        bevel=0.01,
    )
    for x in (0.35, 0.60, 0.85, 1.08):
        sketch.ring(x, 0.80, 0.045, 0.022, "#2b2422")
    return sketch


RED, BLUE = ("#c1352b", "#7a1d1a"), ("#27518a", "#16305a")

THINGS = (
    Thing(
        "lighthouse-red-spiral",
        "landmark",
        1.0,
        partial(lighthouse, patterns.spiral(("#c8372d", "#f6efe2"), 6, 1.0), RED, "#3b3b44"),
        (0.5, 0.15, 0.5, "#ffe9a8"),
    ),
    Thing(
        "lighthouse-blue-bands",
        "landmark",
        1.05,
        partial(
            lighthouse,
            patterns.bands((0.25, 0.5, 0.75), ("#f3f1ea", "#2c5f9e", "#f3f1ea", "#2c5f9e")),
            BLUE,
            "#26364f",
            0.85,
        ),
        (0.5, 0.15, 0.5, "#ffe9a8"),
    ),
    Thing(
        "lighthouse-white-stout",
        "landmark",
        0.85,
        partial(
            lighthouse,
            patterns.dipped(patterns.fade("#f7f0df", "#d9cdb5"), "#e9a23b", 0.10, 0.0),
            ("#3f7d5a", "#1f4a38"),
            "#5a4634",
            1.25,
        ),
        (0.5, 0.15, 0.5, "#ffe9a8"),
    ),
    Thing(
        "windmill-old",
        "landmark",
        0.95,
        partial(
            windmill, patterns.checks(("#8a5a3c", "#7a4c31", "#94664a"), 40, 18), ("#5a3a2a", "#3a241b"), "#efe2c4"
        ),
    ),
    Thing(
        "sloop-white-blue",
        "water",
        1.0,
        partial(
            sailing_boat, ("#f5f2ea", "#c3c9cf"), "#24508c", ("#ffffff", "#dfe6ea"), ("#3f7fc1", "#24508c"), "#24508c"
        ),
    ),
    Thing(
        "sloop-red-sails",
        "water",
        1.0,
        partial(sailing_boat, ("#5a3422", "#2e1a12"), "#e8c27a", ("#c8402f", "#8f2620"), ("#d9603f", "#a5301f")),
    ),
    Thing(
        "sloop-saffron",
        "water",
        0.95,
        partial(
            sailing_boat, ("#1f5f5b", "#103a3a"), "#f4e3b2", ("#f6b93b", "#d98a1c"), ("#fdf3d6", "#ecd9a5"), "#1f5f5b"
        ),
    ),
    Thing("rowing-boat-green", "water", 0.28, partial(rowing_boat, ("#3f8f6b", "#1f5a45"), "#6b4a30", "#c89b62")),
    Thing("tug-orange", "water", 0.62, partial(tug, ("#e2662c", "#93351a"), "#f4ead6", "#2b2f3a", "#e2b23c")),
)
