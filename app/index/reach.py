"""Into how many cells a vector must look, found by measurement: some are compared with every row there is."""

import math
from typing import NamedTuple

import numpy as np

from app.index.field import Field

SAMPLE = 1000  # rows compared with all: 0.4 TFLOP for each million of 384 numbers
OTHERS = 16  # pairs looked at for each of them, its nearest
TARGET = 0.995  # share of their pairs that must be found
LEAST = 32  # cells; a sample may hold few pairs, and these cost little
SEED = 17


class Reach(NamedTuple):
    cells: int
    found: float  # 0 to 1: of the sample's pairs
    pairs: int  # of the sample


def measured(field: Field, asking: np.ndarray, homes: np.ndarray | None, least: float) -> Reach:
    """For rounded vectors (A, D) that ask; `homes` are their own cells where they are rows of this field.

    Then a pair is found when either looks into the cell of the other, and its own row is no pair.
    """
    near = field.nearest(asking, np.ones(len(asking), bool), least, OTHERS)
    found = field.rows.rounded(near.places)
    if homes is not None:
        others = np.flatnonzero((found != asking[near.asking]).any(axis=1))  # twins share a cell and teach nothing
        near, found = near.only(others), found[others]
    ranks = field.ranks(asking[near.asking], field.homes[near.places])
    if homes is not None:
        ranks = np.minimum(ranks, field.ranks(found, homes[near.asking]))
    return _chosen(np.sort(ranks), field.cells)


def drawn(count: int) -> np.ndarray:
    """Numbers of the rows that are asked, ascending: the same for the same count."""
    return np.sort(np.random.default_rng(SEED).choice(count, min(SAMPLE, count), replace=False))


def _chosen(ranks: np.ndarray, cells: int) -> Reach:
    if not len(ranks):
        return Reach(min(LEAST, cells), 1.0, 0)
    needed = int(ranks[math.ceil(TARGET * len(ranks)) - 1])
    reach = min(max(LEAST, needed), cells)
    return Reach(reach, float((ranks <= reach).mean()), len(ranks))
