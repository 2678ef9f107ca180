"""What the engines are asked about: vectors, queries, and the true nearest, as files of a folder.

Drawn ones are seeded: count / 50 centres from a bell curve in 384 dimensions, each vector a centre plus 0.9 times
another draw, made unit; queries are drawn alike. Those of photos are what the bundled encoder says of a folder: a tenth
of them are queries, the others are searched.
"""

from pathlib import Path

import numpy as np

from app.settings import Settings
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from benchmarks.engines import dead_rows
from training.pictures import photo_files

DIM, PER_CENTRE, SPREAD = 384, 50, 0.9
QUERIES, K = 500, 10
MODEL = "dinoseek_tiny14"
CHUNK_ROWS = 50_000
NOBODY = np.empty(0, np.int64)


def draw(folder: Path, size: int) -> None:
    """Seeded vectors, made on disk in portions."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(size // PER_CENTRE, DIM)).astype(np.float32)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (size, DIM))
    for start in range(0, size, CHUNK_ROWS):
        vectors[start : start + CHUNK_ROWS] = _drawn(centres, min(CHUNK_ROWS, size - start), rng)
    _ask(folder, _drawn(centres, QUERIES, rng), vectors)


def of_photos(folder: Path, photos: Path) -> None:
    folder.mkdir()
    encoder = Encoder.open(MODEL, Settings(_env_file=None).weights)
    with Decoder(Settings(_env_file=None)) as decoder:
        futures = [decoder.submit(path, preprocessing=encoder.key.preprocessing) for path in photo_files(photos)]
        vectors = encoder.embed([future.result().pixels for future in futures])
    vectors = np.random.default_rng(0).permutation(vectors)
    np.save(folder / "vectors.npy", vectors[len(vectors) // 10 :])
    _ask(folder, vectors[: len(vectors) // 10], vectors[len(vectors) // 10 :])


def _ask(folder: Path, queries: np.ndarray, vectors: np.ndarray) -> None:
    """Note the queries, and for each the true nearest, of all and of those that live."""
    np.save(folder / "queries.npy", queries)
    np.save(folder / "everything.npy", _nearest(queries, vectors))
    np.save(folder / "living.npy", _nearest(queries, vectors, dead_rows(len(vectors))))


def _nearest(queries: np.ndarray, vectors: np.ndarray, dead: np.ndarray = NOBODY) -> np.ndarray:
    """Rows of the true K nearest that are not dead, in no order: int64 (Q, K)."""
    rows, scores = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), CHUNK_ROWS):
        found = queries @ vectors[start : start + CHUNK_ROWS].T
        found[:, dead[(dead >= start) & (dead < start + CHUNK_ROWS)] - start] = -2
        here = np.argpartition(-found, K, axis=1)[:, :K]
        rows = np.concatenate([rows, here + start], axis=1)
        scores = np.concatenate([scores, np.take_along_axis(found, here, axis=1)], axis=1)
    best = np.argpartition(-scores, K - 1, axis=1)[:, :K]
    return np.take_along_axis(rows, best, axis=1)


def _drawn(centres: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    rows = centres[rng.integers(0, len(centres), count)] + SPREAD * rng.normal(size=(count, DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
