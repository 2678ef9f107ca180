"""What is searched: a snapshot and the fresh tail, without what is buried. Threads search while one absorbs."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.errors import BadVector, InvalidInput
from app.index.lanes import SERVING, Lanes
from app.index.scores import exact_scores
from app.index.selection import Selection
from app.index.snapshot import Snapshot
from app.index.tail import Tail
from app.index.vectors import as_ids, check_rows, check_vectors


class Neighbour(NamedTuple):
    image_id: int
    score: float  # cosine, -1..1, higher is closer


class Near(NamedTuple):
    """What is near any of several looks at one thing, best first."""

    ids: np.ndarray  # int64 (M,), each once
    scores: np.ndarray  # float64 (M,), of each its cosine with the look it is nearest to

    @classmethod
    def of(cls, ids: np.ndarray, scores: np.ndarray) -> "Near":
        """Of pairs in any order, in which an id may come again."""
        order = np.lexsort((ids, -scores))
        _, first = np.unique(ids[order], return_index=True)
        best = order[np.sort(first)]
        return cls(ids[best], scores[best])


class Stored(NamedTuple):
    ids: np.ndarray  # int64 (M,)
    vectors: np.ndarray  # float32 (M, D)


class LiveIndex:
    """One collection's vectors: always k live neighbours while k exist, their scores exact.

    Safe for any number of threads. Readers take the state of one moment and keep it; a writer makes the next state and
    swaps it in, since FAISS crashes when an index grows under a search.
    """

    def __init__(self, dim: int, snapshot: Snapshot | None = None, lanes: Lanes = SERVING) -> None:
        if snapshot is not None and snapshot.dim != dim:
            raise BadVector(f"the snapshot has {snapshot.dim} dimensions, this index {dim}: open the model's own")
        self.dim = dim
        self._lanes = lanes
        self._writing = threading.Lock()
        base = Tail.empty(dim) if snapshot is None else snapshot
        self._state = _arrange(base, Tail.empty(dim), np.empty(0, np.int64))

    @property
    def vectors(self) -> int:
        """Images a search can find: rows of snapshot and tail, less the tombstones."""
        return sum(part.live.count for part in self.parts)

    @property
    def tail(self) -> int:
        """Rows that are not in the snapshot."""
        return len(self._state.tail.rows)

    @property
    def tombstones(self) -> int:
        """Rows no search shows: buried, or replaced by a newer vector in the tail."""
        return sum(len(part.rows) - part.live.count for part in self.parts)

    @property
    def parts(self) -> tuple["Part", "Part"]:
        """What is searched at this moment, snapshot and tail. Nothing in it changes."""
        return self._state.parts

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[list[Neighbour]]:
        """The k nearest live images for each of `queries`, unit vectors float32 (Q, D); best first, ties by id.

        `allowed` int64 ids limits the search to these. Fewer than k come back only where fewer are live and allowed.
        Raises BadVector, InvalidInput.
        """
        queries, parts = check_vectors(queries, self.dim), self._shown(k, allowed)
        with self._lanes:
            found = [part.nearest(queries, k) for part in parts]
        best = [_best(of_one_query, k) for of_one_query in zip(*found, strict=True)]
        return [[Neighbour(*pair) for pair in zip(ids.tolist(), s.tolist(), strict=True)] for ids, s in best]

    def near_any(self, looks: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Near:
        """Up to k live images for each of `looks`, unit vectors float32 (L, D) of one thing.

        Side by side in the lanes, and in the cells of a large snapshot together (`Cells.rows`). Raises what `search`
        raises.
        """
        looks, parts = check_vectors(looks, self.dim), self._shown(k, allowed)

        def near(some: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
            found = [part.nearest(some, k, len(looks)) for part in parts]
            return [_best(of_one_look, k) for of_one_look in zip(*found, strict=True)]

        found = [(np.empty(0, np.int64), np.empty(0)), *self._lanes.spread(near, looks)]
        return Near.of(*(np.concatenate(each) for each in zip(*found, strict=True)))

    def _shown(self, k: int, allowed: np.ndarray | None) -> Sequence["Part"]:
        if k < 1:
            raise InvalidInput(f"k is {k}: ask for 1 or more")
        if allowed is None:
            return self.parts
        ids = as_ids(allowed)
        return [part.only(ids) for part in self.parts]

    def vectors_of(self, ids: np.ndarray) -> Stored:
        """The stored vectors of those `ids` that are live, in any order; unknown and buried ones are left out."""
        ids, parts = as_ids(ids), self.parts
        found = [part.live_rows_of(ids) for part in parts]
        return Stored(
            ids=np.concatenate([part.rows.ids[rows] for part, rows in zip(parts, found, strict=True)]),
            vectors=np.concatenate([part.rows.vectors_at(rows) for part, rows in zip(parts, found, strict=True)]),
        )

    def absorb(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Make these rows searchable: ids int64 (N,) > 0, each once, unit vectors float32 (N, D).

        Harmless to repeat: a row that is here as it is is left alone, a new vector replaces the old. A buried id stays
        buried. Raises BadVector, InvalidInput, and then absorbs nothing.
        """
        ids, vectors = check_rows(ids, vectors, self.dim)
        with self._writing:
            state = self._state
            news = ~_already_in(state, ids, vectors)
            if news.any():
                self._state = _arrange(state.base.rows, state.tail.rows.plus(ids[news], vectors[news]), state.buried)

    def bury(self, ids: np.ndarray) -> None:
        """Hide these ids from every search from now on, those not absorbed yet too. Undone by `unbury`."""
        with self._writing:
            state = self._state
            self._state = _arrange(state.base.rows, state.tail.rows, np.union1d(state.buried, as_ids(ids)))

    def unbury(self, ids: np.ndarray) -> None:
        """Show these ids again. Undoes `bury`."""
        with self._writing:
            state = self._state
            self._state = _arrange(state.base.rows, state.tail.rows, np.setdiff1d(state.buried, as_ids(ids)))


@dataclass(frozen=True)
class Part:
    """Rows that are searched together, and which of them may be shown."""

    rows: Snapshot | Tail
    live: Selection

    @classmethod
    def hiding(cls, rows: Snapshot | Tail, ids: np.ndarray) -> "Part":
        return cls(rows, Selection.without(len(rows), rows.rows_of(ids)))

    def live_rows_of(self, ids: np.ndarray) -> np.ndarray:
        rows = self.rows.rows_of(ids)
        return rows[self.live.mask[rows]]

    def only(self, ids: np.ndarray) -> "Part":
        """Of what may be shown, these."""
        return Part(self.rows, Selection.only(len(self.rows), self.live_rows_of(ids)))

    def nearest(self, queries: np.ndarray, k: int, looks: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
        """Ids and exact scores for each query: its k nearest here, in no order, and perhaps some more."""
        live = self.live
        shortlists = self.rows.shortlist(queries, k, live, looks) if live.count > k else [live.rows] * len(queries)
        return [self._scored(query, rows) for query, rows in zip(queries, shortlists, strict=True)]

    def _scored(self, query: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.rows.ids[rows], exact_scores(query, self.rows.vectors_at(rows))


@dataclass(frozen=True)
class _State:
    """One moment of the index. Nothing in it changes."""

    base: Part  # the snapshot; an empty tail where there is none
    tail: Part
    buried: np.ndarray  # int64 ids, sorted, each once

    @property
    def parts(self) -> tuple[Part, Part]:
        return self.base, self.tail


def _arrange(base: Snapshot | Tail, tail: Tail, buried: np.ndarray) -> _State:
    """An id in the tail is newer than in the base, so there it is hidden like a buried one."""
    return _State(Part.hiding(base, np.union1d(buried, tail.ids)), Part.hiding(tail, buried), buried)


def _already_in(state: _State, ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """bool (N,): whether the newest row of each id, buried or not, has this very vector."""
    same = np.zeros(len(ids), bool)
    for part in state.parts:  # the tail last: its word is the newest
        rows = part.rows.rows_of(ids)
        known = np.isin(ids, part.rows.ids[rows])
        same[known] = (part.rows.vectors_at(rows) == vectors[known]).all(axis=1)
    return same


def _best(found: Sequence[tuple[np.ndarray, np.ndarray]], k: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and scores of the k nearest of one query, best first."""
    ids = np.concatenate([ids for ids, _ in found])
    scores = np.concatenate([scores for _, scores in found])
    best = np.lexsort((ids, -scores))[:k]
    return ids[best], scores[best]
