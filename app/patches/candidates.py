"""Local descriptors of many pictures side by side, so that one product compares all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from app.patches.basis import DIM
from app.patches.local import Local
from app.patches.padded import Padded

ABSENT = 9.0  # no cosine: nothing reaches it


@dataclass(frozen=True)
class Candidates:
    """Filled up to the picture with most tokens."""

    features: np.ndarray  # float32 (C, K, D); zero where there is no token
    places: np.ndarray  # float32 (C, K, 2)
    levels: np.ndarray  # float32 (C, K); ABSENT where there is no token
    grids: np.ndarray  # int (C, 2): rows, columns
    keypoints: Padded

    @classmethod
    def of(cls, pictures: Sequence[Local]) -> Self:
        most = max((len(picture.levels) for picture in pictures), default=0) or 1  # an axis of none has no best
        count = len(pictures)
        made = cls(
            np.zeros((count, most, DIM), np.float32),
            np.zeros((count, most, 2), np.float32),
            np.full((count, most), ABSENT, np.float32),
            np.array([picture.grid for picture in pictures]).reshape(count, 2),
            Padded.of([picture.keypoints for picture in pictures]),
        )
        for row, picture in enumerate(pictures):
            there = slice(len(picture.levels))
            made.features[row, there] = picture.features
            made.places[row, there] = picture.places
            made.levels[row, there] = picture.levels
        return made

    def only(self, places: np.ndarray) -> Self:
        """Some of them, by their places, in that order."""
        tokens = (self.features[places], self.places[places], self.levels[places], self.grids[places])
        return type(self)(*tokens, self.keypoints.only(places))

    def local(self, place: int) -> Local:
        """One of them as it was given."""
        there = self.levels[place] < ABSENT
        parts = (self.features[place][there], self.places[place][there], self.levels[place][there])
        return Local(*parts, tuple(self.grids[place].tolist()), self.keypoints.of_one(place))

    def __len__(self) -> int:
        return len(self.levels)
