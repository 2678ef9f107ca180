"""Unit vectors, snapshots of them, and what plain numpy says the nearest are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.index import snapshot

MODEL = "vits14/weights/squash224-v1/fp32"


def unit_vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    """float32 (count, dim)."""
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def batched(ids: np.ndarray, vectors: np.ndarray, size: int = 100) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size], vectors[start : start + size]


def make_snapshot(folder: Path, ids: np.ndarray, vectors: np.ndarray) -> snapshot.Snapshot:
    snapshot.build(folder, batched(ids, vectors), dim=vectors.shape[1], model_key=MODEL, watermark=7)
    return snapshot.open(folder, expect_model_key=MODEL, expect_vectors=len(ids))


def nearest(rows: dict[int, np.ndarray], query: np.ndarray, k: int) -> list[tuple[int, float]]:
    """(id, cosine) of the k nearest of `rows`, best first, ties by id."""
    scored = [(-float((row.astype(np.float64) * query.astype(np.float64)).sum()), image) for image, row in rows.items()]
    return [(image, min(1.0, -score)) for score, image in sorted(scored)[:k]]
