"""What flies: hot-air balloons, kites, an airship, a biplane."""

from functools import partial

from app.samples import patterns
from app.samples.lathe import Paint
from app.samples.sketch import SUPERSAMPLING, Sketch, smooth
from app.samples.thing import Thing

ENVELOPE = (
    (0, 0.0),
    (0.04, 0.16),
    (0.16, 0.315),
    (0.34, 0.405),
    (0.52, 0.395),
    (0.70, 0.30),
    (0.86, 0.165),
    (1, 0.085),
)


def balloon(paint: Paint, skirt: str) -> Sketch:
    """An envelope over a wicker basket."""
    sketch = Sketch(0.70)
    for x in (0.305, 0.332, 0.368, 0.395):
        sketch.stroke([(x, 0.80), (0.35 + (x - 0.35) * 0.75, 0.93)], 0.0035, "#4a3a2c", bevel=0)
    sketch.turned(0.35, 0.79, 0.835, ((0, 0.75), (1, 0.55)), patterns.plain(skirt), tilt=0.1, inside=None, gloss=0.1)
    sketch.turned(0.35, 0.0, 0.80, ENVELOPE, paint, tilt=0.07, gloss=0.22, inside=None)
    wicker = patterns.checks(("#9a6a3a", "#7c5129", "#b07d48"), 30, 9)
    sketch.turned(
        0.35, 0.915, 0.99, ((0, 0.50), (0.2, 0.47), (1, 0.40)), wicker, tilt=0.12, gloss=0.0, inside="#2c1d12"
    )
    return sketch


def kite(cloth: tuple[str, str, str, str], tail: tuple[str, ...]) -> Sketch:
    """A four-panelled diamond with a bow-tied tail."""
    sketch = Sketch(0.75)
    path = smooth([(0.34, 0.60), (0.40, 0.70), (0.30, 0.79), (0.40, 0.88), (0.33, 0.98)], closed=False)
    sketch.stroke(path, 0.006, "#5a4a44", bevel=0)
    for index, (x, y) in enumerate(path[8::12]):
        colour = tail[index % len(tail)]
        for side in (-1, 1):
            sketch.area([(x, y), (x + 0.055 * side, y - 0.028), (x + 0.055 * side, y + 0.028)], colour)
    top, left, right, bottom, heart = (0.38, 0.0), (0.08, 0.24), (0.66, 0.22), (0.34, 0.62), (0.37, 0.23)
    for fill, panel in zip(cloth, ((top, left), (top, right), (left, bottom), (right, bottom)), strict=True):
        sketch.area([panel[0], panel[1], heart], fill, bevel=0.02, lift=0.4)
    sketch.stroke([top, bottom], 0.007, "#6d5138")
    sketch.stroke([left, heart, right], 0.007, "#6d5138")
    return sketch


def delta_kite(wing: tuple[str, str], keel: str, streamer: str) -> Sketch:
    """A wide triangle with a keel and two ribbons."""
    sketch = Sketch(1.35)
    for x, sway in ((0.55, -0.05), (0.80, 0.05)):
        ribbon = smooth([(x, 0.44), (x + sway, 0.60), (x - sway, 0.78), (x + sway, 0.98)], closed=False)
        sketch.stroke(ribbon, 0.022, streamer, bevel=0.008)
    sketch.area([(0.67, 0.02), (0.02, 0.44), (0.67, 0.56)], (wing[0], wing[1]), bevel=0.03, lift=0.4)
    sketch.area([(0.67, 0.02), (1.33, 0.44), (0.67, 0.56)], (wing[1], wing[0]), bevel=0.03, lift=0.4)
    for side in (-1, 1):
        sketch.area(
            [(0.67, 0.16), (0.67 + 0.37 * side, 0.395), (0.67 + 0.20 * side, 0.455), (0.67, 0.30)], keel, bevel=0.01
        )
    sketch.area([(0.67, 0.16), (0.63, 0.62), (0.70, 0.62)], keel, bevel=0.01)
    return sketch


def airship(body: Paint, fins: str) -> Sketch:
    """A cigar on its side: turned upright, then laid down."""
    sketch = Sketch(2.9)
    for tip, root in ((0.02, 0.30), (0.98, 0.70)):
        sketch.area([(2.42, root), (2.80, tip), (2.88, tip), (2.80, 0.5)], fins, bevel=0.03)
    length = round(2.75 * sketch.scale / SUPERSAMPLING)
    upright = Sketch(0.4, height_px=length)
    profile = ((0, 0.0), (0.06, 0.075), (0.25, 0.145), (0.5, 0.155), (0.8, 0.105), (1, 0.01))
    upright.turned(0.2, 0.0, 1.0, profile, body, tilt=0.0, gloss=0.25, inside=None)
    laid = upright.straight().transpose(1, 0, 2)[::-1]
    sketch.paste(laid, 0, round(0.49 * sketch.scale) - laid.shape[0] // 2)
    sketch.box(1.15, 0.90, 1.75, 1.0, ("#6b4a33", "#3c2a20"), round_=0.04)
    for x in (1.22, 1.34, 1.46, 1.58):
        sketch.box(x, 0.918, x + 0.07, 0.955, "#ffe7a8", round_=0.01, bevel=0)
    return sketch


def biplane(body: tuple[str, str], wings: tuple[str, str], mark: str) -> Sketch:
    """Seen from the side, nose to the left."""
    sketch = Sketch(1.75)
    sketch.area(smooth([(1.50, 0.52), (1.58, 0.16), (1.70, 0.14), (1.72, 0.50)]), wings, bevel=0.02)
    hull = [
        (0.16, 0.46),
        (0.20, 0.36),
        (0.55, 0.34),
        (0.80, 0.38),
        (1.70, 0.46),
        (1.70, 0.54),
        (0.80, 0.68),
        (0.28, 0.68),
        (0.17, 0.60),
    ]
    sketch.area(smooth(hull), body, bevel=0.05, lift=0.8)
    for x in (0.42, 0.78):
        sketch.stroke([(x, 0.20), (x + 0.06, 0.70)], 0.016, "#7a6048")
        sketch.stroke([(x + 0.06, 0.20), (x, 0.70)], 0.005, "#4b4038", bevel=0)
    sketch.area(smooth([(0.66, 0.36), (0.70, 0.26), (0.78, 0.25), (0.84, 0.37)]), "#3a2c28", bevel=0.01)
    sketch.oval(0.76, 0.27, 0.045, 0.05, "#c99b74")
    sketch.stroke([(0.36, 0.70), (0.40, 0.86)], 0.018, "#4b4038")
    sketch.stroke([(0.66, 0.70), (0.46, 0.86)], 0.018, "#4b4038")
    sketch.oval(0.43, 0.89, 0.085, 0.085, "#2c2a2b")
    sketch.oval(0.43, 0.89, 0.04, 0.04, "#b9b3a5")
    sketch.box(0.26, 0.155, 0.98, 0.215, wings, round_=0.03, bevel=0.02)
    sketch.box(0.28, 0.655, 0.94, 0.715, wings, round_=0.03, bevel=0.02)
    sketch.oval(1.22, 0.52, 0.085, 0.085, "#f7f1e3", bevel=0)
    sketch.oval(1.22, 0.52, 0.055, 0.055, mark, bevel=0)
    sketch.oval(0.145, 0.51, 0.045, 0.075, "#d7b24a", bevel=0.02)
    sketch.oval(0.115, 0.51, 0.012, 0.36, "#8a7a66", bevel=0.006)
    return sketch


BURNER = (0.5, 0.42, 0.26, "#ff9a4a")  # the flame lights the envelope from within


def _cross(codes: tuple[str, ...]) -> Paint:
    return patterns.zigzag(codes, 12, 7, 0.9)


THINGS = (
    Thing(
        "balloon-red-gores", "sky", 1.0, partial(balloon, patterns.gores(("#d8352f", "#f7ead2"), 16), "#a5271f"), BURNER
    ),
    Thing(
        "balloon-rainbow-zigzag",
        "sky",
        1.05,
        partial(balloon, _cross(("#e4572e", "#f3a712", "#f7e7a1", "#2a9d8f", "#2d5d9f", "#6d3b8e")), "#6d3b8e"),
        BURNER,
    ),
    Thing(
        "balloon-harlequin",
        "sky",
        0.95,
        partial(balloon, patterns.diamonds(("#1d3557", "#f1c453", "#e9f1f2", "#2a7f9e"), 12, 7), "#1d3557"),
        BURNER,
    ),
    Thing(
        "balloon-green-bands",
        "sky",
        1.0,
        partial(
            balloon,
            patterns.bands(
                (0.14, 0.28, 0.42, 0.50, 0.58, 0.72, 0.86),
                ("#14532d", "#3f8f4f", "#a7cf7a", "#fdf3cf", "#e76f51", "#fdf3cf", "#a7cf7a", "#3f8f4f"),
            ),
            "#14532d",
        ),
        BURNER,
    ),
    Thing(
        "balloon-violet-dots",
        "sky",
        0.9,
        partial(
            balloon, patterns.dots(patterns.fade("#7b2d8b", "#c04a86", "#f08a7e"), "#fff0d0", 14, 9, 0.27), "#7b2d8b"
        ),
        BURNER,
    ),
    Thing(
        "kite-diamond-fire",
        "sky",
        0.55,
        partial(kite, ("#e63946", "#f4a261", "#f4a261", "#ffd166"), ("#e63946", "#ffd166", "#2a9d8f")),
    ),
    Thing(
        "kite-diamond-sea",
        "sky",
        0.55,
        partial(kite, ("#1d4e89", "#52b2cf", "#f7f3e3", "#1d4e89"), ("#52b2cf", "#f7c59f")),
    ),
    Thing("kite-delta-magenta", "sky", 0.40, partial(delta_kite, ("#d81159", "#8f2d56"), "#ffbc42", "#0496ff")),
    Thing(
        "airship-silver",
        "sky",
        0.36,
        partial(
            airship,
            patterns.bands((0.16, 0.20, 0.78, 0.82), ("#c8553d", "#f2e8cf", "#bfc9cf", "#f2e8cf", "#c8553d")),
            "#c8553d",
        ),
    ),
    Thing("biplane-yellow", "sky", 0.36, partial(biplane, ("#f6c445", "#c98a1c"), ("#c23b3b", "#8f2424"), "#2b4c7e")),
)
