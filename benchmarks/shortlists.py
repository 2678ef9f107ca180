"""Many pictures of nine vectors each, as files of a folder, and two that name for a query those worth a closer look:
our live indexes, asked as an instance search asks them, and a scan of every row by FAISS.

Drawn vectors are seeded. Fields of 30 topics of 5 pictures each; every picture its topic and something of its own,
every window its picture, or one time in ten another topic, and something of its own, now little and now much;
directions matter unequally. Set so that of 2,197 photographs under the bundled encoder, and of as many drawn pictures,
the same share of cells holds the same share of a window's nearest. Queries are windows of pictures that nobody kept.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np

from app.catalog.regions import EACH
from app.index import snapshot
from app.index.building import Target
from app.index.cells import VECTORS
from app.index.lanes import SERVING
from app.index.live import LiveIndex
from app.search.shortlist import ASKED, ASKED_OF_A_PART, named
from benchmarks.engines import MODEL, dead_rows, tail_rows

WINDOWS = 8
PER_TOPIC, PER_FIELD = 5, 150  # pictures
TOPIC, OWN, APART, ELSEWHERE = 0.8, 1.0, 0.9, 0.1
TAIL = 0.5  # how unequal what is of its own is: deviation of its logarithm
FADING = 6  # directions after which the variance of a further one is half that of the first
QUERIES, K = 100, 100
LOOKS, LOOK = 3, 1.0  # vectors that a box is searched by; how far each is from the first
CHUNK = 10_000  # pictures
WHOLE, PARTS = "whole.npy", "windows.npy"

Shortlist = Callable[[np.ndarray], np.ndarray]  # unit vectors (A, D), looks at one thing -> numbers of pictures


def draw(folder: Path, size: int, dim: int) -> None:
    """WHOLE float32 (N, D), PARTS (N, WINDOWS, D), queries (Q, LOOKS, D), and `true`: int64 (Q, K), the living pictures
    that have the nearest to each query's first, best first."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    fields, topics = (_normal(rng, max(1, size // each), dim) for each in (PER_FIELD, PER_TOPIC))
    topics = fields[rng.integers(0, len(fields), len(topics))] + TOPIC * topics
    whole = np.lib.format.open_memmap(folder / WHOLE, "w+", np.float32, (size, dim))
    windows = np.lib.format.open_memmap(folder / PARTS, "w+", np.float32, (size, WINDOWS, dim))
    for start in range(0, size, CHUNK):
        there = slice(start, min(start + CHUNK, size))
        whole[there], windows[there] = _drawn(topics, there.stop - start, rng)
    queries = _drawn(topics, QUERIES, rng)[1][:, :1]
    looks = _unit(queries + LOOK / dim**0.5 * rng.standard_normal((QUERIES, LOOKS - 1, dim), np.float32))
    np.save(folder / "queries.npy", np.concatenate([queries, looks], axis=1))
    np.save(folder / "true.npy", _best(queries[:, 0], whole, windows))


def _drawn(topics: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    dim = topics.shape[1]
    pictures = topics[rng.integers(0, len(topics), count)] + OWN * _tailed(rng, count, dim)
    shown = np.repeat(pictures[:, None], WINDOWS, axis=1)
    elsewhere = rng.random((count, WINDOWS)) < ELSEWHERE
    others = int(elsewhere.sum())
    shown[elsewhere] = topics[rng.integers(0, len(topics), others)] + OWN * _tailed(rng, others, dim)
    return _unit(pictures), _unit(shown + APART * _tailed(rng, count, WINDOWS, dim))


def _best(queries: np.ndarray, whole: np.ndarray, windows: np.ndarray) -> np.ndarray:
    dead = np.zeros(len(whole), bool)
    dead[dead_rows(len(whole))] = True
    kept = np.empty((len(queries), 0)), np.empty((len(queries), 0), np.int64)
    for start in range(0, len(whole), CHUNK):
        there = slice(start, min(start + CHUNK, len(whole)))
        cosines = np.maximum(queries @ whole[there].T, (windows[there] @ queries.T).max(axis=1).T)
        cosines[:, dead[there]] = -2
        numbers = np.broadcast_to(np.arange(there.start, there.stop), cosines.shape)
        kept = _most(np.hstack([kept[0], cosines]), np.hstack([kept[1], numbers]))
    return np.take_along_axis(kept[1], np.argsort(-kept[0], axis=1), axis=1)


def _most(cosines: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best = np.argpartition(-cosines, K - 1, axis=1)[:, :K]
    return np.take_along_axis(cosines, best, axis=1), np.take_along_axis(numbers, best, axis=1)


def build(folder: Path) -> None:
    """Both snapshots, of all but the pictures that stay for the tails. An image's id is its number + 1."""
    whole, windows = (np.load(folder / name, mmap_mode="r") for name in (WHOLE, PARTS))
    kept = len(whole) - tail_rows(len(whole))
    for name, rows, each in (("whole", whole, 1), ("windows", windows, WINDOWS)):
        batches, target = _batches(rows, 0, kept), Target(asks=each)
        snapshot.build(folder / name, batches, dim=whole.shape[1], model_key=MODEL, watermark=0, target=target)


def _batches(rows: np.ndarray, first: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(first, end, CHUNK):
        stop = min(start + CHUNK, end)
        yield _ids(np.arange(start, stop), rows.ndim == 3), rows[start:stop].reshape(-1, rows.shape[-1])


def _ids(numbers: np.ndarray, windows: bool) -> np.ndarray:
    return ((numbers[:, None] + 1) * EACH + np.arange(WINDOWS)).ravel() if windows else numbers + 1


def open_ours(folder: Path) -> Shortlist:
    """With tails and tombstones."""
    whole, windows = _live(folder, "whole", WHOLE), _live(folder, "windows", PARTS)

    def shortlist(looks: np.ndarray) -> np.ndarray:
        return named(whole, windows, looks, _asked(looks)) - 1

    return shortlist


def _live(folder: Path, name: str, file: str) -> LiveIndex:
    rows = np.load(folder / file, mmap_mode="r")
    live = LiveIndex(rows.shape[-1], snapshot.open(folder / name), SERVING)
    for ids, vectors in _batches(rows, len(rows) - tail_rows(len(rows)), len(rows)):
        live.absorb(ids, vectors)
    live.bury(_ids(dead_rows(len(rows)), rows.ndim == 3))
    return live


def open_scan(folder: Path) -> Shortlist:
    """Every row of the same two snapshots looked at by FAISS on all cores: no tail, no tombstones, nothing missed."""
    whole, windows = (
        faiss.read_index(str(folder / name / VECTORS), faiss.IO_FLAG_MMAP_IFC) for name in ("whole", "windows")
    )

    def shortlist(looks: np.ndarray) -> np.ndarray:
        asked = _asked(looks)
        return np.union1d(whole.search(_middle(looks), asked)[1], windows.search(looks, asked)[1] // WINDOWS)

    return shortlist


def _asked(looks: np.ndarray) -> int:
    """Of each index for each look, as a search does: one look is at all of a picture, several are at a part."""
    return ASKED if len(looks) in (1, WINDOWS) else ASKED_OF_A_PART


def _middle(looks: np.ndarray) -> np.ndarray:
    return _unit(looks.mean(axis=0, keepdims=True))


def _tailed(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.exp(TAIL * rng.standard_normal((*shape[:-1], 1), np.float32)) * _normal(rng, *shape)


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    weights = (1 + np.arange(shape[-1]) / FADING) ** -0.5
    return rng.standard_normal(shape, np.float32) * weights.astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
