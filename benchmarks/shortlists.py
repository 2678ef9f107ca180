"""Many pictures of nine vectors each, as files of a folder, and two that name for a query those worth a closer look:
our live indexes, asked as an instance search asks them, and a scan of every row by FAISS.

Drawn vectors are seeded. Fields of 30 topics of 5 pictures each; every picture its topic and something of its own,
every window its picture, or one time in ten another topic, and something of its own, now little and now much;
directions matter unequally. Set so that of 2,197 photographs under the bundled encoder, and of as many drawn pictures,
the same share of cells holds the same share of a window's nearest. Asked for is what is near one vector, a window of a
picture that nobody kept; and, as an instance search does, near a box, by that window and two more looks at it, and near
all of a picture, by the eight windows of one that is kept, seen again.
"""

import shutil
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
from app.patches.likeness import likeness
from app.search.shortlist import ASKED, ASKED_OF_A_PART, GLANCED, named
from benchmarks.engines import MODEL, dead_rows, tail_rows

WINDOWS = 8
PER_TOPIC, PER_FIELD = 5, 150  # pictures
TOPIC, OWN, APART, ELSEWHERE = 0.8, 1.0, 0.9, 0.1
TAIL = 0.5  # how unequal what is of its own is: deviation of its logarithm
FADING = 6  # directions after which the variance of a further one is half that of the first
QUERIES, K = 100, 100
LOOKS, LOOK = 3, 1.0  # vectors that a box is searched by; how far each is from the first
SEEN_AGAIN, AGAIN = 50, 0.8  # pictures; how far each of their windows then is from what is kept
CHUNK = 10_000  # pictures
WHOLE, PARTS = "whole.npy", "windows.npy"
ASKED_BY = {"vector": ASKED, "box": ASKED_OF_A_PART, "picture": ASKED}  # hits of each index for each look

Alike = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # looks (Q, L, D), whole, windows -> (Q, C)
Shortlist = Callable[[np.ndarray, int], np.ndarray]  # unit vectors (L, D), hits asked of each -> numbers of pictures


def draw(folder: Path, size: int, dim: int) -> None:
    """WHOLE float32 (N, D), PARTS (N, WINDOWS, D); of each way to ask, looks (Q, L, D) and the living pictures that are
    nearest to each: int64 (Q, K), best first."""
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was ended
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    fields, topics = (_normal(rng, max(1, size // each), dim) for each in (PER_FIELD, PER_TOPIC))
    topics = fields[rng.integers(0, len(fields), len(topics))] + TOPIC * topics
    whole = np.lib.format.open_memmap(folder / WHOLE, "w+", np.float32, (size, dim))
    windows = np.lib.format.open_memmap(folder / PARTS, "w+", np.float32, (size, WINDOWS, dim))
    for start in range(0, size, CHUNK):
        there = slice(start, min(start + CHUNK, size))
        whole[there], windows[there] = _drawn(topics, there.stop - start, rng)
    _ask(folder, topics, whole, windows, rng)


def _ask(folder: Path, topics: np.ndarray, whole: np.ndarray, windows: np.ndarray, rng: np.random.Generator) -> None:
    size, _, dim = windows.shape
    queries = _drawn(topics, QUERIES, rng)[1][:, :1]
    looks = _unit(queries + LOOK / dim**0.5 * rng.standard_normal((QUERIES, LOOKS - 1, dim), np.float32))
    kept = np.sort(rng.choice(size - tail_rows(size), SEEN_AGAIN, replace=False))
    seen = _unit(windows[kept] + AGAIN * _unit(_normal(rng, SEEN_AGAIN, WINDOWS, dim)))
    near = _best(_nearest, queries, whole, windows)
    _keep(folder, "vector", queries, near)
    _keep(folder, "box", np.concatenate([queries, looks], axis=1), near)
    _keep(folder, "picture", seen, _best(_alike, seen, whole, windows))


def _keep(folder: Path, way: str, looks: np.ndarray, true: np.ndarray) -> None:
    np.savez(folder / f"{way}.npz", looks=looks, true=true)


def questions(folder: Path, way: str) -> tuple[np.ndarray, np.ndarray]:
    """Looks and true pictures, see `draw`."""
    with np.load(folder / f"{way}.npz") as kept:
        return kept["looks"], kept["true"]


def _drawn(topics: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    dim = topics.shape[1]
    pictures = topics[rng.integers(0, len(topics), count)] + OWN * _tailed(rng, count, dim)
    shown = np.repeat(pictures[:, None], WINDOWS, axis=1)
    elsewhere = rng.random((count, WINDOWS)) < ELSEWHERE
    others = int(elsewhere.sum())
    shown[elsewhere] = topics[rng.integers(0, len(topics), others)] + OWN * _tailed(rng, others, dim)
    return _unit(pictures), _unit(shown + APART * _tailed(rng, count, WINDOWS, dim))


def _nearest(looks: np.ndarray, whole: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """To the first look, by any vector: (Q, C)."""
    return np.maximum(looks[:, 0] @ whole.T, (windows @ looks[:, 0].T).max(axis=1).T)


def _alike(looks: np.ndarray, whole: np.ndarray, windows: np.ndarray) -> np.ndarray:
    return np.stack([likeness(picture, windows, both_ways=True) for picture in looks])


def _best(alike: Alike, looks: np.ndarray, whole: np.ndarray, windows: np.ndarray) -> np.ndarray:
    dead = np.zeros(len(whole), bool)
    dead[dead_rows(len(whole))] = True
    kept = np.empty((len(looks), 0)), np.empty((len(looks), 0), np.int64)
    for start in range(0, len(whole), CHUNK):
        there = slice(start, min(start + CHUNK, len(whole)))
        cosines = alike(looks, whole[there], windows[there])
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

    return lambda looks, asked: named(whole, windows, looks, asked)[:GLANCED] - 1


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

    def shortlist(looks: np.ndarray, asked: int) -> np.ndarray:
        return np.union1d(whole.search(_middle(looks), asked)[1], windows.search(looks, asked)[1] // WINDOWS)

    return shortlist


def _middle(looks: np.ndarray) -> np.ndarray:
    return _unit(looks.mean(axis=0, keepdims=True))


def _tailed(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.exp(TAIL * rng.standard_normal((*shape[:-1], 1), np.float32)) * _normal(rng, *shape)


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    weights = (1 + np.arange(shape[-1]) / FADING) ** -0.5
    return rng.standard_normal(shape, np.float32) * weights.astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
