"""Scenes in farmed country and by lakes."""

import numpy as np

from app.samples import flora, noise, scenery
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, mix, rgb
from app.samples.place import place
from app.samples.scene import Cast, Scene
from app.samples.scenes_coast import DAYS, float_on, fly


def lake(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.54, 0.64)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.2, 0.8))
    scenery.mountains(canvas, horizon, rng.uniform(0.28, 0.40), land.far, 0.50, 0.55, cells=rng.uniform(2, 4))
    fly(canvas, cast.get("sky", ()), horizon - 0.15, (0.14, 0.28))
    scenery.mountains(canvas, horizon + 0.005, rng.uniform(0.14, 0.22), land.middle, 0.30, cells=rng.uniform(2, 4))
    bank = scenery.hills(canvas, horizon + 0.006, 0.035, land.middle, 0.22)
    flora.pines(canvas, bank, land.trees, 0.20, 0.075, 0.018)
    scenery.mist(canvas, horizon - 0.01, 0.03, rng.uniform(0.0, 0.45))
    scenery.water(canvas, horizon, rng.choice(["#2a5f6f", "#2f6a7f", "#3a6f6a"]), sun, rng.uniform(0.7, 1.0))
    float_on(canvas, cast.get("water", ()), horizon, 0.90, (0.16, 0.36))
    if rng.random() < 0.75:
        _near_bank(canvas, land)


def _near_bank(canvas: Canvas, land: Land) -> None:
    """A dark bank with firs that frames one side of the picture."""
    side = canvas.rng.choice([0, 1])
    reach = np.abs(canvas.x[0] - side)
    crest = 0.93 + 0.10 * ramp(reach, 0.05, 0.6) + 0.006 * noise.line(canvas.rng, canvas.width, 8, 3)
    depth = canvas.y - crest[None, :]
    tone = 0.75 + 0.3 * noise.field(canvas.rng, canvas.height, canvas.width, (40, 40 * canvas.aspect), 2)
    canvas.cover(np.clip(depth * canvas.height, 0, 1), scenery.ground_colour(canvas, land.trees, 0.0) * tone[..., None])
    marks = flora.Marks(canvas)
    for share in np.sort(canvas.rng.uniform(0.0, 0.22, 4))[::-1]:
        x = abs(side - share)
        flora.pine(
            marks,
            canvas.rng,
            x,
            float(crest[int(np.clip(x, 0, 0.999) * canvas.width)]) + 0.02,
            canvas.rng.uniform(0.30, 0.62) * (1 - share),
            1.0,
        )
    marks.lay(scenery.ground_colour(canvas, land.trees, 0.0) * 0.9)


def meadow(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.50, 0.60)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.3, 0.9))
    scenery.mountains(canvas, horizon + 0.03, rng.uniform(0.10, 0.22), land.far, 0.58, cells=2.5)
    far = scenery.hills(canvas, horizon + 0.05, 0.08, land.middle, 0.45, rng.uniform(1.5, 3))
    flora.woods(canvas, far, land.trees, 0.42, 0.022, 0.02)
    fly(canvas, cast.get("sky", ()), horizon - 0.02, (0.16, 0.36))
    middle = scenery.hills(
        canvas, horizon + 0.13, 0.10, mixed(land.middle, land.near), 0.24, rng.uniform(1, 2.5), rng.choice([0.0, 0.05])
    )
    x = rng.uniform(0.2, 0.8)
    for name in cast.get("landmark", ()):
        place(
            canvas, name, x, float(middle[int(x * canvas.width)]) + 0.02, rng.uniform(0.30, 0.42), haze=0.10, shadow=0.3
        )
    for at in rng.uniform(0.0, 1.0, rng.integers(2, 6)):
        if abs(at - x) > 0.08:
            flora.tree(
                canvas,
                at,
                float(middle[int(at * 0.999 * canvas.width)]) + 0.02,
                rng.uniform(0.10, 0.20),
                land.trees,
                0.14,
            )
    crest = scenery.hills(canvas, rng.uniform(0.80, 0.86), 0.08, land.near, 0.05, rng.uniform(1, 2))
    flora.grass(canvas, float(crest.max()), land.near, 1.0, 0.05)
    petals = tuple(rng.choice(["#e8483f", "#f7d35e", "#fbf6ea", "#8f7fd0", "#f29ab0"], 2, replace=False))
    flora.blossoms(canvas, float(crest.max()) + 0.03, petals, 0.8)
    for name in cast.get("road", ()):
        foot = rng.uniform(0.91, 0.94)
        place(canvas, name, rng.uniform(0.28, 0.72), foot, wide(canvas, 0.46), shadow=0.55, lean=0.4 - sun[0])
        flora.grass(canvas, foot, land.near, 0.5, 0.05)
    flora.blossoms(canvas, 0.95, petals, 0.25, 0.020)


def wide(canvas: Canvas, height: float) -> float:
    """A size for what is wider than high, so that it fits narrow pictures too."""
    return height * min(1.0, canvas.aspect / 1.35) * canvas.rng.uniform(0.75, 1.0)


def mixed(first: str, second: str) -> str:
    middle = mix(rgb(first), rgb(second), 0.5)
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in middle)


SUMMERS = ("summer", "autumn", "olive", "heath", "alpine")

SCENES = (
    Scene(
        "lake",
        "mountains",
        ("lake", "tarn", "still-water", "ridge"),
        DAYS,
        ("alpine", "alpine", "autumn", "summer", "heath"),
        ("clear", "clear", "clear", "rain", "fog"),
        (("water", 0, 1), ("sky", 0, 2)),
        lake,
    ),
    Scene(
        "meadow",
        "country",
        ("meadow", "field", "summer-walk", "hills"),
        DAYS,
        SUMMERS,
        ("clear", "clear", "clear", "clear", "rain", "fog"),
        (("sky", 0, 3), ("landmark", 0, 1), ("road", 0, 1)),
        meadow,
    ),
)
