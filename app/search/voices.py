"""Who says what a hit must look like: examples, and hits that were verified and may ask in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.patches import Candidates, Query, Verdicts, verify
from app.patches.likeness import likeness

AGREEMENT = 0.25  # of the logarithm of weights that agree, over a cosine
AGREEMENT_ON_A_PART = 1.0  # the same where a part is asked for: windows say little of what fills none
STEEP = 3.0  # the first places that agree say most
OTHERS = 0.5  # what verified hits say of how places agree, over a cosine
MOST_OTHERS = 2.5  # of that logarithm: a copy of a hit is no better than a hit
UNWANTED = 0.5  # what is like an example of what is not meant loses half of that


@dataclass(frozen=True)
class Voice:
    parts: np.ndarray  # float32 (A, D), unit: what must be found in a picture
    both_ways: bool  # and all of the picture in it
    query: Query
    weight: float = 1.0
    wanted: bool = True
    names: np.ndarray | None = None  # float32 (N, D), unit: what candidates are searched by; none: the parts

    @property
    def named_by(self) -> np.ndarray:
        return self.parts if self.names is None else self.names


@dataclass(frozen=True)
class Opinion:
    """What one voice says of C candidates."""

    voice: Voice
    likeness: np.ndarray  # float32 (C), cosines
    verdicts: Verdicts

    @property
    def agreement(self) -> np.ndarray:
        return np.log1p(STEEP * self.verdicts.scores)

    @property
    def says(self) -> np.ndarray:
        """What the agreement adds to the likeness: float32 (C)."""
        return (AGREEMENT if self.voice.both_ways else AGREEMENT_ON_A_PART) * self.agreement


def hear(voice: Voice, vectors: np.ndarray, candidates: Candidates) -> Opinion:
    """Of candidates with unit vectors (C, R, D) of their windows, the last of all of the picture."""
    theirs = vectors[:, :-1] if voice.both_ways else vectors
    return Opinion(voice, likeness(voice.parts, theirs, both_ways=voice.both_ways), verify(voice.query, candidates))


def scores(examples: Sequence[Opinion], others: Sequence[Opinion] = ()) -> np.ndarray:
    """One number a candidate, to order them by."""
    wanted = [opinion for opinion in examples if opinion.voice.wanted]
    alike = _weighed([*wanted, *others], [opinion.likeness for opinion in (*wanted, *others)])
    found = alike + np.max([opinion.says for opinion in wanted], axis=0)
    if others:
        agreed = [np.minimum(opinion.agreement, MOST_OTHERS) * opinion.voice.weight for opinion in others]
        found += OTHERS * np.sum(agreed, axis=0) / (1 + sum(opinion.voice.weight for opinion in others))
    unwanted = [opinion for opinion in examples if not opinion.voice.wanted]
    if unwanted:
        found -= UNWANTED * np.max([opinion.likeness + opinion.says for opinion in unwanted], axis=0)
    return found


def _weighed(opinions: Sequence[Opinion], values: Sequence[np.ndarray]) -> np.ndarray:
    return np.average(values, axis=0, weights=[opinion.voice.weight for opinion in opinions])
