"""The older rows of a tail at half precision: scanned in half the time, and what is found is scored again in full.

A tail of 10,000 rows of 384 floats is 15 MB. Scanned with every search it also drives the cells' own data out of the
processor's cache, which costs as much again.
"""

import faiss
import numpy as np

from app.index.scan import scan
from app.index.scores import TIE_SLACK
from app.index.selection import Selection

ROWS = 1024  # that are packed at once
# Rounding moves each number by 2^-11 of itself at most, so the product of two unit vectors by no more (Cauchy and
# Schwarz): of two rows one may lose this, the other gain it.
SLACK = 2 * (2**-11 + TIE_SLACK)


class Packed:
    """Rows 0 to len - 1 of a tail. Never changes: `covering` makes the next one."""

    def __init__(self, index: faiss.IndexScalarQuantizer) -> None:
        self._index = index

    @classmethod
    def empty(cls, dim: int) -> "Packed":
        return cls(faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT))

    def __len__(self) -> int:
        return self._index.ntotal

    def covering(self, vectors: np.ndarray) -> "Packed":
        """For a tail that grew to these rows, of which this one holds the first. Itself while few are new."""
        if len(vectors) - len(self) < ROWS:
            return self
        grown = faiss.clone_index(self._index)  # a search may be in the old one
        grown.add(vectors[len(self) :])
        return Packed(grown)

    def shortlist(self, queries: np.ndarray, k: int, shown: Selection) -> list[np.ndarray]:
        """For each query, rows here that surely hold its k nearest of those shown here, ties included."""
        return scan(self._index, queries, k, shown, SLACK)
