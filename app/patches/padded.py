"""Keypoints of many pictures side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from app.patches.basis import DIM
from app.patches.keypoints import Keypoints


@dataclass(frozen=True)
class Padded:
    """Filled up to the picture with most of them."""

    features: np.ndarray  # float32 (C, P, D); zero where there is none
    places: np.ndarray  # complex64 (C, P), x + iy in tokens
    turns: np.ndarray  # complex64 (C, P)
    counts: np.ndarray  # int (C)

    @classmethod
    def of(cls, pictures: Sequence[Keypoints]) -> Self:
        counts = np.array([len(points) for points in pictures], int)
        shape = len(pictures), int(counts.max(initial=0)) or 1
        made = cls(np.zeros((*shape, DIM), np.float32), *np.zeros((2, *shape), np.complex64), counts)
        for row, points in enumerate(pictures):
            there = slice(len(points))
            made.features[row, there] = points.features
            made.places[row, there] = points.places[:, 0] + 1j * points.places[:, 1]
            made.turns[row, there] = points.turns
        return made

    def only(self, places: np.ndarray) -> Self:
        return type(self)(self.features[places], self.places[places], self.turns[places], self.counts[places])

    def of_one(self, place: int) -> Keypoints:
        there = slice(self.counts[place])
        at = self.places[place, there]
        return Keypoints(self.features[place, there], np.stack([at.real, at.imag], axis=-1), self.turns[place, there])
