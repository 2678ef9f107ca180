"""Whether pictures show what was asked for, and where: matches that agree on one map."""

from dataclasses import dataclass

import numpy as np

from app.patches.candidates import Candidates
from app.patches.hypotheses import best_similarity
from app.patches.matching import Matches, match
from app.patches.query import Query
from app.patches.refinement import refine

LEAST_SCORE = 1.5  # weights that agree; of 100 unrelated pairs of photographs fewer than one reaches it
LEAST_INLIERS = 4  # three fix an affine map: the fourth is the first to agree


@dataclass(frozen=True)
class Verdicts:
    """One for each of C candidates."""

    scores: np.ndarray  # float32 (C), 0 upwards: weights of the matches that agree; of a part, times their share
    matches: Matches
    inliers: np.ndarray  # bool (C, M)
    maps: np.ndarray  # float64 (C, 2, 3): from the query's frame to tokens of the candidate
    corners: np.ndarray  # float64 (C, 4, 2), shares of the candidate: where those of what was asked for come to lie

    @property
    def boxes(self) -> np.ndarray:
        """Upright, around the corners, cut at the picture's edges: float32 (C, 4)."""
        return _around(self.corners)

    def outline(self, place: int) -> tuple[tuple[float, float], ...]:
        """The corners of one candidate."""
        return tuple((x, y) for x, y in self.corners[place].tolist())

    @property
    def supported(self) -> np.ndarray:
        """bool (C): so much agrees that chance hardly explains it."""
        return (self.scores >= LEAST_SCORE) & (self.inliers.sum(axis=1) >= LEAST_INLIERS)


def verify(query: Query, candidates: Candidates) -> Verdicts:
    matches = match(query, candidates)
    maps, agreed, inliers = refine(matches, best_similarity(matches))
    corners = _corners(query, maps, candidates.grids)
    scores = agreed * _shares(agreed, matches, corners, candidates.grids) if query.part else agreed
    return Verdicts(scores, matches, inliers, maps, corners)


def _shares(agreed: np.ndarray, matches: Matches, corners: np.ndarray, grids: np.ndarray) -> np.ndarray:
    """What agrees, of all that matches within the box: much matches in a large box by chance, and little agrees.

    Of a thing all should. Another photo of a whole scene has much of its own in it, which speaks against nothing.
    """
    left, top, right, bottom = (_around(corners) * grids[:, [1, 0, 1, 0]]).T[..., None]
    x, y = matches.found.real, matches.found.imag
    there = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    all_there = np.maximum((matches.weights * there).sum(axis=1), agreed)
    return agreed / np.maximum(all_there, 1e-6)


def _around(corners: np.ndarray) -> np.ndarray:
    """(C, 4, 2) -> float32 (C, 4)."""
    around = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return np.clip(around, 0, 1).astype(np.float32)


def _corners(query: Query, maps: np.ndarray, grids: np.ndarray) -> np.ndarray:
    width, height = query.extent
    asked = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
    return np.einsum("cij,kj->cki", maps, asked) / grids[:, None, ::-1]
