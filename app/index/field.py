"""What is looked through, cell by cell: for many vectors at once, the nearest rows above a limit.

Everything is decided by whole numbers (`app/index/rounded.py`), so an answer for a row is the same in whatever company
it asks. Rows lie in the cells of the snapshot and a vector looks into the nearest `reach` of them; where there are no
cells, or few rows, they are cut into portions and all are looked into.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from app.index.lanes import on_each_core
from app.index.rows import Rows

PLAIN_ROWS = 20_000  # up to so many are compared with all: three seconds on one core
PORTION_ROWS = 2048
TILE = 4_000_000  # products looked at together
PROBED_ROWS = 512  # of 4,000 cells: 8 MB of products
ROOM = 8_000_000  # candidates kept before what no row wants is dropped
PLACES = 2.0**29  # product * PLACES - place: a whole number below 2^53, so exact in float64, and no two are equal


class Near(NamedTuple):
    """Who is near whom; each asking row's own nearest first. A key orders by product, then by the lower place."""

    asking: np.ndarray  # int64 (P,), ascending: numbers of the rows that ask
    places: np.ndarray  # int64 (P,) of the rows found
    keys: np.ndarray  # float64 (P,)

    def only(self, kept: np.ndarray) -> "Near":
        return Near(*(part[kept] for part in self))

    def nearest(self, most: int) -> "Near":
        """The first `most` of each asking row."""
        chosen = self.only(np.lexsort((-self.keys, self.asking)))
        firsts = np.searchsorted(chosen.asking, chosen.asking)
        return chosen.only(np.arange(len(firsts)) - firsts < most)

    def lasts(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """The asking rows that have `most` here, each one's nearest first, and the last key of each."""
        rows, firsts, counts = np.unique(self.asking, return_index=True, return_counts=True)
        return rows[counts == most], self.keys[firsts[counts == most] + most - 1]


NONE = Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


class Field:
    """Some rows, arranged to be looked through. `reach`: into how many cells each vector looks; all until it is set."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        celled = rows.centres is not None and len(rows) > PLAIN_ROWS
        self.centres = rows.centres if celled else None
        self.homes = rows.homes if celled else np.arange(len(rows), dtype=np.int32) // PORTION_ROWS
        self.cells = len(self.centres) if celled else 1 + int(self.homes.max(initial=-1))
        self.order = np.argsort(self.homes, kind="stable")  # places: cell by cell, ascending within
        self._starts = np.searchsorted(self.homes[self.order], np.arange(self.cells + 1))
        self.reach = self.cells

    def nearest(self, asking: np.ndarray, everywhere: np.ndarray, least: float, most: int) -> Near:
        """For each rounded vector (A, D) its `most` nearest with a product of `least` or more, its own row included.

        `everywhere` bool (A,): those that look into every cell.
        """
        floors = np.full(len(asking), np.ceil(least), np.float32)  # products are whole numbers
        visits = self._visits(asking, everywhere | (self.reach == self.cells))
        found = on_each_core(lambda visit: self._look(asking, *visit, floors, most), visits)
        return _gathered(found, floors, most)

    def borders(self, asking: np.ndarray) -> np.ndarray:
        """float32 (A,): each vector looks into the cells whose centres have this product with it, or more."""
        if self.reach == self.cells:
            return np.full(len(asking), -np.inf, np.float32)
        found = on_each_core(lambda part: self._probed(part)[1], _portions(asking))
        return np.concatenate([np.empty(0, np.float32), *found])

    def ranks(self, asking: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """int64 (A,): how near that cell is to each vector, 1 the nearest: within `reach` it looks into it."""
        products = asking @ self.centres.T
        return 1 + (products > np.take_along_axis(products, cells[:, None], axis=1)).sum(axis=1)

    def _visits(self, asking: np.ndarray, everywhere: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each cell, and the numbers of those that look into it."""
        always, others = np.flatnonzero(everywhere), np.flatnonzero(~everywhere)
        who, cells = self._probes(asking[others]) if len(others) else (others, others)
        who, order = others[who], np.argsort(cells, kind="stable")
        bounds = np.searchsorted(cells[order], np.arange(self.cells + 1))
        for cell in range(self.cells):
            yield cell, np.concatenate([always, who[order[bounds[cell] : bounds[cell + 1]]]])

    def _probes(self, asking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a vector's number and a cell it looks into."""
        found = list(on_each_core(lambda part: np.nonzero(self._probed(part)[0]), _portions(asking)))
        who = np.concatenate([who + PROBED_ROWS * number for number, (who, _) in enumerate(found)])
        return who, np.concatenate([cells for _, cells in found])

    def _probed(self, asking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """bool (A, cells), and the least product that is near enough, float32 (A,); all that tie at it are."""
        products = asking @ self.centres.T  # (A, cells)
        borders = np.partition(products, -self.reach, axis=1)[:, -self.reach]
        return products >= borders[:, None], borders

    def _look(self, asking: np.ndarray, cell: int, who: np.ndarray, floors: np.ndarray, most: int) -> Near:
        members = self.order[self._starts[cell] : self._starts[cell + 1]]
        if not len(members) or not len(who):
            return NONE
        theirs, tile = self.rows.rounded(members).T, max(1, TILE // len(members))
        tiles = [who[start : start + tile] for start in range(0, len(who), tile)]
        return _joined([_above(part, asking[part] @ theirs, members, floors[part], most) for part in tiles])


def _above(who: np.ndarray, products: np.ndarray, members: np.ndarray, floors: np.ndarray, most: int) -> Near:
    """Of products (W, M) those on their row's floor or above; of a row that has more than `most`, the nearest."""
    near = products >= floors[:, None]
    if len(members) > most and np.count_nonzero(near) > most:
        crowded = np.flatnonzero(np.count_nonzero(near, axis=1) > most)
        keys = _keys(products[crowded], members)
        near[crowded] &= keys >= np.partition(keys, -most, axis=1)[:, -most, None]
    rows, columns = np.divmod(np.flatnonzero(near), len(members))
    return Near(who[rows], members[columns], _keys(products[rows, columns], members[columns]))


def _keys(products: np.ndarray, places: np.ndarray) -> np.ndarray:
    return products.astype(np.float64) * PLACES - places


def _gathered(found: Iterable[Near], floors: np.ndarray, most: int) -> Near:
    """All of them, cut down when there are many. Floors (A,) rise to what a row that has all it wants has at least."""
    parts, room = [], 0
    for part in found:
        parts.append(part)
        room += len(part.asking)
        if room > ROOM:
            kept = _joined(parts).nearest(most)
            parts, room = [kept], 0
            full, lasts = kept.lasts(most)
            floors[full] = np.ceil(lasts / PLACES)
    return _joined(parts).nearest(most)


def _joined(parts: list[Near]) -> Near:
    return Near(*map(np.concatenate, zip(NONE, *parts, strict=True)))


def _portions(asking: np.ndarray) -> Iterator[np.ndarray]:
    return (asking[start : start + PROBED_ROWS] for start in range(0, len(asking), PROBED_ROWS))
