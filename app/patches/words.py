"""Keypoints of many pictures as an inverted file: for each word, the first signs of a code, those that have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from app.patches.keypoints import Marks

BITS = 16  # signs in which two must be alike to meet, but one of
FLIPS = 2  # of the query's that are least sure


@dataclass(frozen=True)
class Words:
    """Of N pictures with M keypoints in all. Never changes: `plus` makes the next one."""

    count: int  # N
    pictures: np.ndarray  # int32 (M), 0 to N - 1
    marks: Marks  # of M, in the order of their words
    starts: np.ndarray  # int64 (2 ** BITS + 1), of each word's rows

    @classmethod
    def none(cls) -> Self:
        return cls(0, np.empty(0, np.int32), Marks.from_bytes(b""), np.zeros(2**BITS + 1, np.int64))

    @classmethod
    def of(cls, marks: Sequence[Marks]) -> Self:
        """One of each picture."""
        return cls.none().plus(marks)

    def plus(self, marks: Sequence[Marks]) -> Self:
        """With further pictures, which are counted on."""
        numbers = np.arange(self.count, self.count + len(marks), dtype=np.int32)
        pictures = np.concatenate([self.pictures, np.repeat(numbers, [len(each.poses) for each in marks])])
        codes, poses = (np.concatenate(every) for every in zip(self.marks, *marks, strict=True))
        words = words_of(codes)
        order = np.argsort(words, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(words, minlength=2**BITS))])
        return type(self)(self.count + len(marks), pictures[order], Marks(codes[order], poses[order]), starts)

    def met(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a keypoint here and one of the query's, unit features float32 (Q, D), that share a word: two rows.

        The query's least sure signs may be either way.
        """
        own = words_of(np.packbits(features > 0, axis=1))
        unsure = np.argsort(np.abs(features[:, :BITS]), axis=1)[:, :FLIPS]
        probes = np.concatenate([own[:, None], own[:, None] ^ (1 << (BITS - 1 - unsure))], axis=1).ravel()
        first, counts = self.starts[probes], self.starts[probes + 1] - self.starts[probes]
        before = np.repeat(np.cumsum(counts) - counts, counts)
        theirs = np.arange(counts.sum()) - before + np.repeat(first, counts)
        return theirs, np.repeat(np.arange(len(probes)) // (1 + FLIPS), counts)


def words_of(codes: np.ndarray) -> np.ndarray:
    """Of codes uint8 (K, D / 8): int64 (K), 0 to 2 ** BITS - 1."""
    return codes[:, 0].astype(np.int64) << 8 | codes[:, 1]
