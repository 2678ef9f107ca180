"""Which tokens and keypoints of the query and of each candidate are each other's best."""

from dataclasses import dataclass

import numpy as np

from app.patches.candidates import Candidates
from app.patches.query import Query

MARGIN = 0.05  # by which a match may be less alike than the background is, and still count a little
KEYPOINT_MARGIN = 0.05
KEYPOINT_WEIGHT = 1.0  # over that of tokens as much more alike than the background
KEYPOINT_SLACK = 0.25  # a keypoint is where it is; what a token is of may be in any corner of it
NONE = -9.0  # no cosine: such a match weighs nothing
MOST_MATCHES = 64  # of one candidate and kind, those that weigh most
CHUNK_NUMBERS = 2**21  # cosines held at once: 8 MB, about what a processor's cache holds


@dataclass(frozen=True)
class Matches:
    asked: np.ndarray  # complex64 (C, M), in the query's frame
    found: np.ndarray  # complex64 (C, M), in tokens of the candidate
    turns: np.ndarray  # complex64 (C, M): the scale and turn that each alone proposes, from the one to the other
    weights: np.ndarray  # float32 (C, M), descending; 0 where there is no match
    slack: np.ndarray  # float32 (C, M): over how much others may miss


def match(query: Query, candidates: Candidates) -> Matches:
    """A match weighs by how much more alike its two are than the more common of them is like the background."""
    tokens, keypoints = _of_tokens(query, candidates), _of_keypoints(query, candidates)
    parts = [np.concatenate(pair, axis=1) for pair in zip(tokens, keypoints, strict=True)]
    order = np.argsort(-parts[3], axis=1, kind="stable")
    return Matches(*(np.take_along_axis(part, order, axis=1) for part in parts))


def _of_tokens(query: Query, candidates: Candidates) -> tuple[np.ndarray, ...]:
    theirs, cosines = _best(query.features, candidates.features)
    levels = np.maximum(query.levels, np.take_along_axis(candidates.levels, theirs, axis=1))
    weights = np.maximum(0, cosines - levels + MARGIN)
    chosen = _heaviest(weights)
    places = np.take_along_axis(candidates.places, np.take_along_axis(theirs, chosen, axis=1)[..., None], axis=1)
    found = (places[..., 0] + 1j * places[..., 1]).astype(np.complex64)
    told = np.take_along_axis(weights, chosen, axis=1)
    return query.places[chosen], found, query.frames[chosen], told, np.ones_like(told)


def _of_keypoints(query: Query, candidates: Candidates) -> tuple[np.ndarray, ...]:
    asked, kept = query.keypoints, candidates.keypoints
    theirs, cosines = _best(asked.features, kept.features)
    weights = KEYPOINT_WEIGHT * np.maximum(0, cosines - query.keypoint_levels + KEYPOINT_MARGIN)
    chosen = _heaviest(weights)
    theirs, told = (np.take_along_axis(part, chosen, axis=1) for part in (theirs, weights))
    places = (asked.places[..., 0] + 1j * asked.places[..., 1]).astype(np.complex64)
    turns = np.take_along_axis(kept.turns, theirs, axis=1) / asked.turns[chosen]
    found = np.take_along_axis(kept.places, theirs, axis=1)
    return places[chosen], found, turns, told, np.full_like(told, KEYPOINT_SLACK)


def _heaviest(weights: np.ndarray) -> np.ndarray:
    return np.argsort(-weights, axis=1, kind="stable")[:, :MOST_MATCHES]


def _best(asked: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row asked for (Q, D) its best in each candidate (C, K, D), and their cosine, NONE unless mutual: (C, Q).

    In chunks of candidates: what is compared stays in the processor's cache while both sides are asked.
    """
    most = max(1, CHUNK_NUMBERS // max(1, len(asked) * features.shape[1]))
    starts = range(0, max(1, len(features)), most)
    parts = [_best_of(asked, features[start : start + most]) for start in starts]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _best_of(asked: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count, tokens, dim = features.shape
    cosines = (features.reshape(-1, dim) @ asked.T).reshape(count, tokens, len(asked))
    if not len(asked):
        return np.empty((count, 0), int), np.empty((count, 0), np.float32)
    theirs, ours = cosines.argmax(axis=1), cosines.argmax(axis=2)
    mutual = np.take_along_axis(ours, theirs, axis=1) == np.arange(len(asked))
    return theirs, np.where(mutual, np.take_along_axis(cosines, theirs[:, None], axis=1)[:, 0], NONE)
