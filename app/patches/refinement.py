"""From a similarity to the affine map that its matches agree on best."""

from dataclasses import replace

import numpy as np

from app.patches.hypotheses import Similarity, agreement, is_seen_so
from app.patches.matching import Matches

ROUNDS = (1.4, 1.1)  # times the tolerance within which matches have a say
HELD = (0.3, 0.3, 0.005)  # how much the similarity weighs beside them: few matches bend nothing


def refine(matches: Matches, similarity: Similarity) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Affine maps (C, 2, 3) from the query's frame to tokens, scores (C), and which matches agree, bool (C, M).

    A map that agrees with less than the similarity it came from is not taken.
    """
    fitting = is_seen_so(similarity.turn[:, None], matches.turns)
    matches = replace(matches, weights=matches.weights * fitting)
    first = _as_affine(similarity)
    maps = first
    for width in ROUNDS:
        within = _missed(matches, maps) < width * _allowed(matches, similarity)
        maps = _fitted(matches, matches.weights * within, first, similarity)
    maps = np.where((_score(matches, maps, similarity) > similarity.score)[:, None, None], maps, first)
    inliers = (_missed(matches, maps) < _allowed(matches, similarity)) & (matches.weights > 0)
    return maps, _score(matches, maps, similarity), inliers


def _score(matches: Matches, maps: np.ndarray, similarity: Similarity) -> np.ndarray:
    return (agreement(_missed(matches, maps), _allowed(matches, similarity)) * matches.weights).sum(axis=1)


def _allowed(matches: Matches, similarity: Similarity) -> np.ndarray:
    return similarity.tolerance[:, None] * matches.slack


def _missed(matches: Matches, maps: np.ndarray) -> np.ndarray:
    """Tokens between where matches are and where they should be: float (C, M)."""
    there = np.einsum("cij,cmj->cmi", maps, _homogeneous(matches.asked))
    return np.abs(there[..., 0] + 1j * there[..., 1] - matches.found)


def _fitted(matches: Matches, weights: np.ndarray, first: np.ndarray, similarity: Similarity) -> np.ndarray:
    """Weighted least squares, held by the first map. The frame is scaled to tokens, so that both weigh the same."""
    size = np.maximum(np.abs(similarity.turn), 1e-6)[:, None, None]
    asked = _homogeneous(matches.asked) * np.concatenate([size, size, np.ones_like(size)], axis=2)
    found = np.stack([matches.found.real, matches.found.imag], axis=-1)
    held = np.diag(HELD)
    left = np.einsum("cm,cmi,cmj->cij", weights, asked, asked) + held
    scaled = first / np.concatenate([size, size, np.ones_like(size)], axis=2)
    right = np.einsum("cm,cmi,cmj->cij", weights, asked, found) + held @ scaled.transpose(0, 2, 1)
    solved = np.linalg.solve(left, right).transpose(0, 2, 1)
    return solved * np.concatenate([size, size, np.ones_like(size)], axis=2)


def _as_affine(similarity: Similarity) -> np.ndarray:
    turn, shift = similarity.turn, similarity.shift
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.moveaxis(np.array(rows, np.float64), 2, 0)


def _homogeneous(places: np.ndarray) -> np.ndarray:
    """Complex (C, M) -> float (C, M, 3)."""
    return np.stack([places.real, places.imag, np.ones(places.shape)], axis=-1)
