"""All pairs of near perceptual hashes, block by block, for a duplicate audit: copies that were turned or mirrored too.

Two pictures are near when the hash of one is within so many bits of one of the eight forms of the other's. Equal
hashes are looked for once, so that 100,000 black frames are one. Few hashes are compared with all; many lie in cells
around some of them, and how many cells are looked into is measured on hashes with that many bits turned over.
"""

from collections.abc import Iterator
from functools import cached_property

import faiss
import numpy as np

from app.errors import InvalidInput
from app.index.join import BLOCK_ROWS, MOST, Pairs
from app.index.lanes import Lanes, cores
from app.index.recipe import cells
from app.index.vectors import as_ids, check_ids

FLAT_HASHES = 30_000  # up to so many are compared with all
SAMPLE = 1000  # hashes whose bits are turned over
TARGET = 0.99  # share of those that must be found
FIRST_EFFORT = 16  # cells
SEED = 17
BATCH = Lanes(searches=1, threads=cores())

Hashes = tuple[np.ndarray, np.ndarray]  # ids int64 (N,), each once, and uint8 (N, B)


class HashJoin:
    """Pairs of `ids` int64 (N,) whose `hashes` uint8 (N, B) are within `most_bits` of each other in one of eight forms.

    `forms` uint8 (N, 8, B) are those of each hash, itself among them; without them hashes are compared as they are.
    `news` int64 ids: only pairs with one of them at least. `against`: ids and hashes of another collection; pairs of
    one of `ids`, the first, and one of those. An image brings the `most` nearest at most, by bits, then by id; a pair
    within a collection is brought by its higher id, or by the new one. Raises InvalidInput.
    """

    def __init__(
        self,
        ids: np.ndarray,
        hashes: np.ndarray,
        most_bits: int,
        *,
        forms: np.ndarray | None = None,
        news: np.ndarray | None = None,
        against: Hashes | None = None,
        most: int = MOST,
    ) -> None:
        self._ids, self._hashes = _checked(ids, hashes)
        self._forms = self._hashes[:, None] if forms is None else _forms(forms, self._hashes)
        self._across = against is not None
        self._found = _Table(*(_checked(*against) if self._across else (self._ids, self._hashes)), most_bits)
        self._asking = np.argsort(self._ids, kind="stable")
        self._news = None if news is None else as_ids(news)
        if self._news is not None:
            self._asking = self._asking[np.isin(self._ids[self._asking], self._news)]
        self._most = most

    @property
    def blocks(self) -> int:
        return -(-len(self._asking) // BLOCK_ROWS) if len(self._found) else 0

    @property
    def effort(self) -> int:
        """Cells each hash is looked for in; 0: all hashes are compared."""
        return self._found.effort

    def run(self, first_block: int = 0) -> Iterator[Pairs]:
        """Block by block, from `first_block` on; these pairs have no cosine. Raises InvalidInput for one below 0."""
        if first_block < 0:
            raise InvalidInput(f"block {first_block} is below 0: blocks are counted from 0")
        for block in range(first_block, self.blocks):
            yield Pairs(block, self.blocks, *self._pairs(block), None)

    def _pairs(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._asking[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS]
        asking, found, bits = self._found.nearest(self._forms[rows], self._most + 1)
        first = self._ids[rows][asking]
        kept = self._brings(first, found)
        first, second = _nearest(first[kept], found[kept], bits[kept], self._most)
        if self._across:
            return first, second
        return np.minimum(first, second), np.maximum(first, second)

    def _brings(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """bool (P,)."""
        if self._across:
            return np.ones(len(first), bool)
        lower = second < first
        return lower if self._news is None else lower | ((second != first) & ~np.isin(second, self._news))


class _Table:
    """Hashes to be found, equal ones as one."""

    def __init__(self, ids: np.ndarray, hashes: np.ndarray, most_bits: int) -> None:
        self._hashes, which = np.unique(hashes, axis=0, return_inverse=True)
        order = np.lexsort((ids, which))
        self._ids, self._starts = ids[order], np.searchsorted(which[order], np.arange(len(self._hashes) + 1))
        self._most_bits = most_bits

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def effort(self) -> int:
        return self._index.nprobe if isinstance(self._index, faiss.IndexBinaryIVF) else 0

    def nearest(self, forms: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For forms uint8 (A, F, B): numbers of those that ask, ids found, bits int32. An id may come once a form.

        Of each form no more than `most` hashes, and of each hash no more than the `most` lowest ids.
        """
        count, each, width = forms.shape
        queries = np.ascontiguousarray(forms.reshape(-1, width))
        with BATCH:
            bits, places = self._index.search(queries, min(most, len(self._hashes)))
        rows, ranks = np.nonzero((places >= 0) & (bits <= self._most_bits))
        places, bits = places[rows, ranks], bits[rows, ranks]
        counts = np.minimum(self._starts[places + 1] - self._starts[places], most)
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        ids = self._ids[np.repeat(self._starts[places], counts) + nth]
        return np.repeat(rows // each, counts), ids, np.repeat(bits, counts)

    @cached_property
    def _index(self) -> faiss.IndexBinary:
        flat = faiss.IndexBinaryFlat(8 * self._hashes.shape[1])
        if len(self._hashes) <= FLAT_HASHES:
            flat.add(self._hashes)
            return flat
        rng = np.random.default_rng(SEED)
        flat.add(self._hashes[np.sort(rng.choice(len(self._hashes), cells(len(self._hashes)), replace=False))])
        index = faiss.IndexBinaryIVF(flat, flat.d, flat.ntotal)
        index.is_trained = True  # the centres are hashes themselves: a run that goes on has the same ones
        with BATCH:
            index.add(self._hashes)
            index.nprobe = self._least_effort(index, rng)
        return index

    def _least_effort(self, index: faiss.IndexBinaryIVF, rng: np.random.Generator) -> int:
        """Cells, doubled until enough hashes are found again with as many bits turned over as may differ."""
        asked = rng.choice(len(self._hashes), SAMPLE)
        bits = np.unpackbits(self._hashes[asked], axis=1)
        turned = np.argsort(rng.random(bits.shape), axis=1)[:, : self._most_bits]
        np.put_along_axis(bits, turned, 1 - np.take_along_axis(bits, turned, axis=1), axis=1)
        index.nprobe = FIRST_EFFORT
        while index.nprobe < index.nlist:
            found = index.search(np.packbits(bits, axis=1), MOST)[1]
            if (found == asked[:, None]).any(axis=1).mean() >= TARGET:
                break
            index.nprobe = min(index.nlist, 2 * index.nprobe)
        return index.nprobe


def _nearest(first: np.ndarray, second: np.ndarray, bits: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pair once, by its best form, and of each first no more than `most`."""
    order = np.lexsort((bits, second, first))
    first, second, bits = first[order], second[order], bits[order]
    once = (np.diff(first, prepend=-1) != 0) | (np.diff(second, prepend=-1) != 0)
    first, second, bits = first[once], second[once], bits[once]
    order = np.lexsort((second, bits, first))
    first, second = first[order], second[order]
    kept = np.arange(len(first)) - np.searchsorted(first, first) < most
    return first[kept], second[kept]


def _checked(ids: np.ndarray, hashes: np.ndarray) -> Hashes:
    if not isinstance(hashes, np.ndarray) or hashes.dtype != np.uint8 or hashes.ndim != 2:
        raise InvalidInput("hashes are no uint8 array of two dimensions: give one row of bytes a picture")
    return check_ids(ids, len(hashes)), np.ascontiguousarray(hashes)


def _forms(forms: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    if forms.dtype != np.uint8 or forms.ndim != 3 or forms.shape[::2] != hashes.shape:
        raise InvalidInput(f"forms are {forms.dtype} {forms.shape} of {hashes.shape} hashes: give uint8 (N, 8, bytes)")
    return forms
