"""Precision and recall at every threshold, with 95 % intervals, from pairs that a person labelled.

What is labelled is known; what is estimated are the pairs that nobody labelled, layer by layer, each label standing for
as many. Intervals are made like those of Clopper and Pearson, with one more answer than there is, which is against us
and spread over the layers: so they are wide where labels are few, and where none was wrong so far. Recall's join those
of the copies found and the copies missed (MOVER: Zou and Donner 2008). tests/audits/test_calibration.py measures how
often they hold the truth.
"""

from dataclasses import dataclass
from math import ceil, log

import numpy as np

from app.audits.evidence.strata import STEPS, Strata, steps_of

OUTSIDE = 0.025  # of the truth on either side of an interval
DRAWS = 1000
NONE = 1e-9  # a beta distribution takes no zero


@dataclass(frozen=True)
class Point:
    """What would be right and found if all pairs from this score on were called copies; all are shares, 0..1."""

    score: float
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float
    labels: int  # from this score on


@dataclass(frozen=True)
class Suggestion:
    """The lowest threshold whose precision surely reaches a target; `point` None: none does, `reason` says why."""

    point: Point | None
    reason: str
    more_labels: int = 0  # roughly, until one may


@dataclass(frozen=True)
class Count:
    """Pairs on one side of a threshold, and how many of them are copies."""

    pairs: float
    copies: float
    low: float
    high: float


def curve(
    strata: Strata, scores: np.ndarray, copies: np.ndarray, *also: float, steps: bool = True
) -> tuple[Point, ...]:
    """A point for each step of the score that was labelled, if `steps`, and for those of `also`, ascending.

    `scores` and `copies` are (labels,), in any order. There is none above the highest label.
    """
    labelled, copies = steps_of(scores), np.asarray(copies, float)
    asked = {*steps_of(np.array(also)).tolist(), *(labelled.tolist() if steps else ())}
    within = sorted(max(step, 1) for step in asked if step <= labelled.max(initial=-1))
    return tuple(_point(step, strata, labelled, copies) for step in dict.fromkeys(within))


def suggest(points: tuple[Point, ...], target: float) -> Suggestion:
    """The lowest threshold whose lower bound of precision reaches `target`, 0..1."""
    sure = next((point for point in points if point.precision_low >= target), None)
    if sure is not None:
        return Suggestion(sure, f"precision at least {sure.precision_low:.1%}, by {sure.labels} labels from there on")
    if not points:
        return Suggestion(None, "nothing is labelled yet", labels_for(target))
    right = [point for point in points if point.precision >= target]
    if not right:
        best = max(points, key=lambda point: point.precision)
        return Suggestion(None, f"no threshold is that precise: the best has {best.precision:.1%}, at {best.score:.3f}")
    best = max(right, key=lambda point: point.precision_low)
    more = _more(best, points[0].labels, target)
    surely = f"they show {best.precision_low:.1%} at best, at {best.score:.3f}"
    return Suggestion(None, f"too few labels to be sure of {target:.1%}: {surely}; about {more} more may do", more)


def labels_for(target: float) -> int:
    """How many pairs must be labelled, and all be copies, to be sure of a precision."""
    return ceil(log(OUTSIDE) / log(target))


def _more(best: Point, labels: int, target: float) -> int:
    """Not every label falls above the threshold, and some are no copies."""
    errors = 1 + labels * (1 - best.precision)
    return max(5, ceil((labels_for(target) * errors - best.labels) * labels / max(best.labels, 1) / 5) * 5)


def _point(step: int, strata: Strata, steps: np.ndarray, copies: np.ndarray) -> Point:
    labelled, pairs = steps >= step, np.arange(STEPS + 1) >= step
    found = _count(strata, pairs, steps[labelled], copies[labelled])
    missed = _count(strata, ~pairs, steps[~labelled], copies[~labelled])
    precision = (found.copies / found.pairs, found.low / found.pairs, found.high / found.pairs)
    return Point(step / STEPS, *precision, *_recall(found, missed), int(labelled.sum()))


def _count(strata: Strata, side: np.ndarray, steps: np.ndarray, copies: np.ndarray) -> Count:
    """Copies among the pairs at the steps of `side`, by the labels there."""
    sizes = np.bincount(strata.layer_of_step, weights=strata.counts * side, minlength=len(strata.sizes))
    if not len(steps) or not sizes.sum():
        return Count(sizes.sum(), 0.0, 0.0, sizes.sum())
    pairs, asked, said = _by_layer(sizes, strata.layer_of_step[steps], copies)
    rest, known = pairs - asked, said.sum()
    left = rest > 0  # the other layers are known to the last pair
    if not left.any():
        return Count(pairs.sum(), known, known, known)
    share, low, high = interval(asked[left], said[left], rest[left])
    unknown = rest[left].sum()
    whole = (known + np.floor(unknown * low + NONE), known + np.ceil(unknown * high - NONE))
    return Count(pairs.sum(), known + unknown * share, *whole)


def _by_layer(sizes: np.ndarray, layers: np.ndarray, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs, answers and "copies" of each layer with answers; one without belongs to the nearest that has some."""
    labelled, where = np.unique(layers, return_inverse=True)
    home = np.argmin(np.abs(np.arange(len(sizes))[:, None] - labelled), axis=1)
    asked, said = np.bincount(where), np.bincount(where, weights=copies)
    return np.maximum(np.bincount(home, weights=sizes), asked), asked, said


def interval(asked: np.ndarray, said: np.ndarray, rest: np.ndarray) -> tuple[float, float, float]:
    """The share of copies among the pairs that are left, and its interval. All arguments are (layers,)."""
    weights = rest / rest.sum()
    # few pairs that are left vary among themselves: they are known as if by fewer answers
    yes, no = (counts * rest / (rest + asked) + NONE for counts in (said, asked - said))
    against = 1 / len(rest)
    rng = np.random.default_rng(0)  # the same labels give the same curve
    low = rng.beta(yes, no + against, size=(DRAWS, len(rest))) @ weights
    high = rng.beta(yes + against, no, size=(DRAWS, len(rest))) @ weights
    return float(weights @ (said / asked)), float(np.quantile(low, OUTSIDE)), float(np.quantile(high, 1 - OUTSIDE))


def _recall(found: Count, missed: Count) -> tuple[float, float, float]:
    share = _share(found.copies, missed.copies)
    if found.high + missed.high == 0 or share is None:
        return 0.0, 0.0, 1.0
    down = np.hypot(share - _share(found.low, missed.copies, 0), share - _share(found.copies, missed.high, 0))
    up = np.hypot(_share(found.high, missed.copies, 1) - share, _share(found.copies, missed.low, 1) - share)
    return share, max(0.0, float(share - down)), min(1.0, float(share + up))


def _share(found: float, missed: float, otherwise: float | None = None) -> float | None:
    return found / (found + missed) if found + missed > 0 else otherwise
