"""Every row of a FAISS index looked at, and no tie at the cut missed."""

import faiss
import numpy as np

from app.index.scores import TIE_SLACK
from app.index.selection import Selection

SPARE = 16  # rows asked beyond k, so that ties at the cut are mostly in already
SPARE_SHARE = 0.25  # of k, where that is more: far down scores lie closer, and to ask for ties is a scan of its own


def scan(
    index: faiss.Index, queries: np.ndarray, k: int, shown: Selection, slack: float = TIE_SLACK
) -> list[np.ndarray]:
    """For each query the rows of its k nearest of the shown, and of all that could be: int64, in no order.

    `slack` is how far below that of the k-th a score of this index may be though its true one is above.
    """
    if not index.ntotal:
        return [np.empty(0, np.int64)] * len(queries)
    params = None if shown.selector is None else faiss.SearchParameters(sel=shown.selector)
    scores, rows = index.search(queries, min(k + max(SPARE, int(k * SPARE_SHARE)), index.ntotal), params=params)
    return [_with_ties(index, *found, k, slack, params) for found in zip(queries, scores, rows, strict=True)]


def _with_ties(index, query, scores, rows, k: int, slack: float, params) -> np.ndarray:
    if rows[-1] < 0 or len(rows) <= k:  # FAISS pads with -1 where fewer rows are shown
        return rows[rows >= 0]
    cut = float(scores[k - 1]) - slack
    if scores[-1] < cut:
        return rows
    _, _, tied = index.range_search(query[None], cut, params=params)
    return tied
