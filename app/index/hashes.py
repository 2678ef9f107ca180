"""All pairs of near hashes, block by block, for a duplicate audit: what vectors call far may have the same outlines.

A hash is 16 words of 16 bits. Two are compared where one word is equal: surely for hashes that differ by 15 bits, and
for nine in ten of those that differ by 32. Words that thousands have, as those of black pictures, are cut to the rows
with the lowest ids, and of what is near a row brings its `MOST` nearest. Of two that ask, the higher brings the pair.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.index.join import MOST, Pairs

WORD_BITS = 16
BLOCK_ROWS = 4096  # that ask together: some 30 MB of candidates for each form
MOST_ALIKE = 256  # rows of one word that are looked at
Near = tuple[np.ndarray, np.ndarray, np.ndarray]  # places among those that ask, rows, bits by which they differ
Forms = Callable[[np.ndarray], np.ndarray]  # hashes uint8 (N, B) -> uint8 (N, F, B), of each picture's turns


class HashJoin:
    """Pairs whose hashes, in any of the forms, differ by `most_bits` at most.

    Ids int64 (N,) ascending and hashes uint8 (N, B). `news`: only pairs with one of these ids. `against`: ids and
    hashes of another collection; then the first of each pair is one of ours and the second one of those.
    """

    def __init__(
        self,
        ids: np.ndarray,
        hashes: np.ndarray,
        forms: Forms,
        most_bits: int,
        *,
        news: np.ndarray | None = None,
        against: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self._ids, self._hashes, self._forms, self._most_bits = ids, hashes, forms, most_bits
        self._within = against is None
        self._others, theirs = (ids, hashes) if against is None else against
        self._bits = theirs.view(np.uint64) if len(theirs) else np.empty((0, 4), np.uint64)
        self._theirs = _words(theirs)
        self._words = [_Word(column) for column in self._theirs.T]
        self._asking = np.arange(len(ids)) if news is None else np.flatnonzero(np.isin(ids, news))
        self._is_new = np.zeros(len(ids), bool)
        self._is_new[self._asking] = True
        self.blocks = -(-len(self._asking) // BLOCK_ROWS) if len(self._others) else 0

    def run(self, first_block: int = 0) -> Iterator[Pairs]:
        """Block by block, from `first_block` on; pairs have no cosine."""
        for block in range(first_block, self.blocks):
            asking = self._asking[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS]
            mine, rows = self._near(asking)
            first, second = self._ids[mine], self._others[rows]
            if self._within:
                first, second = np.minimum(first, second), np.maximum(first, second)
            yield Pairs(block, self.blocks, first, second, np.full(len(first), np.nan, np.float32))

    def _near(self, asking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of each pair, ours and theirs, each pair once."""
        forms = self._forms(self._hashes[asking])
        found = [self._of_form(asking, np.ascontiguousarray(forms[:, number])) for number in range(forms.shape[1])]
        places, rows, _ = _nearest(_joined(found))
        return asking[places], rows

    def _of_form(self, asking: np.ndarray, turned: np.ndarray) -> Near:
        """Each pair once: by the first of its words that are equal."""
        words, bits = _words(turned), turned.view(np.uint64)
        found = []
        for number, word in enumerate(self._words):
            places, rows = self._once(asking, *word.rows_of(words[:, number]))
            apart = np.bitwise_count(bits[places] ^ self._bits[rows]).sum(axis=1, dtype=np.int64)
            near = np.flatnonzero(apart <= self._most_bits)
            before = self._theirs[rows[near], :number] == words[places[near], :number]
            near = near[~before.any(axis=1)]
            found.append((places[near], rows[near], apart[near]))
        return _nearest(_joined(found))

    def _once(self, asking: np.ndarray, places: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Within one collection: no row with itself, and of two that both ask the higher one, who sees the lowest."""
        if not self._within:
            return places, rows
        mine = asking[places]
        kept = (rows < mine) | ((rows > mine) & ~self._is_new[rows])
        return places[kept], rows[kept]


def _nearest(found: Near) -> Near:
    """Each pair once, by its best form, and of each place no more than MOST."""
    places, rows, apart = _chosen(found, np.lexsort(found[::-1]))
    once = np.flatnonzero((np.diff(places, prepend=-1) != 0) | (np.diff(rows, prepend=-1) != 0))
    places, rows, apart = _chosen((places, rows, apart), once)
    places, rows, apart = _chosen((places, rows, apart), np.lexsort((rows, apart, places)))
    few = np.flatnonzero(np.arange(len(places)) - np.searchsorted(places, places) < MOST)
    return _chosen((places, rows, apart), few)


def _joined(found: Sequence[Near]) -> Near:
    places, rows, apart = (np.concatenate(column) for column in zip(*found, strict=True))
    return places, rows, apart


def _chosen(found: Near, which: np.ndarray) -> Near:
    places, rows, apart = found
    return places[which], rows[which], apart[which]


class _Word:
    """Rows by the value of one word."""

    def __init__(self, values: np.ndarray) -> None:
        self._order = np.argsort(values, kind="stable")  # rows ascend within a value
        counts = np.bincount(values, minlength=2**WORD_BITS)
        self._starts = np.cumsum(counts) - counts
        self._counts = np.minimum(counts, MOST_ALIKE)

    def rows_of(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each row that has one of these values: the value's place among them, and the row."""
        counts = self._counts[values]
        places = np.repeat(np.arange(len(values)), counts)
        firsts = np.repeat(self._starts[values] - (np.cumsum(counts) - counts), counts)
        return places, self._order[firsts + np.arange(counts.sum())]


def _words(hashes: np.ndarray) -> np.ndarray:
    """uint16 (N, B / 2)."""
    return np.ascontiguousarray(hashes).view(np.uint16)
