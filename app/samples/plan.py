"""The plan: which pictures a seed makes, before any is painted. A smaller count is a prefix of a larger one."""

import datetime
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.samples import cast
from app.samples.edits import EDITS
from app.samples.palettes import LIGHTS
from app.samples.scene import Scene
from app.samples.scenes import ROUND, SCENES

EDITION = 2  # raise it when the same plan would be painted differently: files of older editions are painted anew
COPY_EVERY = 6  # every sixth file is an edited copy of an earlier one
FIRST_DAY = datetime.datetime(2021, 4, 3)
SIZES = (  # (height, width) in pixels
    *((800, 1200), (720, 1080), (640, 960), (768, 1024)) * 2,
    *((1080, 720), (960, 640), (1024, 768)),
    *((800, 800), (900, 900)),
)
PANORAMA = (600, 1600)
PANORAMIC = ("lake", "open-sea", "desert", "winter", "skyline")
SUFFIXES = ("jpg",) * 17 + ("webp",) * 2 + ("png",)


@dataclass(frozen=True)
class Shot:
    """A picture to paint. `cast` is ((habitat, (thing, …)), …)."""

    path: str
    scene: str
    light: str
    land: str
    weather: str
    height_px: int
    width_px: int
    taken_at: datetime.datetime
    cast: tuple[tuple[str, tuple[str, ...]], ...]
    seed: tuple[int, int]

    @property
    def things(self) -> list[str]:
        return [name for _, names in self.cast for name in names]


@dataclass(frozen=True)
class Copy:
    """A file to make from an earlier picture."""

    path: str
    original: Shot
    edit: str
    seed: tuple[int, int]


def recipe(entry: Shot | Copy) -> str:
    """What decides the bytes of a file: equal recipes, equal files."""
    return hashlib.sha256(f"{EDITION} {entry!r}".encode()).hexdigest()[:16]


def plan(count: int, seed: int) -> list[Shot | Copy]:
    """The first `count` files of a seed's endless album."""
    return list(itertools.islice(_album(seed), count))


def _album(seed: int) -> Iterator[Shot | Copy]:
    rng = np.random.default_rng(seed)
    shots, edits = _shots(seed, np.random.default_rng([seed, 1])), _endless(tuple(EDITS), rng)
    taken: list[Shot] = []
    copied: list[Shot] = []
    for index in itertools.count():
        if index % COPY_EVERY != COPY_EVERY - 1:
            taken.append(next(shots))
            yield taken[-1]
            continue
        again = copied and rng.random() < 0.3  # so that some originals have a family of copies
        copied.append(copied[int(rng.integers(len(copied)))] if again else _fresh(taken, copied, rng))
        yield _copy(copied[-1], next(edits), index, seed)


def _fresh(taken: list[Shot], copied: list[Shot], rng: np.random.Generator) -> Shot:
    left = [shot for shot in taken[-40:] if shot not in copied]
    return left[int(rng.integers(len(left)))]


def _copy(original: Shot, edit: str, index: int, seed: int) -> Copy:
    return Copy(EDITS[edit].path(original.path, index), original, edit, (seed, index))


def _shots(seed: int, rng: np.random.Generator) -> Iterator[Shot]:
    decks = {habitat: _deal(habitat, rng) for habitat in sorted({thing.habitat for thing in cast.CAST.values()})}
    lights = {name: _endless(scene.lights, rng) for name, scene in SCENES.items()}
    sizes, suffixes = _endless(SIZES, rng), _endless(SUFFIXES, rng)
    day = FIRST_DAY
    for number, name in enumerate(_endless(ROUND, rng), start=1):
        scene = SCENES[name]
        light = next(lights[name])
        day += datetime.timedelta(days=float(rng.exponential(5.5)), minutes=float(rng.integers(600)))
        panorama = name in PANORAMIC and rng.random() < 0.15
        height, width = PANORAMA if panorama else next(sizes)
        yield Shot(
            path=f"{scene.folder}/{rng.choice(scene.titles)}-{light}-{number:03d}.{next(suffixes)}",
            scene=name,
            light=light,
            land=str(rng.choice(scene.lands)),
            weather=str(rng.choice(scene.weathers)),
            height_px=height,
            width_px=width,
            taken_at=_clock(day, light, rng),
            cast=_casting(scene, decks, rng),
            seed=(seed, number),
        )


def _casting(
    scene: Scene, decks: dict[str, Iterator[str]], rng: np.random.Generator
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    counts = ((habitat, int(rng.integers(fewest, most + 1))) for habitat, fewest, most in scene.slots)
    return tuple((habitat, _hand(decks[habitat], count)) for habitat, count in counts if count)


def _hand(deck: Iterator[str], count: int) -> tuple[str, ...]:
    hand: list[str] = []
    while len(hand) < count:
        name = next(deck)
        if name not in hand:
            hand.append(name)
    return tuple(hand)


def _deal(habitat: str, rng: np.random.Generator) -> Iterator[str]:
    """Names in an order in which neighbours come back soon, so that a small album already repeats its things."""
    names = cast.habitat(habitat)
    while True:
        order = [names[index] for index in rng.permutation(len(names))]
        for start in range(0, len(order), 3):
            yield from order[start : start + 3] * 3


def _endless(items: tuple, rng: np.random.Generator) -> Iterator:
    """The items again and again, shuffled anew each round."""
    while True:
        for index in rng.permutation(len(items)):
            yield items[index]


def _clock(day: datetime.datetime, light: str, rng: np.random.Generator) -> datetime.datetime:
    """A time on that day that suits the light."""
    hour = LIGHTS[light].hour
    return day.replace(hour=hour, minute=int(rng.integers(60)), second=int(rng.integers(60)), microsecond=0)
