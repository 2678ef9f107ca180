"""Scenes by the sea: beach, headland, open water."""

from collections.abc import Sequence

import numpy as np

from app.samples import flora, noise, scenery
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, mix, rgb
from app.samples.place import place
from app.samples.scene import Cast, Scene

SEA, DAYS = "#2f7f9a", ("noon", "morning", "golden", "sunset", "dusk", "teal", "rose", "overcast", "night", "dawn")


def fly(canvas: Canvas, names: Sequence[str], low: float, size: tuple[float, float] = (0.16, 0.34)) -> None:
    """Spread things over the sky above `low`, the far ones smaller and hazier."""
    rng = canvas.rng
    places = (np.arange(len(names)) + rng.uniform(0.25, 0.75, len(names))) / max(1, len(names))
    for x, name in zip(rng.permutation(places), names, strict=True):
        height = rng.uniform(*size)
        foot = rng.uniform(min(height + 0.04, low - 0.02), max(height + 0.05, low))
        near = (height - size[0]) / (size[1] - size[0])
        place(canvas, name, 0.08 + 0.84 * x, foot, height, turn=rng.uniform(-7, 7), haze=0.22 * (1 - near))


def float_on(canvas: Canvas, names: Sequence[str], horizon: float, low: float, size: tuple[float, float]) -> None:
    """Spread boats over the water; nearer is lower and larger."""
    rng = canvas.rng
    order = np.sort(rng.uniform(0.0, 1.0, len(names)))
    lanes = (np.arange(len(names)) + rng.uniform(0.3, 0.7, len(names))) / max(1, len(names))
    for near, x, name in zip(order, rng.permutation(lanes), names, strict=True):
        foot = horizon + 0.025 + (low - horizon - 0.025) * near
        height = size[0] + (size[1] - size[0]) * near
        place(
            canvas,
            name,
            0.10 + 0.80 * x,
            foot,
            height,
            turn=rng.uniform(-4, 4),
            haze=0.25 * (1 - near),
            reflection=0.55,
        )


def beach(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.42, 0.54)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.2, 0.9))
    scenery.mountains(canvas, horizon + 0.01, rng.uniform(0.03, 0.12), land.far, 0.62, cells=2.5)
    fly(canvas, cast.get("sky", ()), horizon - 0.03)
    scenery.water(canvas, horizon, rng.choice([SEA, "#2a8f8f", "#3f8fb5"]), sun, 0.45)
    float_on(canvas, cast.get("water", ()), horizon, horizon + 0.12, (0.14, 0.27))
    shore = _sand(canvas, horizon + rng.uniform(0.20, 0.27))
    for name in cast.get("road", ()):
        size = 0.44 * min(1.0, canvas.aspect / 1.35) * rng.uniform(0.75, 1.0)
        x = rng.uniform(0.3, 0.7)
        place(
            canvas,
            name,
            x,
            rng.uniform(0.90, 0.95),
            size,
            shadow=0.6,
            lean=_lean(sun),
        )
    if rng.random() < 0.7:
        _marram(canvas, shore, land)


def _lean(sun: tuple[float, float]) -> float:
    """Shadows fall away from the sun."""
    return 0.9 * (0.5 - sun[0]) + (0.25 if sun[0] < 0.5 else -0.25)


def _sand(canvas: Canvas, at: float) -> np.ndarray:
    """A beach with foam and a wet edge; returns the shoreline (W,)."""
    rng = canvas.rng
    tilt = rng.uniform(-0.10, 0.10)
    shore = at + tilt * (canvas.x[0] - 0.5) + 0.018 * noise.line(rng, canvas.width, 2.2, 3)
    y = canvas.y
    depth = y - shore[None, :]
    swash = 0.006 * noise.line(rng, canvas.width, 14, 3)[None, :]
    for offset, strength in ((-0.060, 0.35), (-0.028, 0.55)):
        foam = np.exp(-(((depth - offset + swash * 2.5) / 0.006) ** 2)) * strength
        canvas.cover(
            foam * (0.4 + noise.field(rng, *foam.shape, (50, 30 * canvas.aspect), 2)),
            rgb("#ffffff") * rgb(canvas.light.tint),
        )
    dry = scenery.ground_colour(canvas, rng.choice(["#ecd3a2", "#e6c9a0", "#f0dcc0"]), 0.0)
    wet = dry * 0.62
    share = ramp(depth, 0.015, 0.09)[..., None]
    ripple = noise.field(rng, canvas.height, canvas.width, (60, 12 * canvas.aspect), 3, 0.6)[..., None]
    swells = noise.field(rng, canvas.height, canvas.width, (4, 4 * canvas.aspect), 3)[..., None]
    colour = (wet + (dry - wet) * share) * (0.86 + 0.14 * ripple + 0.16 * swells)
    canvas.cover(np.clip((depth + swash) * canvas.height * 0.6, 0, 1), colour)
    foam = np.exp(-(((depth + swash) / 0.0055) ** 2))
    canvas.cover(np.clip(foam * 1.1, 0, 0.92), rgb("#ffffff") * rgb(canvas.light.tint))
    return shore


def _marram(canvas: Canvas, shore: np.ndarray, land: Land) -> None:
    """Dune grass in the lower corners, dark against the light."""
    marks = flora.Marks(canvas, float(shore.min()))
    side = canvas.rng.choice([0.0, 1.0])
    for _ in range(round(170 * canvas.aspect)):
        x = side + (1 - 2 * side) * canvas.rng.exponential(0.10)
        px, py = marks.at(x, 1.02 - 0.02 * canvas.rng.random())
        tall = marks.scale * canvas.rng.uniform(0.06, 0.22) * np.exp(-abs(x - side) * 4)
        bend = tall * canvas.rng.normal(0.25, 0.35)
        marks.polygon(
            [
                (px - tall * 0.02, py),
                (px + bend * 0.35, py - tall * 0.6),
                (px + bend, py - tall),
                (px + tall * 0.03, py),
            ],
            canvas.rng.uniform(0.7, 1.35),
        )
    marks.lay(scenery.ground_colour(canvas, land.trees, 0.0))


def headland(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.60, 0.70)
    side = rng.choice([-1, 1])
    sun = scenery.sky(canvas, horizon, rng.uniform(0.3, 1.0), sun_x=0.5 - side * rng.uniform(0.1, 0.35))
    scenery.mountains(canvas, horizon + 0.01, rng.uniform(0.04, 0.14), land.far, 0.6, cells=2.0)
    fly(canvas, cast.get("sky", ()), horizon - 0.12, (0.12, 0.24))
    scenery.water(canvas, horizon, SEA, sun, rng.uniform(0.2, 0.6))
    float_on(canvas, cast.get("water", ()), horizon, horizon + 0.16, (0.12, 0.26))
    x = 0.5 + side * rng.uniform(0.17, 0.30)
    top = horizon - rng.uniform(0.0, 0.07)
    crest = _cliff(canvas, x, top, int(side), land)
    for name in cast["landmark"]:
        foot = crest[int(x * canvas.width)] + 0.02
        place(canvas, name, x, foot, min(rng.uniform(0.46, 0.58), foot - 0.03))
    _turf(canvas, crest, land)


def _cliff(canvas: Canvas, x: float, top: float, side: int, land: Land) -> np.ndarray:
    """A rocky point that runs out of the picture on one side; returns its crest (W,)."""
    rng = canvas.rng
    out = (canvas.x[0] - x) * side
    crest = (
        top
        + 0.62 * ramp(out, -0.10, -0.34)
        + 0.05 * np.clip(out, 0, None)
        + 0.012 * noise.line(rng, canvas.width, 9, 4)
    )
    depth = canvas.y - crest[None, :]
    rough = noise.field(rng, canvas.height, canvas.width, (12, 12 * canvas.aspect), 4, 0.6)
    stone = scenery.ground_colour(canvas, str(rng.choice(["#9c8a78", "#85868e", "#b09678", "#94807a"])), 0.06)
    inside = np.clip(depth * canvas.height, 0, 1)
    canvas.cover(inside, stone * (0.42 + 0.12 * rough)[..., None])
    _boulders(canvas, crest, side, stone, inside, rough)
    turf = scenery.ground_colour(canvas, land.near, 0.05) * (0.80 + 0.40 * rough[..., None])
    canvas.cover(inside * ramp(depth + 0.10 * (rough - 0.5), 0.075, 0.045), turf)
    return crest


def _boulders(
    canvas: Canvas, crest: np.ndarray, side: int, stone: np.ndarray, inside: np.ndarray, rough: np.ndarray
) -> None:
    """Blocks in leaning courses, each with a lit top, a face and a shaded flank."""
    rng, marks = canvas.rng, flora.Marks(canvas, float(crest.min()))
    y = float(crest.min())
    while y < 1.1:
        tall, x = rng.uniform(0.045, 0.085), -0.05
        while x < 1.05:
            wide = rng.uniform(0.05, 0.15) / canvas.aspect
            _block(marks, rng, x, y + 0.06 * side * (x - 0.5), wide, tall * rng.uniform(0.8, 1.25))
            x += wide * rng.uniform(0.86, 1.0)
        y += tall * 0.86
    shade = 1.06 - 0.34 * ramp(canvas.y - crest[None, :], 0.05, 0.5)
    marks.lay(stone * (shade * (0.86 + 0.30 * rough))[marks.top_px :, :, None], inside[marks.top_px :])


def _block(marks: flora.Marks, rng: np.random.Generator, x: float, y: float, wide: float, tall: float) -> None:
    (px, py), w, h = marks.at(x, y), wide * marks.canvas.width * flora.SUPERSAMPLING, tall * marks.scale
    jut = rng.uniform(-0.12, 0.12, 8) * h
    top_left, top_right = (px + jut[0], py + jut[1]), (px + w + jut[2], py + jut[3])
    low_right, low_left = (px + w * 0.96 + jut[4], py + h + jut[5]), (px + w * 0.03 + jut[6], py + h + jut[7])
    tone = rng.uniform(0.72, 1.02)
    marks.polygon([top_left, top_right, low_right, low_left], tone)
    brow = h * rng.uniform(0.16, 0.34)
    marks.polygon(
        [
            top_left,
            top_right,
            (top_right[0] - w * 0.06, top_right[1] + brow),
            (top_left[0] + w * 0.05, top_left[1] + brow),
        ],
        tone * 1.30,
    )
    flank = w * rng.uniform(0.12, 0.30)
    marks.polygon(
        [top_right, low_right, (low_right[0] - flank, low_right[1]), (top_right[0] - flank * 0.6, top_right[1] + brow)],
        tone * 0.70,
    )


def _turf(canvas: Canvas, crest: np.ndarray, land: Land) -> None:
    rng = canvas.rng
    marks = flora.Marks(canvas, max(0.0, float(crest.min()) - 0.05))
    for x in rng.random(round(420 * canvas.aspect)):
        px, py = marks.at(x, float(crest[int(x * (canvas.width - 1))]) + rng.uniform(0.005, 0.05))
        tall = marks.scale * rng.uniform(0.008, 0.028)
        marks.polygon(
            [(px - tall * 0.12, py), (px + rng.normal(0, 0.4) * tall, py - tall), (px + tall * 0.15, py)],
            rng.uniform(0.75, 1.35),
        )
    marks.lay(scenery.ground_colour(canvas, land.near, 0.03))


def open_sea(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.48, 0.60)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.3, 1.0))
    if rng.random() < 0.6:
        scenery.mountains(canvas, horizon + 0.008, rng.uniform(0.04, 0.10), land.far, 0.66, cells=1.6)
    fly(canvas, cast.get("sky", ()), horizon - 0.08, (0.14, 0.26))
    scenery.water(canvas, horizon, rng.choice([SEA, "#245f7a", "#2f8a8a"]), sun, rng.uniform(0.1, 0.5))
    float_on(canvas, cast["water"], horizon, 0.93, (0.18, 0.56))
    foam = mix(rgb("#ffffff") * rgb(canvas.light.tint), rgb(SEA), 0.3)
    crests = ramp(noise.field(rng, canvas.height, canvas.width, (60, 14 * canvas.aspect), 3), 0.70, 0.84)
    canvas.pixels += (crests * ramp(canvas.y, horizon + 0.1, 1.0) * 0.5)[..., None] * (foam - canvas.pixels)


SCENES = (
    Scene(
        "beach",
        "coast",
        ("beach", "low-tide", "strand", "bay"),
        DAYS,
        ("summer", "olive", "heath"),
        ("clear", "clear", "clear", "fog"),
        (("sky", 0, 2), ("water", 0, 2), ("road", 0, 1)),
        beach,
    ),
    Scene(
        "headland",
        "coast",
        ("lighthouse", "headland", "the-point", "cape"),
        DAYS,
        ("summer", "heath", "olive", "alpine"),
        ("clear", "clear", "clear", "rain", "fog"),
        (("landmark", 1, 1), ("water", 0, 1), ("sky", 0, 1)),
        headland,
    ),
    Scene(
        "open-sea",
        "coast",
        ("sailing", "regatta", "open-water", "crossing"),
        DAYS,
        ("summer", "heath"),
        ("clear", "clear", "clear", "rain"),
        (("water", 1, 3), ("sky", 0, 1)),
        open_sea,
    ),
)
