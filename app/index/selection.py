"""Which rows a search may show, as numpy asks for it and as FAISS does. Made once, used by many searches."""

import functools

import faiss
import numpy as np


class Selection:
    """`mask` bool (N,). Nothing in it changes."""

    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask
        self.count = int(np.count_nonzero(mask))

    def __len__(self) -> int:
        return len(self.mask)

    @classmethod
    def without(cls, total: int, rows: np.ndarray) -> "Selection":
        mask = np.ones(total, bool)
        mask[rows] = False
        return cls(mask)

    @classmethod
    def only(cls, total: int, rows: np.ndarray) -> "Selection":
        mask = np.zeros(total, bool)
        mask[rows] = True
        return cls(mask)

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.count / max(1, len(self.mask))

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """int64, ascending."""
        return np.flatnonzero(self.mask)

    @functools.cached_property
    def selector(self) -> faiss.IDSelector | None:
        """FAISS's; none where all are shown, which it searches faster."""
        if self.count == len(self.mask):
            return None
        return faiss.IDSelectorBitmap(np.packbits(self.mask, bitorder="little"))
