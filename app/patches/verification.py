"""Whether pictures show what was asked for, and where: matches that agree on one map."""

from dataclasses import dataclass

import numpy as np

from app.patches.candidates import Candidates
from app.patches.hypotheses import best_similarity
from app.patches.matching import Matches, match
from app.patches.query import Query
from app.patches.refinement import refine

LEAST_SCORE = 2.0  # weights that agree; of 1000 unrelated pairs of photographs fewer than one reaches 1.3
LEAST_INLIERS = 4  # three fix an affine map: the fourth is the first to agree


@dataclass(frozen=True)
class Verdicts:
    """One for each of C candidates."""

    scores: np.ndarray  # float32 (C), 0 upwards: weights of the matches that agree
    matches: Matches
    inliers: np.ndarray  # bool (C, M)
    maps: np.ndarray  # float64 (C, 2, 3): from the query's frame to tokens of the candidate
    corners: np.ndarray  # float64 (C, 4, 2), shares of the candidate: where those of what was asked for come to lie

    @property
    def boxes(self) -> np.ndarray:
        """Upright, around the corners, cut at the picture's edges: float32 (C, 4)."""
        around = np.concatenate([self.corners.min(axis=1), self.corners.max(axis=1)], axis=1)
        return np.clip(around, 0, 1).astype(np.float32)

    def outline(self, place: int) -> tuple[tuple[float, float], ...]:
        """The corners of one candidate."""
        return tuple((x, y) for x, y in self.corners[place].tolist())

    @property
    def supported(self) -> np.ndarray:
        """bool (C): so much agrees that chance hardly explains it."""
        return (self.scores >= LEAST_SCORE) & (self.inliers.sum(axis=1) >= LEAST_INLIERS)


def verify(query: Query, candidates: Candidates) -> Verdicts:
    matches = match(query, candidates)
    maps, scores, inliers = refine(matches, best_similarity(matches))
    return Verdicts(scores, matches, inliers, maps, _corners(query, maps, candidates.grids))


def _corners(query: Query, maps: np.ndarray, grids: np.ndarray) -> np.ndarray:
    width, height = query.extent
    asked = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
    return np.einsum("cij,kj->cki", maps, asked) / grids[:, None, ::-1]
