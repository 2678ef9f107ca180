"""All pairs of near hashes, block by block, for a duplicate audit: what vectors call far may have the same outlines.

A hash is 16 words of 16 bits. Two are compared where one word is equal: surely for hashes that differ by 15 bits, and
for nine in ten of those that differ by 32. Words that thousands have, as those of black pictures, are cut to the rows
with the lowest ids.
"""

from collections.abc import Callable, Iterator

import numpy as np

from app.index.join import Pairs

WORD_BITS = 16
BLOCK_ROWS = 4096  # that ask together: some 30 MB of candidates for each form
MOST_ALIKE = 256  # rows of one word that are looked at
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
        self._words = [_Word(column) for column in _words(theirs).T]
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
        keys = np.unique(np.concatenate(found))
        return asking[keys // len(self._others)], keys % len(self._others)

    def _of_form(self, asking: np.ndarray, turned: np.ndarray) -> np.ndarray:
        """Pairs as one number: place in `asking` * rows + row."""
        words, bits = _words(turned), turned.view(np.uint64)
        keys = []
        for word, column in zip(self._words, words.T, strict=True):
            places, rows = word.rows_of(column)
            places, rows = self._once(asking, places, rows)
            apart = np.bitwise_count(bits[places] ^ self._bits[rows]).sum(axis=1)
            near = apart <= self._most_bits
            keys.append(places[near] * len(self._others) + rows[near])
        return np.unique(np.concatenate(keys))

    def _once(self, asking: np.ndarray, places: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Within one collection: no row with itself, and of two that both ask the lower one."""
        if not self._within:
            return places, rows
        mine = asking[places]
        kept = (rows > mine) | ((rows < mine) & ~self._is_new[rows])
        return places[kept], rows[kept]


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
