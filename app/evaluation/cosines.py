"""Every query beside every picture of the database, from kept vectors, without ever holding all of those."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.evaluation.kept import KeptVectors, Part

BLOCK = 16_384  # pictures whose vectors are held at once: 25 MB of 384 numbers


def cosines(
    kept: KeptVectors, makers: Mapping[str, int], asked: Sequence[Part], database: Sequence[Part | None], dim: int
) -> np.ndarray:
    """Float32 (queries, database): 280 MB for 70 queries and a million pictures. NaN: not there.

    `makers`: of the scales. A picture's vector is their mean, brought back to unit length.
    """
    queries = _described(kept, makers, asked, dim)
    found = np.empty((len(queries), len(database)), np.float32)
    for start in range(0, len(database), BLOCK):
        found[:, start : start + BLOCK] = queries @ _described(kept, makers, database[start : start + BLOCK], dim).T
    return found


def _described(kept: KeptVectors, makers: Mapping[str, int], parts: Sequence[Part | None], dim: int) -> np.ndarray:
    """Unit vectors (parts, D)."""
    scales = [kept.vectors(maker, parts, dim) for maker in makers.values()]
    if len(scales) == 1:
        return scales[0]
    mean = np.mean(scales, axis=0)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)
