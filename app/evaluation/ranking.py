"""Retrieval scores from vectors and classes. Nothing is read or embedded here."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 256  # queries scored together; a million pictures then take 1 GB
RECALL_AT = 10


@dataclass(frozen=True)
class QueryScore:
    """What one query found."""

    row: int  # in the vectors
    average_precision: float  # 0 to 1
    first_rank: int  # of the best right one, from 1


@dataclass(frozen=True)
class Scores:
    """Means over queries, 0 to 1; 0 where there is no query."""

    queries: int
    database: int  # pictures in all; each query is compared with every one but itself
    map: float
    recall_at_1: float  # share of queries whose first hit is right
    recall_at_10: float  # share of queries with a right one among the first ten


def score(vectors: np.ndarray, classes: Sequence[Hashable | None]) -> tuple[Scores, list[QueryScore]]:
    """Unit vectors (N, D) and the class of each; none: a distractor. Each one with a companion in its class is a query.

    Average precision is the mean of the precision at each right one. Of equal scores the wrong one counts first:
    a model that says the same of everything must not look good.
    """
    return score_by(queries_of(classes), lambda rows: vectors[rows] @ vectors.T, classes)


def queries_of(classes: Sequence[Hashable | None]) -> list[int]:
    """Rows that have a companion in their class."""
    sizes = Counter(name for name in classes if name is not None)
    return [row for row, name in enumerate(classes) if sizes[name] > 1]


def score_by(
    queries: Sequence[int], likeness: Callable[[Sequence[int]], np.ndarray], classes: Sequence[Hashable | None]
) -> tuple[Scores, list[QueryScore]]:
    """As `score`, by what `likeness` says of some queries' rows and all N pictures: (rows, N), higher is closer."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(classes)) if name is not None}
    known, found = np.array([numbers.get(name, -1) for name in classes]), []
    for start in range(0, len(queries), BLOCK):
        rows = queries[start : start + BLOCK]
        found += [_query_score(row, alike, known) for row, alike in zip(rows, likeness(rows), strict=True)]
    return summary(found, len(classes)), found


def _query_score(row: int, cosines: np.ndarray, classes: np.ndarray) -> QueryScore:
    right = classes == classes[row]
    wrong_ascending = np.sort(cosines[~right])
    right[row] = False
    rights = np.sort(cosines[right])[::-1]
    wrongs_before = len(wrong_ascending) - np.searchsorted(wrong_ascending, rights, side="left")
    nth = np.arange(1, len(rights) + 1)
    ranks = nth + wrongs_before
    return QueryScore(row, float(np.mean(nth / ranks)), int(ranks[0]))


def summary(found: Sequence[QueryScore], database: int) -> Scores:
    """Means over what these queries found among so many pictures."""
    if not found:
        return Scores(0, database, 0.0, 0.0, 0.0)
    firsts = np.array([query.first_rank for query in found])
    return Scores(
        queries=len(found),
        database=database,
        map=float(np.mean([query.average_precision for query in found])),
        recall_at_1=float(np.mean(firsts == 1)),
        recall_at_10=float(np.mean(firsts <= RECALL_AT)),
    )
