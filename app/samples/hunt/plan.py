"""The plan of a hunt: which ware hides where and how, before anything is painted.

Every hunted ware hides in one picture, among its cousins, and is shown by one question. The other pictures show cousins
of hunted wares in just such a way: none of them is ever right.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidInput
from app.samples.hunt.designs import cousins, drawn
from app.samples.hunt.grounds import GROUNDS
from app.samples.hunt.wares import KINDS, Ware

EDITION = 1  # raise it when the same plan would be painted differently
SHARES = (0.05, 0.40)  # of the picture's area, drawn evenly by side, which is what an eye compares
QUESTION_SHARES = (0.15, 0.40)
TURN_DEGREES, FAR_DEGREES, FAR_ODDS = 45, 90, 0.1  # one in ten is turned by more than the first, up to the second
QUESTION_TURN_DEGREES = 12
SQUEEZE = (0.86, 1.0)  # width over what it is face to face: a thing seen a little from the side
HIDDEN_ODDS, HIDDEN = 0.5, (0.05, 0.35)
FORMATS = ((3, 4), (4, 3), (1, 1), (4, 3))  # height to width
LIGHTS = ("noon", "morning", "golden", "overcast", "teal", "rose", "dawn")  # by night no print can be read


@dataclass(frozen=True)
class Stage:
    """A picture to paint: one ware in front, turned and hidden as told, with others about it."""

    path: str
    ground: str
    light: str
    height_px: int
    width_px: int
    hero: Ware
    share: float  # of the picture's area, were nothing before it
    turn_degrees: float  # to the left
    squeeze: float
    hidden_share: float
    others: tuple[Ware, ...]
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """`questions[i]` shows the ware that hides in `finds[i]`; `decoys` hide none that is asked for."""

    questions: tuple[Stage, ...]
    finds: tuple[Stage, ...]
    decoys: tuple[Stage, ...]


def plan(things: int, pictures: int, seed: int, side_px: int) -> Plan:
    """`side_px` is the longer side of every picture. A smaller hunt of a seed is part of a larger one.

    Raises InvalidInput for a hunt of nothing, or with fewer pictures than things.
    """
    if not 1 <= things <= pictures:
        raise InvalidInput(f"{things} things in {pictures} pictures: hide 1 or more, in as many pictures or more")
    families = [_family(seed, number) for number in range(max(things, pictures - things))]
    return Plan(
        tuple(_question(seed, number, families[number], side_px) for number in range(things)),
        tuple(_find(seed, number, families[number], side_px) for number in range(things)),
        tuple(_decoy(seed, number, families[number], side_px) for number in range(pictures - things)),
    )


def _family(seed: int, number: int) -> tuple[Ware, Ware, Ware]:
    """A ware and its two cousins. Kinds come in turn."""
    rng = np.random.default_rng([seed, number])
    kind, design = list(KINDS)[number % len(KINDS)], drawn(rng)
    return tuple(Ware(kind, each) for each in (design, *cousins(design, rng)))


def _question(seed: int, number: int, family: tuple[Ware, ...], side_px: int) -> Stage:
    rng = np.random.default_rng([seed, number, 1])
    turn = rng.uniform(-QUESTION_TURN_DEGREES, QUESTION_TURN_DEGREES)
    return _stage("queries", (seed, number, 1), side_px, rng, family[0], _side(rng, QUESTION_SHARES), turn, 0.0, ())


def _find(seed: int, number: int, family: tuple[Ware, ...], side_px: int) -> Stage:
    rng = np.random.default_rng([seed, number, 2])
    hero, *alike = family
    return _stage("pictures", (seed, number, 2), side_px, rng, hero, *_pose(rng), tuple(alike))


def _decoy(seed: int, number: int, family: tuple[Ware, ...], side_px: int) -> Stage:
    """A cousin in front, the other one and one more of its colours behind."""
    rng = np.random.default_rng([seed, number, 3])
    hero, other = (family[1], family[2]) if number % 2 else (family[2], family[1])
    third = Ware(hero.kind, drawn(rng, palette=family[0].design.palette))
    return _stage("pictures", (seed, number, 3), side_px, rng, hero, *_pose(rng), (other, third))


def _pose(rng: np.random.Generator) -> tuple[float, float, float]:
    """Share, turn and hidden share."""
    far = rng.random() < FAR_ODDS
    turn = rng.choice([-1, 1]) * (rng.uniform(TURN_DEGREES, FAR_DEGREES) if far else rng.uniform(0, TURN_DEGREES))
    hidden = rng.uniform(*HIDDEN) if rng.random() < HIDDEN_ODDS else 0.0
    return _side(rng, SHARES), float(turn), float(hidden)


def _side(rng: np.random.Generator, shares: tuple[float, float]) -> float:
    return float(rng.uniform(*np.sqrt(shares)) ** 2)


def _stage(
    folder: str,
    seed: tuple[int, ...],
    side_px: int,
    rng: np.random.Generator,
    hero: Ware,
    share: float,
    turn: float,
    hidden: float,
    others: tuple[Ware, ...],
) -> Stage:
    high, wide = FORMATS[int(rng.integers(len(FORMATS)))]
    return Stage(
        path=f"{folder}/{_name(seed)}.jpg",
        ground=str(rng.choice(list(GROUNDS))),
        light=str(rng.choice(LIGHTS)),
        height_px=round(side_px * high / max(high, wide)),
        width_px=round(side_px * wide / max(high, wide)),
        hero=hero,
        share=share,
        turn_degrees=float(turn),
        squeeze=float(rng.uniform(*SQUEEZE)),
        hidden_share=hidden,
        others=others,
        seed=seed,
    )


def _name(seed: tuple[int, ...]) -> str:
    """One that tells nothing of what is in it."""
    return hashlib.sha256(f"{EDITION} {seed}".encode()).hexdigest()[:10]
