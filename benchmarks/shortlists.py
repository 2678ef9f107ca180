"""Many pictures of nine vectors each, as files of a folder, and two that name a hundred of them for a query: our live
indexes, as the product asks them, and a scan of every row by FAISS.

Drawn vectors are seeded: a topic for each twenty pictures, each picture its topic and something of its own, each window
its picture, or one time in ten another topic, and something of its own; directions matter unequally. Set so that the
cosines of windows with their picture, with each other and with the nearest of others come out as of photographs under
the bundled encoder. Queries are windows of pictures that nobody kept.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np

from app.catalog.regions import EACH
from app.index import snapshot
from app.index.cells import VECTORS
from app.index.lanes import Lanes
from app.index.live import LiveIndex
from benchmarks.engines import MODEL, dead_rows, tail_rows

WINDOWS = 8
PER_TOPIC, OWN, APART, ELSEWHERE = 20, 0.6, 0.6, 0.1
FADING = 12  # directions after which the variance of a further one is half that of the first
QUERIES, K = 100, 100
ROWS = 4 * K  # windows asked for: several of the nearest are of one picture
CHUNK = 10_000  # pictures
WHOLE, PARTS = "whole.npy", "windows.npy"

Shortlist = Callable[[np.ndarray], np.ndarray]  # a unit vector (D) -> numbers of K pictures


def draw(folder: Path, size: int, dim: int) -> None:
    """WHOLE float32 (N, D), PARTS (N, WINDOWS, D), queries (Q, D), and `true`: int64 (Q, K), the best living ones."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    topics = _normal(rng, max(1, size // PER_TOPIC), dim)
    whole = np.lib.format.open_memmap(folder / WHOLE, "w+", np.float32, (size, dim))
    windows = np.lib.format.open_memmap(folder / PARTS, "w+", np.float32, (size, WINDOWS, dim))
    for start in range(0, size, CHUNK):
        there = slice(start, min(start + CHUNK, size))
        whole[there], windows[there] = _drawn(topics, there.stop - start, rng)
    queries = _drawn(topics, QUERIES, rng)[1][:, 0]
    np.save(folder / "queries.npy", queries)
    np.save(folder / "true.npy", _best(queries, whole, windows))


def _drawn(topics: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    dim = topics.shape[1]
    own = topics[rng.integers(0, len(topics), count)] + OWN * _normal(rng, count, dim)
    others = topics[rng.integers(0, len(topics), (count, WINDOWS))] + OWN * _normal(rng, count, WINDOWS, dim)
    elsewhere = rng.random((count, WINDOWS, 1)) < ELSEWHERE
    windows = np.where(elsewhere, others, own[:, None]) + APART * _normal(rng, count, WINDOWS, dim)
    return _unit(own), _unit(windows)


def _best(queries: np.ndarray, whole: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Numbers of the pictures of which any vector is nearest, without the dead, in no order."""
    dead = np.zeros(len(whole), bool)
    dead[dead_rows(len(whole))] = True
    kept = np.empty((len(queries), 0)), np.empty((len(queries), 0), np.int64)
    for start in range(0, len(whole), CHUNK):
        there = slice(start, min(start + CHUNK, len(whole)))
        cosines = np.maximum(queries @ whole[there].T, (windows[there] @ queries.T).max(axis=1).T)
        cosines[:, dead[there]] = -2
        numbers = np.broadcast_to(np.arange(there.start, there.stop), cosines.shape)
        kept = _most(np.hstack([kept[0], cosines]), np.hstack([kept[1], numbers]))
    return kept[1]


def _most(cosines: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best = np.argpartition(-cosines, K - 1, axis=1)[:, :K]
    return np.take_along_axis(cosines, best, axis=1), np.take_along_axis(numbers, best, axis=1)


def build(folder: Path) -> None:
    """Both snapshots, of all but the pictures that stay for the tails. An image's id is its number + 1."""
    whole, windows = (np.load(folder / name, mmap_mode="r") for name in (WHOLE, PARTS))
    kept = len(whole) - tail_rows(len(whole))
    for name, rows in (("whole", whole), ("windows", windows)):
        batches = ((ids, vectors) for ids, vectors in _batches(rows, 0, kept))
        snapshot.build(folder / name, batches, dim=whole.shape[1], model_key=MODEL, watermark=0)


def _batches(rows: np.ndarray, first: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(first, end, CHUNK):
        stop = min(start + CHUNK, end)
        yield _ids(np.arange(start, stop), rows.ndim == 3), rows[start:stop].reshape(-1, rows.shape[-1])


def _ids(numbers: np.ndarray, windows: bool) -> np.ndarray:
    return ((numbers[:, None] + 1) * EACH + np.arange(WINDOWS)).ravel() if windows else numbers + 1


def open_ours(folder: Path) -> Shortlist:
    """With tails and tombstones. The nearest of both indexes, each picture once, by the nearest of its vectors."""
    whole, windows = _live(folder, "whole", WHOLE), _live(folder, "windows", PARTS)

    def shortlist(query: np.ndarray) -> np.ndarray:
        best = dict(whole.search(query[None], K)[0])
        for region_id, score in windows.search(query[None], ROWS)[0]:
            best[region_id // EACH] = max(score, best.get(region_id // EACH, -1.0))
        return np.array(sorted(best, key=best.get, reverse=True)[:K]) - 1

    return shortlist


def _live(folder: Path, name: str, file: str) -> LiveIndex:
    rows = np.load(folder / file, mmap_mode="r")
    live = LiveIndex(rows.shape[-1], snapshot.open(folder / name), Lanes(searches=1, threads=1))
    for ids, vectors in _batches(rows, len(rows) - tail_rows(len(rows)), len(rows)):
        live.absorb(ids, vectors)
    live.bury(_ids(dead_rows(len(rows)), rows.ndim == 3))
    return live


def open_scan(folder: Path) -> Shortlist:
    """Every row of the same two snapshots looked at by FAISS on all cores: no tail, no tombstones, nothing missed."""
    whole, windows = (
        faiss.read_index(str(folder / name / VECTORS), faiss.IO_FLAG_MMAP_IFC) for name in ("whole", "windows")
    )

    def shortlist(query: np.ndarray) -> np.ndarray:
        scores, numbers = whole.search(query[None], K)
        region_scores, rows = windows.search(query[None], ROWS)
        numbers = np.concatenate([numbers[0], rows[0] // WINDOWS])
        order = np.argsort(-np.concatenate([scores[0], region_scores[0]]), kind="stable")
        return np.array(list(dict.fromkeys(numbers[order].tolist()))[:K])

    return shortlist


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    weights = (1 + np.arange(shape[-1]) / FADING) ** -0.5
    return rng.standard_normal(shape, np.float32) * weights.astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
