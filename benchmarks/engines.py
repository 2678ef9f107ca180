"""Vector engines in one shape: build a folder of files from vectors, open it, ask it. Ours is the one that lives.

The live one is asked as the product does: a snapshot, a tail of fresh rows, tombstones, ids and exact scores out.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from app.index import recipe, snapshot
from app.index.cells import CELLS, VECTORS
from app.index.lanes import Lanes
from app.index.live import LiveIndex

MOST_TAIL_ROWS, TAIL_SHARE, DEAD_SHARE = 10_000, 0.05, 0.01
BATCH_ROWS = 65_536
HNSW = {"M": 16, "ef_construction": 100}
MODEL = "benchmark"

Search = Callable[[np.ndarray, int], np.ndarray]  # unit vectors (Q, D), k -> row numbers (Q, k)


@dataclass(frozen=True)
class Engine:
    """`search` takes what `build` left in the folder; `effort` is how hard it looks, where that can be chosen."""

    name: str
    build: Callable[[Path, np.ndarray], None]
    open: Callable[[Path, np.ndarray, int, int], Search]  # folder, the vectors (for a live tail), threads, effort
    efforts: tuple[int, ...] = (0,)
    lives: bool = False  # some of its rows are tombstones


def build_ours(folder: Path, vectors: np.ndarray, name: str = "ours") -> None:
    """All but the last rows, which stay for the tail. Ids are row numbers + 1."""
    count = len(vectors) - tail_rows(len(vectors))
    batches = (
        (
            np.arange(start, min(start + BATCH_ROWS, count)) + 1,
            np.asarray(vectors[start : min(start + BATCH_ROWS, count)]),
        )
        for start in range(0, count, BATCH_ROWS)
    )
    snapshot.build(folder / name, batches, dim=vectors.shape[1], model_key=MODEL, watermark=0)


def build_cells(folder: Path, vectors: np.ndarray) -> None:
    """As a collection too large to scan gets them, whatever the size of this one."""
    recipe.RECIPES = (recipe.get_recipe("cells-8bit"),)
    build_ours(folder, vectors, "cells")


def open_ours(folder: Path, vectors: np.ndarray, threads: int, effort: int, name: str = "ours") -> Search:
    live = LiveIndex(vectors.shape[1], snapshot.open(folder / name), Lanes(searches=1, threads=threads))
    fresh = np.arange(len(vectors) - tail_rows(len(vectors)), len(vectors))
    live.absorb(fresh + 1, np.asarray(vectors[fresh]))
    live.bury(dead_rows(len(vectors)) + 1)

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        return np.array([[hit.image_id - 1 for hit in hits] for hits in live.search(queries, k)])

    return search


def tail_rows(count: int) -> int:
    return min(MOST_TAIL_ROWS, int(count * TAIL_SHARE))


def dead_rows(count: int) -> np.ndarray:
    return np.sort(np.random.default_rng(3).choice(count, int(count * DEAD_SHARE), replace=False))


def open_bare(folder: Path, vectors: np.ndarray, threads: int, effort: int) -> Search:
    """The very files of our snapshot, asked by FAISS alone, as far as they were tuned to: no rescoring, no ids."""
    facts = snapshot.open(folder / "ours").manifest
    index = faiss.read_index(str(folder / "ours" / (CELLS if facts.effort else VECTORS)), faiss.IO_FLAG_MMAP_IFC)
    faiss.omp_set_num_threads(threads)
    params = faiss.SearchParametersIVF(nprobe=facts.effort) if facts.effort else None
    return lambda queries, k: index.search(queries, k, params=params)[1]


def build_hnswlib(folder: Path, vectors: np.ndarray) -> None:
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=HNSW["M"], ef_construction=HNSW["ef_construction"])
    index.add_items(vectors)
    index.save_index(str(folder / "hnswlib.bin"))


def open_hnswlib(folder: Path, vectors: np.ndarray, threads: int, effort: int) -> Search:
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.load_index(str(folder / "hnswlib.bin"))
    index.set_ef(effort)
    index.set_num_threads(threads)
    return lambda queries, k: index.knn_query(queries, k)[0]


def build_usearch(folder: Path, vectors: np.ndarray) -> None:
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1],
        metric="ip",
        dtype="f32",
        connectivity=HNSW["M"],
        expansion_add=HNSW["ef_construction"],
    )
    index.add(np.arange(len(vectors)), np.asarray(vectors))
    index.save(str(folder / "usearch.bin"))


def open_usearch(folder: Path, vectors: np.ndarray, threads: int, effort: int) -> Search:
    from usearch.index import Index

    index = Index.restore(str(folder / "usearch.bin"), view=True)
    index.expansion_search = effort
    return lambda queries, k: np.asarray(index.search(queries, k, threads=threads).keys).reshape(len(queries), -1)


ENGINES = (
    Engine("dinoseek, live", build_ours, open_ours, lives=True),
    Engine("bare faiss, same cells", lambda folder, vectors: None, open_bare),
    Engine("hnswlib", build_hnswlib, open_hnswlib, (16, 32, 64, 128, 256)),
    Engine("usearch", build_usearch, open_usearch, (16, 32, 64, 128, 256)),
)
LIVE_CELLS = Engine(
    "dinoseek, live, cells", build_cells, functools.partial(open_ours, name="cells"), lives=True
)  # where photos are too few to need any


def get_engine(name: str) -> Engine:
    return {engine.name: engine for engine in (*ENGINES, LIVE_CELLS)}[name]
