"""Similarities that matches propose, all tried at once: place -> `turn * place + shift`, in complex numbers."""

from dataclasses import dataclass

import numpy as np

from app.patches.matching import Matches

PROPOSERS = 20  # matches that propose in pairs: those that weigh most
ALONE = 60  # and alone
LEAST_APART = 1.4  # tokens of the candidate between two that propose as a pair: nearer ones know no scale
TOLERANCE = 1.5  # tokens by which a match may miss, in a picture that shows the thing no larger than it was asked for
SAME_WAY = 0.64  # cosine of the angle, 50 degrees, between how a match is seen and how its map turns it
SAME_SIZE = 2.2  # times larger or smaller
WIDEST, NARROWEST = 5.0, 0.2  # how much larger or smaller than in the sight a match is of


@dataclass(frozen=True)
class Similarity:
    """One for each candidate."""

    turn: np.ndarray  # complex64 (C): scale and turn
    shift: np.ndarray  # complex64 (C)
    tolerance: np.ndarray  # float32 (C), tokens
    score: np.ndarray  # float32 (C): weights of matches that agree, each less for what it misses by


def best_similarity(matches: Matches) -> Similarity:
    turns, shifts, tolerance = _proposed(matches)
    missed = np.abs(turns[..., None] * matches.asked[:, None] + shifts[..., None] - matches.found[:, None])
    allowed = tolerance[..., None] * matches.slack[:, None]
    agreed = agreement(missed, allowed) * is_seen_so(turns[..., None], matches.turns[:, None])
    scores = (agreed @ matches.weights[..., None])[..., 0]  # (C, H)
    chosen = (np.arange(len(scores)), scores.argmax(axis=1))
    return Similarity(turns[chosen], shifts[chosen], tolerance[chosen], scores[chosen])


def agreement(missed: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """1 for a match that lies where it should, 0 from the tolerance on."""
    return np.maximum(0, 1 - (missed / tolerance) ** 2)


def is_seen_so(turns: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Bool: a match, which alone has a turn of its `own`, is of a thing seen about as a map of this turn shows it."""
    relative = turns * np.conj(own) / np.maximum(np.abs(own) ** 2, 1e-12)
    size = np.abs(relative)
    return (relative.real > SAME_WAY * size) & (size < SAME_SIZE) & (size > 1 / SAME_SIZE)


def _proposed(matches: Matches) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turns, shifts and tolerances (C, H): of pairs, then of each match alone.

    A pair that shows the thing larger may miss by more, unless it lies too near to know, or is of an odd size.
    """
    asked, found, own, weights = (
        part[:, :PROPOSERS] for part in (matches.asked, matches.found, matches.turns, matches.weights)
    )
    one, other = np.triu_indices(asked.shape[1], 1)
    apart, there = asked[:, other] - asked[:, one], found[:, other] - found[:, one]
    pairs = np.divide(there, apart, out=np.zeros_like(apart), where=apart != 0)
    relative = np.abs(pairs / np.where(own == 0, 1, own)[:, one])  # to the size in which it was seen
    fits = (np.abs(there) > LEAST_APART) & (relative > NARROWEST) & (relative < WIDEST) & (weights[:, other] > 0)
    alone = matches.turns[:, :ALONE]
    turns = np.concatenate([pairs, alone], axis=1)
    proposers = np.concatenate([one, np.arange(alone.shape[1])])
    wide = np.concatenate([np.where(fits, relative, 0), np.ones(alone.shape, np.float32)], axis=1)
    return turns, matches.found[:, proposers] - turns * matches.asked[:, proposers], TOLERANCE * np.maximum(1, wide)
