"""Which tokens of the query and of each candidate are each other's best."""

from dataclasses import dataclass

import numpy as np

from app.patches.candidates import Candidates
from app.patches.query import Query

MARGIN = 0.05  # by which a match may be less alike than the background is, and still count a little
NONE = -9.0  # no cosine: such a match weighs nothing
MOST_MATCHES = 64  # of one candidate, those that weigh most
CHUNK_NUMBERS = 2**21  # cosines held at once: 8 MB, about what a processor's cache holds


@dataclass(frozen=True)
class Matches:
    asked: np.ndarray  # complex64 (C, M), in the query's frame
    found: np.ndarray  # complex64 (C, M), in tokens of the candidate
    frames: np.ndarray  # complex64 (C, M): of the query's tokens
    weights: np.ndarray  # float32 (C, M), descending; 0 where there is no match


def match(query: Query, candidates: Candidates) -> Matches:
    """A match weighs by how much more alike its two are than the more common of them is like the background."""
    theirs, cosines = _best(query, candidates)
    levels = np.maximum(query.levels, np.take_along_axis(candidates.levels, theirs, axis=1))
    weights = np.maximum(0, cosines - levels + MARGIN)
    chosen = np.argsort(-weights, axis=1, kind="stable")[:, :MOST_MATCHES]
    places = np.take_along_axis(candidates.places, np.take_along_axis(theirs, chosen, axis=1)[..., None], axis=1)
    return Matches(
        query.places[chosen],
        (places[..., 0] + 1j * places[..., 1]).astype(np.complex64),
        query.frames[chosen],
        np.take_along_axis(weights, chosen, axis=1),
    )


def _best(query: Query, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """For each token of the query its best in each candidate, and their cosine, NONE unless that holds both ways.

    In chunks of candidates: what is compared stays in the processor's cache while both sides are asked.
    """
    most = max(1, CHUNK_NUMBERS // max(1, len(query.levels) * candidates.levels.shape[1]))
    starts = range(0, max(1, len(candidates)), most)
    parts = [_best_of(query, candidates.features[start : start + most]) for start in starts]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _best_of(query: Query, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count, tokens, dim = features.shape
    cosines = (features.reshape(-1, dim) @ query.features.T).reshape(count, tokens, len(query.levels))
    theirs, ours = cosines.argmax(axis=1), cosines.argmax(axis=2)
    mutual = np.take_along_axis(ours, theirs, axis=1) == np.arange(len(query.levels))
    return theirs, np.where(mutual, np.take_along_axis(cosines, theirs[:, None], axis=1)[:, 0], NONE)
