"""Where one picture may lie in the other: first guesses, each to be refined and judged."""

from typing import NamedTuple

import cv2
import numpy as np

from app.alignment import maps
from app.alignment.view import Box, Keypoints, View

NEAR = 0.80  # a match's distance is at most this share of the next best one's
LIKELY = 0.55  # correlation of two thumbnails from which a form is a guess
MOST_FORMS = 2
LEAST_INLIERS = 6
SLACK_PX = 5.0
ROUNDS = 600


class Guess(NamedTuple):
    map: np.ndarray  # (2, 3) from pixels of the first to pixels of the second
    support: int  # matches that agree on it; 0 for a form


def guesses(first: View, second: View) -> list[Guess]:
    """The likeliest first."""
    matched = [guess for guess in (_matched(first, second, False), _matched(first, second, True)) if guess]
    return [*sorted(matched, key=lambda guess: -guess.support), *_forms(first, second)]


def _forms(first: View, second: View) -> list[Guess]:
    """One squashed onto the other, turned or mirrored; with borders and without."""
    boxes = {(one, other) for one in (first.whole, first.content) for other in (second.whole, second.content)}
    found = [guess for one, other in sorted(boxes) for guess in _forms_of(first, one, second, other)]
    best = sorted(found, key=lambda item: -item[0])[:MOST_FORMS]
    return [Guess(map, 0) for likeness, map in best if likeness > LIKELY]


def _forms_of(first: View, one: Box, second: View, other: Box) -> list[tuple[float, np.ndarray]]:
    """Inverted tones count as well: a negative is a copy."""
    theirs = second.thumb(other)
    unit = maps.inverse(maps.stretch(one.width, one.height, one.left, one.top))
    onto = maps.stretch(other.width, other.height, other.left, other.top)
    return [
        (abs(float((turned * theirs).sum())), maps.then(maps.then(unit, form), onto))
        for form, turned in zip(maps.FORMS, _turned(first.thumb(one)), strict=True)
    ]


def _turned(thumb: np.ndarray) -> list[np.ndarray]:
    """The eight forms of a square picture, in the order of maps.FORMS."""
    flipped = thumb[:, ::-1]
    return [
        thumb,
        np.rot90(thumb, -1),
        np.rot90(thumb, 2),
        np.rot90(thumb, 1),
        flipped,
        thumb.T,
        thumb[::-1],
        np.rot90(thumb, 2).T,
    ]


def _matched(first: View, second: View, mirrored: bool) -> Guess | None:
    """The similarity most matches agree on, of the first or of its mirror."""
    mine = first.mirrored_keypoints if mirrored else first.keypoints
    pairs = _pairs(mine, second.keypoints)
    if len(pairs) < LEAST_INLIERS:
        return None
    cv2.setRNGSeed(17)
    places, others = mine.places[pairs[:, 0]], second.keypoints.places[pairs[:, 1]]
    map, inside = cv2.estimateAffinePartial2D(places, others, ransacReprojThreshold=SLACK_PX, maxIters=ROUNDS)
    support = 0 if inside is None else _distinct(others[inside.ravel() > 0])
    if support < LEAST_INLIERS or not maps.is_sane(map):
        return None
    flip = np.array(((-1, 0, first.width), (0, 1, 0)), np.float64)
    return Guess(maps.then(flip, map) if mirrored else map, support)


def _distinct(places: np.ndarray) -> int:
    """How many of these are not at one spot: a repeated corner is no evidence."""
    return len(np.unique(np.round(places / 4), axis=0))


def _pairs(mine: Keypoints, theirs: Keypoints) -> np.ndarray:
    """int (P, 2): numbers of keypoints that are each other's nearest, and nearer than the next."""
    if min(len(mine.places), len(theirs.places)) < 2:
        return np.empty((0, 2), int)
    likeness = mine.descriptors @ theirs.descriptors.T
    order = np.argpartition(-likeness, 1, axis=1)[:, :2]
    rows = np.arange(len(likeness))
    two = -np.sort(-likeness[rows[:, None], order], axis=1)
    best = np.argmax(likeness, axis=1)
    distances = np.sqrt(np.maximum(0, 2 - 2 * two))
    good = (distances[:, 0] < NEAR * distances[:, 1]) & (np.argmax(likeness, axis=0)[best] == rows)
    return np.stack([rows[good], best[good]], axis=1)
