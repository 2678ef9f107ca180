"""Staging: one picture of a hunt, painted back to front. The hero is the first that the canvas tracks."""

import functools

import numpy as np
import PIL.Image

from app.samples import extras
from app.samples.canvas import Canvas, Placed
from app.samples.hunt.grounds import GROUNDS
from app.samples.hunt.plan import SQUEEZE, Stage
from app.samples.hunt.wares import Ware, sprite
from app.samples.palettes import LIGHTS, jittered
from app.samples.place import soft_shadow

Sprite = PIL.Image.Image
RESAMPLE = PIL.Image.Resampling.BICUBIC
MASTER_SHARE = 0.7  # height of a ware as drawn, of the picture's longer side: about the largest it is shown at
CLUTTER = ("lemon", "apple", "candle", "sprig", "books", "rock")
MOST_SIDE = 0.97  # of the picture, that a turned hero may take
BEHIND_SHARES, CLUTTER_SHARES = (0.04, 0.14), (0.006, 0.03)  # of the picture's area
OVER_SHARES = (0.45, 0.8)  # of the hero's area, for what is laid over it
LEAN_DEGREES = 35  # most that a look-alike is turned, either way
TRIES = 24  # places looked at for one thing; the one that hides least is taken
HALVINGS = 12


def staged(stage: Stage) -> Canvas:
    rng = np.random.default_rng(stage.seed)
    canvas = Canvas(stage.height_px, stage.width_px, jittered(LIGHTS[stage.light], rng), rng)
    GROUNDS[stage.ground](canvas)
    area_px = stage.share * canvas.height * canvas.width
    hero = _fitting(_posed(_lit(_drawn(stage.hero, canvas), rng), area_px, stage.turn_degrees, stage.squeeze), canvas)
    corner = _free_corner(canvas, hero)
    _fill(canvas, stage, (*corner, *hero.size))
    soft_shadow(canvas, hero, *corner)
    canvas.track(stage.hero.name, canvas.stamp(hero, corner[1], corner[0]), corner[1], corner[0], stage.turn_degrees)
    if stage.hidden_share:
        _hide(canvas, canvas.placed[0], stage)
    _expose(canvas)
    return canvas


def _fill(canvas: Canvas, stage: Stage, hero: tuple[int, int, int, int]) -> None:
    """Small things first, then the hero's look-alikes, each where it is least in the way."""
    rng = canvas.rng
    for name in rng.choice(CLUTTER, int(rng.integers(3, 7))):
        thing = _posed(
            extras.sprite(str(name)), _area(canvas, CLUTTER_SHARES), rng.uniform(-LEAN_DEGREES, LEAN_DEGREES)
        )
        _put(canvas, thing, _least_in_the_way(canvas, thing, [hero]))
    taken = [hero]
    for ware in stage.others:
        thing = _casual(canvas, ware, _area(canvas, BEHIND_SHARES))
        corner = _least_in_the_way(canvas, thing, taken)
        taken.append((*corner, *thing.size))
        _put(canvas, thing, corner)


def _put(canvas: Canvas, thing: Sprite, corner: tuple[int, int]) -> None:
    soft_shadow(canvas, thing, *corner)
    canvas.stamp(thing, corner[1], corner[0])


def _drawn(ware: Ware, canvas: Canvas) -> Sprite:
    return sprite(ware, round(MASTER_SHARE * max(canvas.height, canvas.width)))


def _lit(thing: Sprite, rng: np.random.Generator) -> Sprite:
    """In a light of its own: brighter or darker, warmer or cooler, and falling off to one side."""
    rgba = np.asarray(thing, np.float32) / 255
    turn, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    down, across = (np.linspace(-0.5, 0.5, side, dtype=np.float32) for side in rgba.shape[:2])
    slope = 1 + fall * (across[None, :] * np.cos(turn) + down[:, None] * np.sin(turn))
    warmth = rng.uniform(-0.08, 0.08) * np.array([1, 0, -1], np.float32)
    gain = rng.uniform(0.8, 1.15) * (1 + warmth) * slope[..., None]
    lit = np.concatenate([np.clip(rgba[..., :3] * gain, 0, 1), rgba[..., 3:]], axis=-1)
    return PIL.Image.fromarray((lit * 255 + 0.5).astype(np.uint8))


def _casual(canvas: Canvas, ware: Ware, area_px: float) -> Sprite:
    """A look-alike as it happens to lie there."""
    turn, squeeze = canvas.rng.uniform(-LEAN_DEGREES, LEAN_DEGREES), canvas.rng.uniform(*SQUEEZE)
    return _posed(_lit(_drawn(ware, canvas), canvas.rng), area_px, turn, squeeze)


def _posed(thing: Sprite, area_px: float, turn_degrees: float, squeeze: float = 1.0) -> Sprite:
    """Made narrower, so large that it covers `area_px` pixels, and turned to the left."""
    covered = np.asarray(thing.getchannel("A"), np.float32).sum() / 255 * squeeze
    ratio = np.sqrt(area_px / covered)
    size = max(2, round(thing.width * squeeze * ratio)), max(2, round(thing.height * ratio))
    sized = thing.resize(size, PIL.Image.Resampling.LANCZOS, reducing_gap=3.0)
    turned = sized.rotate(turn_degrees, RESAMPLE, expand=True)
    return turned.crop(turned.getchannel("A").getbbox())


def _fitting(thing: Sprite, canvas: Canvas) -> Sprite:
    """As it is, or as large as the picture holds."""
    room = MOST_SIDE * min(canvas.height / thing.height, canvas.width / thing.width)
    return thing if room >= 1 else thing.resize([max(2, int(side * room)) for side in thing.size], RESAMPLE)


def _area(canvas: Canvas, shares: tuple[float, float]) -> float:
    return canvas.rng.uniform(*shares) * canvas.height * canvas.width


def _free_corner(canvas: Canvas, thing: Sprite) -> tuple[int, int]:
    """Left and top, anywhere that keeps it whole."""
    return tuple(
        int(canvas.rng.integers(0, room - side + 1))
        for room, side in zip((canvas.width, canvas.height), thing.size, strict=True)
    )


def _least_in_the_way(canvas: Canvas, thing: Sprite, taken: list[tuple[int, int, int, int]]) -> tuple[int, int]:
    """Of some places by lot, the one where the boxes `taken` (left, top, width, height) leave most of it to be seen."""
    wide, high = thing.size
    lefts = canvas.rng.integers(-wide // 4, canvas.width - 3 * wide // 4, TRIES)
    tops = canvas.rng.integers(-high // 4, canvas.height - 3 * high // 4, TRIES)
    lost = np.zeros(TRIES)
    for left, top, width, height in taken:
        across = np.minimum(lefts + wide, left + width) - np.maximum(lefts, left)
        down = np.minimum(tops + high, top + height) - np.maximum(tops, top)
        lost += np.clip(across, 0, None) * np.clip(down, 0, None)
    best = int(lost.argmin())
    return int(lefts[best]), int(tops[best])


def _hide(canvas: Canvas, hero: Placed, stage: Stage) -> None:
    """Push one of the look-alikes over the hero, from a side by lot, until so much of it is hidden."""
    rng = canvas.rng
    ware = stage.others[int(rng.integers(len(stage.others)))]
    thing = _casual(canvas, ware, hero.whole * rng.uniform(*OVER_SHARES))
    place = functools.partial(_corner_at, hero, thing.size, rng.uniform(0, 2 * np.pi))
    alpha = np.asarray(thing.getchannel("A"), np.float32) / 255
    near, far = 0.0, 1.0  # 0: middle over middle; 1: so far out that nothing is hidden
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if _hidden(hero, alpha, place(middle)) > stage.hidden_share else (near, middle)
    _put(canvas, thing, place(far))


def _corner_at(hero: Placed, size: tuple[int, int], turn: float, distance: float) -> tuple[int, int]:
    high, wide = hero.visible.shape
    reach = distance * (np.hypot(high, wide) + np.hypot(*size)) / 2
    x = hero.left + wide / 2 + reach * np.cos(turn) - size[0] / 2
    y = hero.top + high / 2 + reach * np.sin(turn) - size[1] / 2
    return round(x), round(y)


def _hidden(hero: Placed, alpha: np.ndarray, corner: tuple[int, int]) -> float:
    """The share of the hero that an alpha with its corner there would hide."""
    trial = Placed(hero.name, hero.turn_degrees, hero.top, hero.left, hero.visible.copy(), hero.whole)
    trial.covered(alpha, corner[1], corner[0])
    return 1 - float(trial.visible.sum()) / hero.whole


def _expose(canvas: Canvas) -> None:
    """As another camera would: exposure and white balance are a little off."""
    balance = 1 + canvas.rng.uniform(-0.06, 0.06, 3).astype(np.float32)
    canvas.pixels *= np.float32(canvas.rng.uniform(0.9, 1.2)) * balance
