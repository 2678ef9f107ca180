"""Scenes far out: desert, forest, snow."""

import numpy as np

from app.samples import flora, noise, scenery
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, rgb
from app.samples.place import add, place
from app.samples.scene import Cast, Scene
from app.samples.scenes_coast import DAYS, fly
from app.samples.scenes_country import SUMMERS, mixed, wide


def desert(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.46, 0.56)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.0, 0.5))
    scenery.mountains(canvas, horizon + 0.03, rng.uniform(0.08, 0.18), land.far, 0.55, cells=3)
    for base, height, haze, code in (
        (horizon + 0.05, 0.06, 0.45, land.middle),
        (horizon + 0.12, 0.09, 0.28, land.near),
    ):
        scenery.dune(canvas, base, height, code, haze, rng.uniform(2, 3.5))
    fly(canvas, cast.get("sky", ()), horizon + 0.02, (0.18, 0.42))
    scenery.dune(canvas, horizon + 0.25, 0.15, land.near, 0.12, rng.uniform(1.2, 2.2))
    scenery.dune(canvas, rng.uniform(0.90, 0.96), 0.16, land.middle, 0.0, rng.uniform(1, 1.6))
    _growth(canvas, rng.integers(0, 6))
    for name in cast.get("road", ()):
        place(
            canvas,
            name,
            rng.uniform(0.3, 0.7),
            rng.uniform(0.91, 0.95),
            wide(canvas, 0.38),
            shadow=0.65,
            lean=0.9 * (0.5 - sun[0]),
        )


def _growth(canvas: Canvas, count: int) -> None:
    """Cacti and rocks, farther ones smaller; none in the middle, where somebody may stand."""
    rng = canvas.rng
    for near in np.sort(rng.uniform(0.1, 1.0, count)):
        x = rng.choice([rng.uniform(0.02, 0.28), rng.uniform(0.72, 0.98)])
        extra, height = ("saguaro", 0.30) if rng.random() < 0.6 else ("rock", 0.09)
        add(canvas, extra, x, 0.70 + 0.24 * near, height * (0.3 + 0.7 * near), haze=0.25 * (1 - near), shadow=0.5)


def forest(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, 0.62
    scenery.sky(canvas, horizon, 0.2)
    canvas.pixels += 0.35 * (rgb(canvas.light.haze) - canvas.pixels)
    firs = rng.random() < 0.6
    for depth in range(5):
        share = depth / 4
        base = 0.60 + 0.20 * share
        crest = base + 0.02 * noise.line(rng, canvas.width, 3, 3)
        ground = scenery.hills(canvas, base, 0.03, land.middle if depth < 3 else land.near, 0.66 * (1 - share) ** 1.2)
        if firs:
            flora.pines(canvas, ground, land.trees, 0.72 * (1 - share) ** 1.1, 0.26 + 0.34 * share, 0.05 + 0.10 * share)
        else:
            _trunks(canvas, crest, land, 0.70 * (1 - share), share)
        scenery.mist(canvas, base - 0.02, 0.08, 0.38 * (1 - share))
    _sunbeams(canvas)
    _path(canvas, land)
    for name in cast.get("road", ()):
        place(
            canvas,
            name,
            rng.uniform(0.38, 0.62),
            rng.uniform(0.92, 0.95),
            rng.uniform(0.32, 0.42),
            shadow=0.5,
            lean=0.3,
        )
    flora.grass(canvas, 0.90, land.trees, 0.6, 0.07)


def _trunks(canvas: Canvas, crest: np.ndarray, land: Land, haze: float, near: float) -> None:
    """Tall bare trunks with light on one side, crowns out of sight."""
    rng = canvas.rng
    marks = flora.Marks(canvas)
    for x in rng.random(round((16 - 9 * near) * canvas.aspect)):
        if near > 0.7 and abs(x - 0.5) < 0.18:
            continue
        px, py = marks.at(x, float(crest[int(x * (canvas.width - 1))]) + 0.03)
        half = marks.scale * (0.006 + 0.024 * near) * rng.uniform(0.7, 1.2)
        lean = rng.normal(0, 0.02) * marks.scale
        for left, right, tone in ((-1.0, 1.0, 0.72), (-1.0, 0.15, 1.0), (-1.0, -0.5, 1.3)):
            marks.polygon(
                [
                    (px + left * half * 1.25, py),
                    (px + right * half * 1.25, py),
                    (px + lean + right * half * 0.8, 0),
                    (px + lean + left * half * 0.8, 0),
                ],
                tone,
            )
    marks.lay(scenery.ground_colour(canvas, mixed(land.trees, "#6b5240"), haze))
    flora.canopy(canvas, land.trees, haze, 0.11 + 0.05 * near, 0.011 + 0.007 * near)


def _sunbeams(canvas: Canvas) -> None:
    """Shafts of light slanting in from one upper corner."""
    side = canvas.rng.choice([0.05, 0.95])
    angle = np.arctan2(canvas.y + 0.35, (canvas.x - side) * canvas.aspect)
    shafts = noise.line(canvas.rng, 400, 26, 3)[(angle / np.pi * 399).astype(int)]
    reach = np.exp(-np.hypot((canvas.x - side) * canvas.aspect, canvas.y) / 0.75)
    canvas.pixels += (np.clip(shafts, 0, 1) * reach * 0.55 * (1 - 0.6 * canvas.light.dark))[..., None] * rgb(
        canvas.light.sun
    )


def _path(canvas: Canvas, land: Land) -> None:
    depth = np.clip((canvas.y - 0.70) / 0.30, 0, 1)
    bend = canvas.rng.choice([-1, 1]) * 0.16
    middle = 0.5 + bend * (1 - depth) * np.sin(depth * 4.0)
    half = 0.012 + 0.24 * depth**1.5
    grit = noise.field(canvas.rng, canvas.height, canvas.width, (26, 12 * canvas.aspect), 4, 0.6)
    alpha = ramp(np.abs(canvas.x - middle) + 0.05 * depth * (grit - 0.5), half, half * 0.8) * ramp(canvas.y, 0.70, 0.74)
    earth = scenery.ground_colour(canvas, mixed(land.near, "#c9a878"), 0.10)
    ruts = 1 - 0.12 * np.exp(-(((np.abs(canvas.x - middle) / half - 0.5) / 0.16) ** 2))
    canvas.cover(alpha * 0.92, earth * (0.82 + 0.34 * grit)[..., None] * ruts[..., None])


def winter(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.50, 0.58)
    scenery.sky(canvas, horizon, rng.uniform(0.3, 0.9))
    scenery.mountains(canvas, horizon + 0.02, rng.uniform(0.26, 0.36), "#6f83a6", 0.45, 0.95, cells=3)
    fly(canvas, cast.get("sky", ()), horizon - 0.05, (0.15, 0.30))
    for base, height, haze, size in ((horizon + 0.06, 0.06, 0.40, 0.09), (horizon + 0.16, 0.09, 0.20, 0.15)):
        crest = scenery.hills(canvas, base, height, land.near, haze, rng.uniform(1.2, 2.4))
        flora.pines(canvas, crest, land.trees, haze, size, size * 0.45, snow=True)
    _cabin(canvas, rng.uniform(0.2, 0.8), horizon + 0.22)
    crest = scenery.hills(canvas, 0.86, 0.07, land.near, 0.02, 1.5)
    for name in cast.get("road", ()):
        place(canvas, name, rng.uniform(0.3, 0.7), rng.uniform(0.91, 0.95), wide(canvas, 0.40), shadow=0.45, lean=0.4)
    marks = flora.Marks(canvas, 0.2)
    side = rng.choice([0, 1])
    for share in (0.16, 0.02, 0.09):
        flora.pine(marks, rng, abs(side - share), float(crest.mean()) + 0.10, rng.uniform(0.4, 0.6), 1.5)
    marks.lay(scenery.ground_colour(canvas, land.trees, 0.0))


def _cabin(canvas: Canvas, x: float, foot: float) -> None:
    """A small wooden house with a snowy roof and lit windows."""
    marks = {code: flora.Marks(canvas, foot - 0.2) for code in ("#6b4430", "#f3f7fb", "#ffd98a")}
    wall, roof, pane = marks.values()
    px, py = wall.at(x, foot)
    u = wall.scale * 0.01
    wall.polygon([(px - 7 * u, py), (px + 7 * u, py), (px + 7 * u, py - 6 * u), (px - 7 * u, py - 6 * u)], 1.0)
    wall.polygon([(px - 7 * u, py - 6 * u), (px, py - 11.5 * u), (px + 7 * u, py - 6 * u)], 0.85)
    wall.polygon(
        [(px + 4 * u, py - 8 * u), (px + 5.6 * u, py - 8 * u), (px + 5.6 * u, py - 13 * u), (px + 4 * u, py - 13 * u)],
        0.7,
    )
    for low in np.arange(0.8, 6, 1.0):
        wall.stroke([(px - 7 * u, py - low * u), (px + 7 * u, py - low * u)], 0.14 * u, 0.7)
    roof.polygon(
        [
            (px - 9 * u, py - 5 * u),
            (px, py - 12.6 * u),
            (px + 9 * u, py - 5 * u),
            (px + 8 * u, py - 4.4 * u),
            (px, py - 11.0 * u),
            (px - 8 * u, py - 4.4 * u),
        ],
        1.0,
    )
    for at in (-4.5, 2.2):
        pane.polygon(
            [
                (px + at * u, py - 4.6 * u),
                (px + (at + 2.3) * u, py - 4.6 * u),
                (px + (at + 2.3) * u, py - 2.0 * u),
                (px + at * u, py - 2.0 * u),
            ],
            1.0,
        )
    wall.lay(scenery.ground_colour(canvas, "#6b4430", 0.12))
    roof.lay(scenery.ground_colour(canvas, "#f3f7fb", 0.05))
    pane.lay(rgb("#ffd98a") * (0.75 + 0.3 * canvas.light.dark))
    canvas.glow(x, foot - 0.035, 0.10, rgb("#ffb85a"), 0.15 + 0.45 * canvas.light.dark)


SCENES = (
    Scene(
        "desert",
        "desert",
        ("dunes", "sand-sea", "caravan-trail", "erg"),
        DAYS,
        ("desert",),
        ("clear",),
        (("sky", 0, 3), ("road", 0, 1)),
        desert,
    ),
    Scene(
        "forest",
        "forest",
        ("woods", "trail", "clearing", "old-forest"),
        ("morning", "golden", "overcast", "dawn", "teal", "noon", "dusk"),
        SUMMERS,
        ("clear", "clear", "fog", "rain"),
        (("road", 0, 1),),
        forest,
    ),
    Scene(
        "winter",
        "mountains",
        ("snow", "first-snow", "winter-valley", "cabin"),
        ("morning", "overcast", "dusk", "dawn", "night", "noon", "rose"),
        ("winter",),
        ("snow", "snow", "clear"),
        (("road", 0, 1), ("sky", 0, 1)),
        winter,
    ),
)
