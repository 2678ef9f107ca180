"""All pairs of near vectors of a live index, block by block, for a duplicate audit.

A block is some of the rows that ask, and what it yields is decided by the rows alone: the same rows give the same
blocks and the same pairs, so a run that was killed goes on at the block after its last. Each pair comes once.

Each image brings its `most` nearest at most, so that 10,000 near-black frames do not make 50 million pairs. A pair
stays if it is among the `most` of either. Which are nearest is decided by products of vectors rounded to 1/4000, then
by the lower id; whether a pair is near at all, by its exact cosine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.errors import InvalidInput
from app.index.field import PLACES, Field, Near
from app.index.lanes import on_each_core
from app.index.live import LiveIndex
from app.index.reach import Reach, drawn, measured
from app.index.rounded import least_product
from app.index.rows import Rows, given_rows, live_rows
from app.index.scores import CHUNK_ROWS, pair_scores
from app.index.vectors import as_ids

BLOCK_ROWS = 32_768  # that ask together: 50 MB of 384 numbers, and 250 of them in each of 4,000 cells' products
EXACT_ROWS = 16_384  # fresh rows, or rows that ask across: up to so many look into every cell
MOST = 64
UNKNOWN, NO_LIMIT = np.nan, -np.inf


@dataclass(frozen=True)
class Pairs:
    """The pairs of one block, each of an index once. Within one collection `first` is the lower id."""

    block: int
    blocks: int
    first: np.ndarray  # int64 (P,)
    second: np.ndarray  # int64 (P,)
    cosine: np.ndarray  # float32 (P,), of exact scores


class Join:
    """Pairs with a cosine of `threshold` or more among the rows that are live now; later changes do not show.

    `news` int64 ids: only pairs with one of them at least. Each of them brings its `most` nearest of the others, and
    of the news. `asked` ids and unit vectors float32 (N, D) of another collection: pairs of one of these, the first,
    and one row here, the second; with `news`, one of these here. Then only the asked bring pairs.
    """

    def __init__(
        self,
        live: LiveIndex,
        threshold: float,
        *,
        news: np.ndarray | None = None,
        asked: tuple[np.ndarray, np.ndarray] | None = None,
        most: int = MOST,
    ) -> None:
        limits = _Limits(threshold, most, live.dim)
        rows = live_rows(live)
        new = None if news is None else rows.places_of(as_ids(news))
        if asked is not None:
            here = rows if new is None else rows.only(new)
            self._passes = [_Across(given_rows(*asked, live.dim), here, limits, ordered=False)]
        elif new is None:
            self._passes = [_Within(rows, limits)]
        else:
            old = rows.only(np.delete(np.arange(len(rows)), new))
            self._passes = [_Across(rows.only(new), old, limits, ordered=True), _Within(rows.only(new), limits)]

    @property
    def blocks(self) -> int:
        return sum(part.blocks for part in self._passes)

    @property
    def reaches(self) -> list[Reach]:
        """How far was looked, and the share of a sample's pairs that are within it. Measured when first needed."""
        return [part.reach for part in self._passes]

    def run(self, first_block: int = 0) -> Iterator[Pairs]:
        """Block by block, from `first_block` on. Raises InvalidInput for a number below 0."""
        if first_block < 0:
            raise InvalidInput(f"block {first_block} is below 0: blocks are counted from 0")
        for block in range(first_block, self.blocks):
            yield self._pairs(block)

    def _pairs(self, block: int) -> Pairs:
        number = block
        for part in self._passes:
            if number < part.blocks:
                return Pairs(block, self.blocks, *part.block(number))
            number -= part.blocks
        raise IndexError(block)


@dataclass(frozen=True)
class _Limits:
    threshold: float
    most: int
    dim: int

    def __post_init__(self) -> None:
        if not -1 <= self.threshold <= 1:
            raise InvalidInput(f"threshold {self.threshold} is no cosine: give one from -1 to 1")
        if self.most < 1:
            raise InvalidInput(f"most is {self.most}: let an image bring 1 pair or more")

    @property
    def least(self) -> float:
        """Of a product of rounded vectors."""
        return least_product(self.threshold, self.dim)


class _Across:
    """Pairs of a row that asks and a row of a field; none is in both."""

    def __init__(self, asking: Rows, rows: Rows, limits: _Limits, ordered: bool) -> None:
        self._asking, self._field, self._limits, self._ordered = asking, Field(rows), limits, ordered
        self.blocks = -(-len(asking) // BLOCK_ROWS) if len(rows) else 0

    @cached_property
    def reach(self) -> Reach:
        field = self._field
        if field.centres is None or len(self._asking) <= EXACT_ROWS:
            return Reach(field.cells, 1.0, 0)
        return measured(field, self._asking.rounded(drawn(len(self._asking))), None, self._limits.least)

    def block(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._field.reach = self.reach.cells
        mine = np.arange(number * BLOCK_ROWS, min((number + 1) * BLOCK_ROWS, len(self._asking)))
        nobody = np.zeros(len(mine), bool)
        near = self._field.nearest(self._asking.rounded(mine), nobody, self._limits.least, self._limits.most)
        pairs = _scored(self._asking, mine[near.asking], self._field.rows, near.places, self._limits.threshold)
        return _lower_first(*pairs) if self._ordered else pairs


class _Within:
    """Pairs of the rows of one field. All ask, in the order of the field."""

    def __init__(self, rows: Rows, limits: _Limits) -> None:
        self._rows, self._field, self._limits = rows, Field(rows), limits
        self.blocks = -(-len(rows) // BLOCK_ROWS)
        self._turn = np.empty(len(rows), np.int32)  # the block in which each asks
        self._turn[self._field.order] = np.arange(len(rows)) // BLOCK_ROWS
        self._everywhere = rows.fresh & (np.count_nonzero(rows.fresh) <= EXACT_ROWS)
        self._last = np.full(len(rows), UNKNOWN)  # key of the last that a row brings, where it brings all it may

    @cached_property
    def reach(self) -> Reach:
        field = self._field
        if field.centres is None:
            return Reach(field.cells, 1.0, 0)
        sample = drawn(len(self._rows))
        return measured(field, self._rows.rounded(sample), field.homes[sample], self._limits.least)

    def block(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._field.reach = self.reach.cells
        mine, others, keys = self._brought(self._places(number))
        turns = self._turn[others]
        kept = turns > number  # the other one asks later, and will leave this pair out
        same, before = np.flatnonzero(turns == number), np.flatnonzero(turns < number)
        kept[same[_once(mine[same], others[same])]] = True
        kept[before] = ~self._has_brought(others[before], mine[before], keys[before] + others[before])
        return _lower_first(*_scored(self._rows, mine[kept], self._rows, others[kept], self._limits.threshold))

    def _places(self, number: int) -> np.ndarray:
        return self._field.order[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS]

    def _brought(self, mine: np.ndarray) -> Near:
        """What these places bring, as places; and notes how far down their lists go."""
        most = self._limits.most
        near = self._field.nearest(self._rows.rounded(mine), self._everywhere[mine], self._limits.least, most + 1)
        near = Near(mine[near.asking], near.places, near.keys)
        near = near.only(near.asking != near.places).nearest(most)
        self._last[mine] = NO_LIMIT
        full, lasts = near.lasts(most)
        self._last[full] = lasts
        return near

    def _has_brought(self, places: np.ndarray, others: np.ndarray, products: np.ndarray) -> np.ndarray:
        """bool (P,): whether each of `places`, whose turn was before, brought its pair with the other.

        `products` are PLACES times those of the rounded vectors. What is not known since another run took those turns
        is looked up again, for these places only.
        """
        unknown = np.unique(places[np.isnan(self._last[places])])
        for start in range(0, len(unknown), BLOCK_ROWS):
            self._brought(unknown[start : start + BLOCK_ROWS])
        listed = products - others >= self._last[places]
        listed[listed] = self._looked(places[listed], others[listed])
        return listed

    def _looked(self, places: np.ndarray, others: np.ndarray) -> np.ndarray:
        """bool (P,): whether each of `places` looks into the cell of the other."""
        if self._field.centres is None:
            return np.ones(len(places), bool)
        ones, which = np.unique(places, return_inverse=True)
        borders = np.concatenate([self._field.borders(self._rows.rounded(chunk)) for chunk in _chunks(ones)])
        products = _by_chunks(self._product, places, self._field.homes[others])
        return self._everywhere[places] | (products >= borders[which])

    def _product(self, places: np.ndarray, cells: np.ndarray) -> np.ndarray:
        return np.einsum("pd,pd->p", self._rows.rounded(places), self._field.centres[cells])


def _scored(first: Rows, ones: np.ndarray, second: Rows, others: np.ndarray, threshold: float):
    """Ids, ids and cosines of the pairs of places that are near enough."""
    scores = _by_chunks(lambda one, other: pair_scores(first.fetch(one), second.fetch(other)), ones, others)
    near = scores >= threshold
    return first.ids[ones[near]], second.ids[others[near]], scores[near].astype(np.float32)


def _lower_first(first: np.ndarray, second: np.ndarray, cosine: np.ndarray):
    return np.minimum(first, second), np.maximum(first, second), cosine


def _once(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Numbers of the pairs that stay when each comes once, whichever of its two brings it."""
    low, high = np.minimum(mine, others), np.maximum(mine, others)
    return np.unique(low * int(PLACES) + high, return_index=True)[1]


def _by_chunks(make: Callable[[np.ndarray, np.ndarray], np.ndarray], *columns: np.ndarray) -> np.ndarray:
    found = on_each_core(lambda chunk: make(*chunk), zip(*map(_chunks, columns), strict=True))
    return np.concatenate(list(found))


def _chunks(column: np.ndarray) -> list[np.ndarray]:
    """One at least, be it empty."""
    return np.split(column, range(CHUNK_ROWS, len(column), CHUNK_ROWS))
