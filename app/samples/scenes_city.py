"""Scenes in town: a skyline over water, a street of gabled houses."""

import numpy as np

from app.samples import houses, scenery, town
from app.samples.canvas import Canvas
from app.samples.noise import ramp
from app.samples.palettes import Land, rgb
from app.samples.place import place
from app.samples.scene import Cast, Scene
from app.samples.scenes_coast import float_on, fly


def skyline(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, horizon = canvas.rng, canvas.rng.uniform(0.62, 0.72)
    sun = scenery.sky(canvas, horizon, rng.uniform(0.1, 0.7))
    lit = 0.06 + 0.42 * canvas.light.dark
    stone = str(rng.choice(["#5f6b80", "#7a6f78", "#6b7f8a", "#85756b"]))
    town.skyline(canvas, horizon, rng.uniform(0.42, 0.54), stone, 0.62, 0.075, lit * 0.5)
    scenery.mist(canvas, horizon - 0.05, 0.10, 0.35)
    fly(canvas, cast.get("sky", ()), horizon - 0.26, (0.13, 0.26))
    town.skyline(canvas, horizon, rng.uniform(0.30, 0.40), stone, 0.34, 0.095, lit * 0.8)
    town.skyline(canvas, horizon + 0.004, rng.uniform(0.16, 0.24), stone, 0.10, 0.11, lit)
    if rng.random() < 0.5:
        _bridge(canvas, horizon)
    _quay(canvas, horizon)
    scenery.water(canvas, horizon + 0.012, "#24405f", sun, rng.uniform(0.5, 0.9))
    float_on(canvas, cast.get("water", ()), horizon + 0.02, 0.94, (0.14, 0.34))


def _quay(canvas: Canvas, horizon: float) -> None:
    band = np.where(np.abs(canvas.y - horizon) < 0.012, 1.0, 0.0) * np.ones_like(canvas.x)
    canvas.cover(band.astype(np.float32), scenery.ground_colour(canvas, "#4a4a55", 0.05))
    if canvas.light.dark > 0.3:
        for x in np.arange(0.02, 1.0, 0.052 / canvas.aspect * 1.5):
            canvas.glow(float(x), horizon - 0.012, 0.008, rgb("#ffcf8a"), 0.9)


def _bridge(canvas: Canvas, horizon: float) -> None:
    """A suspension bridge across the whole picture."""
    towers = np.array([0.16, 0.72]) + canvas.rng.uniform(-0.06, 0.06, 2)
    deck, top = horizon - 0.045, horizon - 0.24
    span = towers[1] - towers[0]
    inside = ((canvas.x - towers.mean()) / (span / 2)) ** 2
    outside = np.clip((np.abs(canvas.x - towers.mean()) - span / 2) / 0.30, 0, 1)
    cable = np.where(inside < 1, top + (deck - 0.015 - top) * (1 - inside), top + (deck - top) * outside)
    line = ramp(np.abs(canvas.y - cable) * canvas.height, 1.9, 0.6)
    hangers = (np.abs((canvas.x * canvas.aspect * 34) % 1 - 0.5) < 0.05) & (canvas.y > cable) & (canvas.y < deck)
    road = ramp(np.abs(canvas.y - deck), 0.009, 0.007) * np.ones_like(canvas.x)
    pillars = np.zeros_like(line)
    for x in towers:
        pillars += (
            ramp(np.abs(canvas.x - x) * canvas.aspect, 0.013, 0.011) * (canvas.y > top - 0.015) * (canvas.y < horizon)
        )
    alpha = np.clip(line + hangers * 0.55 + road + pillars, 0, 1).astype(np.float32)
    canvas.cover(alpha, scenery.ground_colour(canvas, "#8f4a3f", 0.12) * (1.05 - 0.3 * canvas.y)[..., None])
    if canvas.light.dark > 0.3:
        for x in np.linspace(0.02, 0.98, 26):
            canvas.glow(float(x), deck - 0.012, 0.006, rgb("#ffe2b0"), 0.9)


def street(canvas: Canvas, cast: Cast, land: Land) -> None:
    rng, edge = canvas.rng, canvas.rng.uniform(0.72, 0.78)
    scenery.sky(canvas, edge, rng.uniform(0.2, 0.8))
    town.skyline(canvas, edge, 0.52, "#8a8494", 0.6, 0.09, 0.2 * canvas.light.dark)
    _houses(canvas, edge)
    wet = rng.uniform(0.45, 0.7) if canvas.light.dark > 0.3 or rng.random() < 0.3 else 0.10
    _pavement(canvas, edge)
    town.cobbles(canvas, edge + 0.035, str(rng.choice(["#8a8580", "#7f7a80", "#94887a"])), wet)
    lamps = rng.uniform(0.10, 0.25) + np.arange(3) * rng.uniform(0.30, 0.36)
    for x in lamps:
        town.street_lamp(canvas, float(x), edge + 0.03, 0.40)
    names = cast.get("road", ())
    lanes = rng.permutation((np.arange(len(names)) + rng.uniform(0.35, 0.65, len(names))) / max(1, len(names)))
    for near, x, name in zip(np.sort(rng.uniform(0.35, 0.95, len(names))), lanes, names, strict=True):
        foot = edge + 0.06 + (0.95 - edge - 0.06) * near
        size = (0.22 + 0.14 * near) * min(1.0, canvas.aspect)
        place(canvas, name, 0.12 + 0.76 * x, foot, size, shadow=0.6, lean=0.3, reflection=wet * 0.6)


def _houses(canvas: Canvas, edge: float) -> None:
    rng, at = canvas.rng, -canvas.rng.uniform(0.0, 0.12)
    while at < 1.0:
        sprite = houses.house(rng, canvas.light.dark).sprite()
        tall = rng.uniform(0.54, 0.70) * canvas.height
        ratio = tall / sprite.height
        sprite = sprite.resize((round(sprite.width * ratio), round(tall)), reducing_gap=3.0)
        left = round(at * canvas.width)
        canvas.stamp(sprite, round(edge * canvas.height) - sprite.height, left, 0.04)
        at = (left + sprite.width - 1) / canvas.width
    if canvas.light.dark > 0.25:
        _window_glow(canvas, edge)


def _window_glow(canvas: Canvas, edge: float) -> None:
    """Light falls from the shop windows onto the pavement."""
    spill = np.exp(-(((canvas.y - edge) / 0.10) ** 2)) * 0.28 * canvas.light.dark
    canvas.pixels += spill[..., None] * rgb("#ffb060") * (0.4 + canvas.pixels)


def _pavement(canvas: Canvas, edge: float) -> None:
    top, low = int(edge * canvas.height), int((edge + 0.04) * canvas.height)
    slabs = np.abs((canvas.x * canvas.aspect * 14) % 1 - 0.5) < 0.48
    tone = np.where(slabs, 1.0, 0.86) * np.linspace(0.82, 1.05, low - top)[:, None]
    canvas.cover(np.ones_like(tone, np.float32), scenery.ground_colour(canvas, "#b5aca0", 0.03) * tone[..., None], top)


DUSKS = ("night", "dusk", "sunset", "night", "rose", "golden", "teal", "noon", "overcast", "dawn")
SCENES = (
    Scene(
        "skyline",
        "city",
        ("skyline", "river-view", "downtown", "waterfront"),
        DUSKS,
        ("summer",),
        ("clear", "clear", "clear", "rain", "fog"),
        (("water", 0, 2), ("sky", 0, 2)),
        skyline,
    ),
    Scene(
        "street",
        "city",
        ("street", "old-town", "corner-shop", "market-street"),
        DUSKS,
        ("summer",),
        ("clear", "clear", "rain", "rain", "snow"),
        (("road", 1, 2),),
        street,
    ),
)
