"""Whether pictures show what was asked for, and where: matches that agree on one map."""

from dataclasses import dataclass

import numpy as np

from app.patches.candidates import Candidates
from app.patches.hypotheses import best_similarity
from app.patches.matching import Matches, match
from app.patches.query import Query
from app.patches.refinement import refine

LEAST_SCORE = 0.6  # weights that agree; unrelated pictures reach it in one case of a hundred
LEAST_INLIERS = 4  # three fix an affine map: the fourth is the first to agree


@dataclass(frozen=True)
class Verdicts:
    """One for each of C candidates."""

    scores: np.ndarray  # float32 (C), 0 upwards: weights of the matches that agree
    matches: Matches
    inliers: np.ndarray  # bool (C, M)
    maps: np.ndarray  # float64 (C, 2, 3): from the query's frame to tokens of the candidate
    boxes: np.ndarray  # float32 (C, 4), shares of the candidate: where what was asked for lies in it

    @property
    def supported(self) -> np.ndarray:
        """bool (C): so much agrees that chance hardly explains it."""
        return (self.scores >= LEAST_SCORE) & (self.inliers.sum(axis=1) >= LEAST_INLIERS)


def verify(query: Query, candidates: Candidates) -> Verdicts:
    matches = match(query, candidates)
    maps, scores, inliers = refine(matches, best_similarity(matches))
    return Verdicts(scores, matches, inliers, maps, _boxes(query, maps, candidates.grids))


def _boxes(query: Query, maps: np.ndarray, grids: np.ndarray) -> np.ndarray:
    """Upright boxes around where the corners of what was asked for come to lie, cut at the picture's edges."""
    width, height = query.extent
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
    there = np.einsum("cij,kj->cki", maps, corners) / grids[:, None, ::-1]  # (C, 4, 2), shares
    return np.clip(np.concatenate([there.min(axis=1), there.max(axis=1)], axis=1), 0, 1).astype(np.float32)
