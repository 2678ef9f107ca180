"""One way to score a pair, whatever found it, so that the same pair always has the same score."""

import numpy as np

CHUNK_ROWS = 4096  # 12 MB of 384 doubles
TIE_SLACK = 1e-5  # float32 sums of one pair differ by less than this between kernels; closer than that is decided here


def exact_scores(query: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Cosine float64 (M,), -1..1, of unit vectors float32: query (D,) with each row of (M, D).

    FAISS and BLAS add in an order that depends on the batch, so equal pictures would differ in the last digits and
    swap places between two searches. Products of two float32 are exact in float64, and numpy adds each row alike.
    """
    query = query.astype(np.float64)
    chunks = [vectors[start : start + CHUNK_ROWS] for start in range(0, len(vectors), CHUNK_ROWS)]
    sums = [(chunk.astype(np.float64) * query).sum(axis=1) for chunk in chunks]
    return np.clip(np.concatenate([np.empty(0), *sums]), -1.0, 1.0)


def pair_scores(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine float64 (P,) of each row of float32 (P, D) with that row of another, to the digit `exact_scores`."""
    chunks = [slice(start, start + CHUNK_ROWS) for start in range(0, len(first), CHUNK_ROWS)]
    sums = [(first[chunk].astype(np.float64) * second[chunk]).sum(axis=1) for chunk in chunks]
    return np.clip(np.concatenate([np.empty(0), *sums]), -1.0, 1.0)
