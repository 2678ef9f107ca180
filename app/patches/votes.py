"""Which of many pictures are worth a close look: those where many keypoints of the query have one much like them.

Nothing is asked of where they lie. Keypoints meet by the first signs of their code, as words meet in an inverted file,
and are compared in full only then: some thousand pictures take as long as a few do looked at closely. A small thing
fills no window of a picture, and no vector of one names it.

Sources: Sivic and Zisserman, Video Google, 2003; Jégou, Douze and Schmid, Hamming embedding, 2008.
"""

from collections.abc import Sequence

import numpy as np

from app.patches.basis import DIM
from app.patches.code import signs
from app.patches.matching import KEYPOINT_MARGIN
from app.patches.query import Query

WORD = 16  # signs in which two must be alike to meet, but one of
FLIPS = 2  # of the query's that are least sure


def vote(query: Query, codes: Sequence[np.ndarray]) -> np.ndarray:
    """For each of C pictures, whose keypoints have codes uint8 (K, 8): float32 (C), 0 upwards.

    The sum, over keypoints of the query, of how much more alike the best that meets it is than the background, times
    the logarithm of how rare that is.
    """
    pictures = np.repeat(np.arange(len(codes)), [len(each) for each in codes])
    if not len(pictures) or not len(query.keypoints):
        return np.zeros(len(codes), np.float32)
    every = np.concatenate(codes)
    theirs, ours = _met(_words(every), query.keypoints.features)
    weights = _weights(query, ours, every[theirs])
    return _summed(weights, theirs, ours, pictures, len(codes))


def _met(words: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows: of what is kept, and of the query."""
    own = _words(np.packbits(features > 0, axis=1))
    unsure = np.argsort(np.abs(features[:, :WORD]), axis=1)[:, :FLIPS]
    probes = np.concatenate([own[:, None], own[:, None] ^ (1 << (WORD - 1 - unsure))], axis=1).ravel()
    order = np.argsort(probes, kind="stable")
    starts = np.searchsorted(probes[order], np.arange(2**WORD + 1))
    counts = np.diff(starts)[words]
    theirs = np.repeat(np.arange(len(words)), counts)
    within = np.arange(len(theirs)) - np.repeat(np.cumsum(counts) - counts, counts)
    return theirs, order[starts[words][theirs] + within] // (1 + FLIPS)


def _words(codes: np.ndarray) -> np.ndarray:
    return codes[:, 0].astype(np.int64) << 8 | codes[:, 1]


def _weights(query: Query, ours: np.ndarray, codes: np.ndarray) -> np.ndarray:
    features = query.keypoints.features[ours]
    cosines = np.einsum("nd,nd->n", features, signs(np.unpackbits(codes, axis=1, count=DIM)))
    return np.maximum(0, cosines - query.keypoint_levels[ours] + KEYPOINT_MARGIN)


def _summed(weights: np.ndarray, theirs: np.ndarray, ours: np.ndarray, pictures: np.ndarray, count: int) -> np.ndarray:
    """Each keypoint of a picture has one say, and each of the query one in each picture: their heaviest.

    What votes for many pictures tells little of any, as a common word does.
    """
    heard = np.flatnonzero(weights)
    heard = heard[_heaviest(theirs[heard], weights[heard])]
    heard = heard[_heaviest(pictures[theirs[heard]] * (1 + ours.max(initial=0)) + ours[heard], weights[heard])]
    rarity = np.log((1 + count) / np.bincount(ours[heard])[ours[heard]])
    return np.bincount(pictures[theirs[heard]], weights[heard] * rarity, minlength=count).astype(np.float32)


def _heaviest(groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The row of the heaviest of each group."""
    order = np.lexsort((-weights, groups))
    return order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
