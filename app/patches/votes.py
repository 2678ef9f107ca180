"""Which of many pictures are worth a close look: those where many keypoints of the query have one much like them.

Of where they lie nothing is asked, and of how only that they are turned and scaled alike. Keypoints meet by the first
signs of their code, as words meet in an inverted file, and are compared in full only then: some thousand pictures take
as long as a few do looked at closely. A small thing fills no window of a picture, and no vector of one names it.

Sources: Sivic and Zisserman, Video Google, 2003; Jégou, Douze and Schmid, Hamming embedding and weak geometric
consistency, 2008.
"""

import numpy as np

from app.patches.basis import DIM
from app.patches.code import signs
from app.patches.keypoints import turns_of
from app.patches.matching import KEYPOINT_MARGIN
from app.patches.query import Query
from app.patches.words import Words

TURNS, SIZES = 16, 8  # bins of a full turn, and octaves: how a thing lies in a picture against how it was asked for


def vote(query: Query, words: Words) -> np.ndarray:
    """For each of the pictures: float32 (N), 0 upwards.

    The sum, over keypoints of the query, of how much more alike the best that meets it is than the background, times
    the logarithm of how rare that is.
    """
    theirs, ours = words.met(query.keypoints.features)
    weights = _weights(query, ours, words.marks.codes[theirs])
    return _summed(query, weights, theirs, ours, words)


def _weights(query: Query, ours: np.ndarray, codes: np.ndarray) -> np.ndarray:
    tables = _tables(query.keypoints.features)
    cosines = sum((tables[ours, byte, codes[:, byte]] for byte in range(codes.shape[1])), np.float32(0))
    return np.maximum(0, cosines - query.keypoint_levels[ours] + KEYPOINT_MARGIN)


def _tables(features: np.ndarray) -> np.ndarray:
    """What each byte of a code adds to its cosine with each feature: float32 (Q, D / 8, 256)."""
    every = signs(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1))
    return features.reshape(-1, DIM // 8, 8) @ every.T


def _summed(query: Query, weights: np.ndarray, theirs: np.ndarray, ours: np.ndarray, words: Words) -> np.ndarray:
    """Each keypoint of a picture has one say, and each of the query one in each picture: their heaviest.

    What votes for many pictures tells little of any, as a common word does. Those of a thing that lies there turned and
    as small as it is all say the same turn and size; those that only look alike say any: the most that say one count.
    """
    heard = np.flatnonzero(weights)
    heard = heard[_heaviest(theirs[heard], weights[heard])]
    of_one = words.pictures[theirs[heard]].astype(np.int64) * (1 + ours.max(initial=0)) + ours[heard]
    heard = heard[_heaviest(of_one, weights[heard])]
    ours, theirs = ours[heard], theirs[heard]
    rarity = np.log((1 + words.count) / np.bincount(ours)[ours])
    poses = turns_of(words.marks.poses[theirs]) / query.keypoints.turns[ours]
    places = words.pictures[theirs].astype(np.int64) * TURNS * SIZES + _bins(poses)
    said = np.bincount(places, weights[heard] * rarity, minlength=words.count * TURNS * SIZES)
    return _most_of_one_pose(said.reshape(words.count, TURNS, SIZES))


def _bins(poses: np.ndarray) -> np.ndarray:
    """Of complex (V): int64, 0 to TURNS * SIZES - 1."""
    turn = (np.angle(poses) / (2 * np.pi) % 1 * TURNS).astype(np.int64) % TURNS
    size = np.clip(np.floor(np.log2(np.abs(poses))), 0, SIZES - 1).astype(np.int64)
    return turn * SIZES + size


def _most_of_one_pose(said: np.ndarray) -> np.ndarray:
    """Of votes (N, TURNS, SIZES), with what lies over the edge of a bin: float32 (N)."""
    wide = said + np.roll(said, 1, axis=1) + np.roll(said, -1, axis=1)
    return (wide[..., :-1] + wide[..., 1:]).max(axis=(1, 2)).astype(np.float32)


def _heaviest(groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The row of the heaviest of each group."""
    order = np.lexsort((-weights, groups))
    return order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
