"""Which pair to ask about next: layers of pairs by their score, and a share of the questions for each.

Within a layer each pair is as likely to be asked about as any other, and an answer stands for as many pairs as its
layer has for each answer. So estimates are of the whole collection, however unevenly its layers are asked.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

STEPS = 200  # scores are told apart to 0.005: layers and thresholds lie on whole steps
LAYERS = 12  # of sixty answers some three for the emptiest and a dozen where they matter
SPREAD = 0.1  # how far from the threshold, in score, doubt reaches before anybody has answered
# Shares of the questions. The first two also find errors where none are expected; the third narrows precision, which
# is of what lies above the threshold; the last finds the threshold.
EVENLY, BY_SIZE, BY_COPIES, BY_DOUBT = 0.2, 0.15, 0.3, 0.35


@dataclass(frozen=True, eq=False)
class Strata:
    """Layers of pairs, the lowest scores first."""

    counts: np.ndarray  # (STEPS + 1,) pairs at each step of the score
    layer_of_step: np.ndarray  # (STEPS + 1,)
    sizes: np.ndarray  # (layers,) pairs in each

    @property
    def pairs(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def middles(self) -> np.ndarray:
        """The mean score of each layer's pairs."""
        scores = (np.arange(STEPS + 1) + 0.5) / STEPS
        return np.bincount(self.layer_of_step, weights=self.counts * scores, minlength=len(self.sizes)) / self.sizes

    def layers(self, scores: np.ndarray) -> np.ndarray:
        return self.layer_of_step[steps_of(scores)]

    def steps_in(self, layer: int) -> tuple[int, int]:
        """The first step of a layer, and its last."""
        steps = np.flatnonzero(self.layer_of_step == layer)
        return int(steps[0]), int(steps[-1])


def steps_of(scores: np.ndarray) -> np.ndarray:
    return np.floor(np.asarray(scores, float) * STEPS + 1e-9).astype(int).clip(0, STEPS)


def stratify(counts: np.ndarray) -> Strata:
    """Layers from the number of pairs at each step.

    Half of what makes a layer is how many pairs it has, half how many different scores: so none stands for much more
    than its share, and the thin middle, where copies turn into others, has layers of its own.
    """
    counts = np.asarray(counts)
    taken = counts > 0
    mass = counts / max(counts.sum(), 1) + taken / max(taken.sum(), 1)
    middle = (np.cumsum(mass) - mass / 2) / 2  # of each step, 0..1
    layer_of_step = np.minimum((middle * LAYERS).astype(int), LAYERS - 1)
    filled = np.unique(layer_of_step[taken])
    # a layer that no pair is in belongs to the next that has some
    layer_of_step = np.minimum(np.searchsorted(filled, layer_of_step), max(len(filled) - 1, 0))
    return Strata(counts, layer_of_step, np.bincount(layer_of_step, weights=counts, minlength=1).astype(int))


def next_layer(strata: Strata, asked: np.ndarray, copies: np.ndarray, threshold: float) -> int | None:
    """The layer furthest behind its share of the questions; none where all pairs are labelled.

    `asked` and `copies` (layers,) count the answers, and those that said "copies".
    """
    left = asked < strata.sizes
    if not left.any():
        return None
    behind = _shares(strata, _expected(strata, asked, copies, threshold)) * (asked.sum() + 1) - asked
    return int(np.argmax(np.where(left, behind, -np.inf)))


def _shares(strata: Strata, expected: np.ndarray) -> np.ndarray:
    wanted = (
        (EVENLY, np.ones(len(expected))),
        (BY_SIZE, strata.sizes),
        (BY_COPIES, strata.sizes * expected),
        (BY_DOUBT, np.sqrt(expected * (1 - expected))),  # how much a layer's answers differ
    )
    return sum(share * by / by.sum() for share, by in wanted)


def _expected(strata: Strata, asked: np.ndarray, copies: np.ndarray, threshold: float) -> np.ndarray:
    """The share of copies in each layer, as its answers, its neighbours' and the present threshold let expect."""
    before = 1 / (1 + np.exp(-(strata.middles - threshold) / SPREAD))
    return (_with_neighbours(copies) + before) / (_with_neighbours(asked) + 1)


def _with_neighbours(counts: np.ndarray) -> np.ndarray:
    padded = np.pad(counts.astype(float), 1)
    return padded[1:-1] + (padded[:-2] + padded[2:]) / 2
