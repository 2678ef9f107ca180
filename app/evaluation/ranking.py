"""Retrieval scores from vectors and classes. Nothing is read or embedded here."""

from collections import Counter
from collections.abc import Hashable, Sequence
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
    sizes = Counter(name for name in classes if name is not None)
    queries = [row for row, name in enumerate(classes) if sizes[name] > 1]
    numbers = {name: number for number, name in enumerate(sizes)}
    classes = np.array([numbers.get(name, -1) for name in classes])
    found = []
    for start in range(0, len(queries), BLOCK):
        rows = queries[start : start + BLOCK]
        cosines = vectors[rows] @ vectors.T  # (block, N)
        found += [_query_score(row, cosines[number], classes) for number, row in enumerate(rows)]
    return _summary(found, len(classes)), found


def _query_score(row: int, cosines: np.ndarray, classes: np.ndarray) -> QueryScore:
    right = classes == classes[row]
    wrong_ascending = np.sort(cosines[~right])
    right[row] = False
    rights = np.sort(cosines[right])[::-1]
    wrongs_before = len(wrong_ascending) - np.searchsorted(wrong_ascending, rights, side="left")
    nth = np.arange(1, len(rights) + 1)
    ranks = nth + wrongs_before
    return QueryScore(row, float(np.mean(nth / ranks)), int(ranks[0]))


def _summary(found: Sequence[QueryScore], database: int) -> Scores:
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
