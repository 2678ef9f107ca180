"""The rows a snapshot does not hold yet, in memory, searched exactly."""

import functools

import numpy as np

from app.index.packed import Packed
from app.index.scores import TIE_SLACK
from app.index.selection import Selection
from app.index.vectors import find_rows

FIRST_ROOM = 256  # rows


class Tail:
    """Ids int64 (T,), each once, and their vectors float32 (T, D). A Tail never changes: `plus` makes the next one.

    The next one may share this one's buffers: it writes only behind the rows that this one shows. So growing is cheap
    and reading needs no lock, but only the newest Tail may be grown, by one writer at a time.
    """

    def __init__(self, ids: np.ndarray, vectors: np.ndarray, count: int, packed: Packed) -> None:
        self._room = (ids, vectors)
        self.ids = ids[:count]
        self.vectors = vectors[:count]
        self._packed = packed.covering(self.vectors)

    @classmethod
    def empty(cls, dim: int) -> "Tail":
        return cls(np.empty(0, np.int64), np.empty((0, dim), np.float32), 0, Packed.empty(dim))

    def __len__(self) -> int:
        return len(self.ids)

    def plus(self, ids: np.ndarray, vectors: np.ndarray) -> "Tail":
        """With these rows (each id once) at the end; an id that is here already loses its old vector."""
        replaced = self.rows_of(ids)
        base = self._moved(replaced, len(ids)) if replaced.size or not self._fits(len(ids)) else self
        room_ids, room_vectors = base._room
        start, end = len(base), len(base) + len(ids)
        room_ids[start:end] = ids
        room_vectors[start:end] = vectors
        return Tail(room_ids, room_vectors, end, base._packed)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Row numbers of those `ids` that are here, in their order."""
        return self._order[find_rows(self.ids[self._order], ids)]

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), D)."""
        return self.vectors[rows]

    def shortlist(self, queries: np.ndarray, k: int, shown: Selection, looks: int = 1) -> list[np.ndarray]:
        """For each query, rows that surely hold its k nearest of the shown, ties at the cut included.

        More than k rows must be shown. To a scan it is one however many `looks` there are.
        """
        early = self._packed.shortlist(queries, k, shown)
        late = shown.rows[np.searchsorted(shown.rows, len(self._packed)) :]
        return [
            np.concatenate([rows, self._nearest(query, k, late)]) for query, rows in zip(queries, early, strict=True)
        ]

    @functools.cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.ids)

    def _nearest(self, query: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
        """Those of `rows`, all behind the packed ones, that hold its k nearest of them."""
        if len(rows) <= k:
            return rows
        start = len(self._packed)
        # not by BLAS: its threads keep to no lane, and on a busy machine made this ten times slower
        scores = np.einsum("td,d->t", self.vectors[start:], query)
        return rows[_near_top(scores[rows - start], k)]

    def _fits(self, extra: int) -> bool:
        return len(self) + extra <= len(self._room[0])

    def _moved(self, dropped: np.ndarray, extra: int) -> "Tail":
        """Without the rows `dropped`, in buffers with room for twice what is asked, so that moves stay rare."""
        kept = np.delete(np.arange(len(self)), dropped)
        room = max(FIRST_ROOM, 2 * (len(kept) + extra))
        ids, vectors = np.empty(room, np.int64), np.empty((room, self.vectors.shape[1]), np.float32)
        ids[: len(kept)] = self.ids[kept]
        vectors[: len(kept)] = self.vectors[kept]
        return Tail(ids, vectors, len(kept), self._packed if not dropped.size else Packed.empty(vectors.shape[1]))


def _near_top(scores: np.ndarray, k: int) -> np.ndarray:
    """Places of the k highest and of all that a rounding error could have kept from being one of them."""
    return np.flatnonzero(scores >= np.partition(scores, -k)[-k] - TIE_SLACK)
