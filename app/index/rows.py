"""The live rows of one moment of an index, numbered by their ids: where they lie decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.index.cells import Cells
from app.index.live import LiveIndex
from app.index.rounded import rounded
from app.index.scores import CHUNK_ROWS
from app.index.snapshot import Snapshot
from app.index.tail import Tail
from app.index.vectors import check_rows, find_rows

Fetch = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Row `place` is the one with the place-th lowest id. Nothing in it changes."""

    ids: np.ndarray  # int64 (N,), ascending
    fetch: Fetch  # places int64 (P,) -> vectors float32 (P, D)
    fresh: np.ndarray  # bool (N,): of the tail
    centres: np.ndarray | None = None  # rounded (cells, D); none where the snapshot is scanned
    homes: np.ndarray | None = None  # int32 (N,): the cell each lies in

    def __len__(self) -> int:
        return len(self.ids)

    def rounded(self, places: np.ndarray) -> np.ndarray:
        """float32 of whole numbers (P, D)."""
        return rounded(self.fetch(places))

    def places_of(self, ids: np.ndarray) -> np.ndarray:
        """Of those `ids` that are here, ascending, each once."""
        return find_rows(self.ids, np.unique(ids))

    def only(self, places: np.ndarray) -> "Rows":
        """Those, given ascending, numbered anew."""
        homes = None if self.homes is None else self.homes[places]
        return replace(
            self,
            ids=self.ids[places],
            fetch=lambda chosen: self.fetch(places[chosen]),
            fresh=self.fresh[places],
            homes=homes,
        )


def live_rows(live: LiveIndex) -> Rows:
    """What a search would show now. Later changes of the index do not reach it."""
    base, tail = live.parts
    sources = np.concatenate([base.live.rows, len(base.rows) + tail.live.rows])  # tail rows are counted on
    ids = np.concatenate([base.rows.ids[base.live.rows], tail.rows.ids[tail.live.rows]])
    order = np.argsort(ids)
    rows = Rows(ids[order], _fetch(base.rows, tail.rows, sources[order]), sources[order] >= len(base.rows))
    cells = base.rows.cells if isinstance(base.rows, Snapshot) else None
    return rows if cells is None else _in_cells(rows, cells, sources[order])


def given_rows(ids: np.ndarray, vectors: np.ndarray, dim: int) -> Rows:
    """Rows of another collection. Raises BadVector, InvalidInput as `LiveIndex.absorb` does."""
    ids, vectors = check_rows(ids, vectors, dim)
    order = np.argsort(ids)
    return Rows(ids[order], lambda places: vectors[order[places]], np.zeros(len(ids), bool))


def _fetch(base: Snapshot | Tail, tail: Tail, sources: np.ndarray) -> Fetch:
    def fetch(places: np.ndarray) -> np.ndarray:
        wanted = sources[places]
        late = wanted >= len(base)
        if not late.any():
            return base.vectors_at(wanted)
        vectors = np.empty((len(wanted), tail.vectors.shape[1]), np.float32)
        vectors[late] = tail.vectors_at(wanted[late] - len(base))
        vectors[~late] = base.vectors_at(wanted[~late])
        return vectors

    return fetch


def _in_cells(rows: Rows, cells: Cells, sources: np.ndarray) -> Rows:
    """A row of the tail lies in the cell whose centre is nearest."""
    centres, homes = rounded(cells.centres), np.empty(len(rows), np.int32)
    homes[~rows.fresh] = cells.homes()[sources[~rows.fresh]]
    late = np.flatnonzero(rows.fresh)
    for chunk in np.split(late, range(CHUNK_ROWS, len(late), CHUNK_ROWS)):
        homes[chunk] = np.argmax(rows.rounded(chunk) @ centres.T, axis=1)
    return replace(rows, centres=centres, homes=homes)
