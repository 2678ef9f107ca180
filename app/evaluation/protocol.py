"""Scores as Revisited Oxford/Paris defines them, from cosines and the truth. Nothing is read or embedded here.

Radenović et al., Revisiting Oxford and Paris, CVPR 2018. Average precision is the area under the curve of precision
over recall by trapezes, over all that is right, found or not. Junk leaves the ranking before anything is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.evaluation.truth import Question

# what is right, and what is left out of the ranking
SETUPS = {
    "easy": (("easy",), ("junk", "hard")),
    "medium": (("easy", "hard"), ("junk",)),
    "hard": (("hard",), ("junk", "easy")),
}
AT = (1, 5, 10)


@dataclass(frozen=True)
class QueryScore:
    average_precision: float  # 0 to 1
    precision_at: tuple[float, ...]  # as AT says; where a query has fewer right ones, up to the last of them


@dataclass(frozen=True)
class SetupScores:
    """Means over the queries with something right to find, 0 to 1; none where no query has."""

    queries: int
    map: float | None
    mp_at_1: float | None
    mp_at_5: float | None
    mp_at_10: float | None


def score(cosines: np.ndarray, questions: Sequence[Question]) -> dict[str, list[QueryScore | None]]:
    """Cosines (Q, N) of every query to every picture of the database -> per setup, one score a query.

    NaN: a picture that is not there; it is never found, and still to be found. None: a query with nothing to find.
    Of equal cosines the wrong one counts first: a model that says the same of everything must not look good.
    """
    found: dict[str, list[QueryScore | None]] = {name: [] for name in SETUPS}
    for row, question in zip(cosines, questions, strict=True):
        places = _places(row, question)
        for name, (right, left_out) in SETUPS.items():
            found[name].append(_setup_score(question, places, right, left_out))
    return found


def summarise(scores: Sequence[QueryScore | None]) -> SetupScores:
    """As the protocol does: queries with nothing to find are in no mean."""
    counted = [query for query in scores if query is not None]
    if not counted:
        return SetupScores(0, None, None, None, None)
    precisions = np.mean([query.precision_at for query in counted], axis=0)
    return SetupScores(
        len(counted), float(np.mean([query.average_precision for query in counted])), *map(float, precisions)
    )


def _places(cosines: np.ndarray, question: Question) -> dict[int, int]:
    """Where each picture of the truth stands in the whole ranking, from 0. Only the others are sorted, and once."""
    told = np.unique(np.concatenate([question.easy, question.hard, question.junk]))
    others = ~np.isnan(cosines)
    told = told[others[told]]
    others[told] = False
    ascending = np.sort(cosines[others])
    theirs = cosines[told]
    before = len(ascending) - np.searchsorted(ascending, theirs, side="left")
    among = np.empty(len(told), np.int64)
    among[np.argsort(-theirs, kind="stable")] = np.arange(len(told))
    return dict(zip(told.tolist(), (before + among).tolist(), strict=True))


def _setup_score(
    question: Question, places: dict[int, int], right: Sequence[str], left_out: Sequence[str]
) -> QueryScore | None:
    wanted, junk = _rows(question, right), _rows(question, left_out)
    if not len(wanted):
        return None
    found, ahead = _sorted_places(places, wanted), _sorted_places(places, junk)
    ranks = found - np.searchsorted(ahead, found, side="left")  # without junk, from 0
    return QueryScore(_average_precision(ranks, len(wanted)), tuple(_precision(ranks, most) for most in AT))


def _rows(question: Question, names: Sequence[str]) -> np.ndarray:
    return np.concatenate([getattr(question, name) for name in names])


def _sorted_places(places: dict[int, int], rows: np.ndarray) -> np.ndarray:
    return np.array(sorted({places[row] for row in rows.tolist() if row in places}), np.int64)


def _average_precision(ranks: np.ndarray, right: int) -> float:
    """Between two right ones precision falls in a straight line; before the first of all it is 1."""
    nth = np.arange(len(ranks))
    before = np.where(ranks == 0, 1.0, nth / np.maximum(ranks, 1))
    after = (nth + 1) / (ranks + 1)
    return float(np.sum((before + after) / 2) / right)


def _precision(ranks: np.ndarray, most: int) -> float:
    if not len(ranks):
        return 0.0
    looked_at = min(int(ranks[-1]) + 1, most)
    return float(np.sum(ranks < looked_at) / looked_at)
