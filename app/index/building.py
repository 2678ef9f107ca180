"""Vectors that come in batches, in any order, written as the files of a snapshot in bounded memory.

Rows are spooled to disk as they come; only the ids (8 bytes each) stay in memory. Once all are known they are copied
in the order of their ids, so a build needs twice the disk and about CHUNK_ROWS vectors of memory, whatever N is.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from app.index import cells
from app.index.cells import CELLS, VECTORS
from app.index.durable import DurableFile, storage_trouble, write_all
from app.index.manifest import FileFacts
from app.index.recipe import EXACT, Recipe, choose
from app.index.vectors import check_rows, refuse_repeats

IDS = "ids.npy"
SPOOL = "spool.f32"
CHUNK_ROWS = 16_384  # 25 MB of 384 floats: large enough for the disk, small enough for any machine

Batches = Iterable[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Target:
    """What a snapshot must reach, what its packed vectors may take in memory, and what it is asked."""

    recall_at_10: float = 0.97
    memory_bytes: float = math.inf
    asks: int = 1  # vectors in one search


USUAL = Target()


@dataclass(frozen=True)
class Draft:
    """The data files of a snapshot before its manifest."""

    recipe: Recipe
    vectors: int
    files: Mapping[str, FileFacts]
    effort: int = 0  # cells a search looks into; 0: it scans every row
    recall_at_10: float = 1.0


def spool(part: Path, batches: Batches, dim: int) -> np.ndarray:
    """Checks every batch and appends it to the spool in `part`; ids int64 (N,) in the order they came.

    Raises BadVector or InvalidInput for the first bad row or repeated id. What `batches` raises passes untouched.
    """
    seen = [np.empty(0, np.int64)]
    with storage_trouble(part):
        file = (part / SPOOL).open("xb", buffering=0)
    with file:
        for ids, vectors in batches:
            ids, vectors = check_rows(ids, vectors, dim)
            seen.append(ids)
            with storage_trouble(part):
                _append(file, vectors)
    return np.concatenate(seen)


def write_draft(part: Path, ids: np.ndarray, dim: int, target: Target) -> Draft:
    """Turns the spool, whose row r belongs to ids[r], into the data files, flushed to the disk. Removes the spool."""
    order = np.argsort(ids)
    refuse_repeats(ids[order])
    files = {VECTORS: _write_vectors(part, order, dim), IDS: _write_ids(part, ids[order])}
    (part / SPOOL).unlink()
    return _with_cells(part, dim, target, Draft(EXACT, len(ids), files))


def _with_cells(part: Path, dim: int, target: Target, draft: Draft) -> Draft:
    """The draft itself where a scan is meant, or is all that finds enough."""
    recipe = choose(draft.vectors, dim, target.memory_bytes, target.asks)
    built = cells.build(part, dim, recipe, target.recall_at_10) if recipe.codes else None
    if built is None:
        return draft
    files = {**draft.files, CELLS: built.file}
    return Draft(recipe, draft.vectors, files, built.effort, built.recall_at_10)


def flat_head(count: int, dim: int) -> bytes:
    """What FAISS writes before the rows of a flat index of `count` vectors, which then need not be in memory.

    FAISS's own bytes for no vectors, with the two counts set: rows (uint64 at 8) and floats (the last uint64).
    """
    head = bytearray(faiss.serialize_index(faiss.IndexFlatIP(dim)).tobytes())
    head[8:16] = count.to_bytes(8, "little")
    head[-8:] = (count * dim).to_bytes(8, "little")
    return bytes(head)


def _append(file, vectors: np.ndarray) -> None:
    if len(vectors):  # an empty array can't be seen as bytes
        write_all(file, vectors.data)


def _write_vectors(part: Path, order: np.ndarray, dim: int) -> FileFacts:
    out = DurableFile(part / VECTORS)
    out.write(flat_head(len(order), dim))
    for rows in _chunks(part / SPOOL, order, dim):
        out.write(rows.data)
    return out.finish()


def _chunks(path: Path, order: np.ndarray, dim: int) -> Iterable[np.ndarray]:
    if not len(order):  # an empty file can't be mapped
        return
    rows = np.memmap(path, dtype=np.float32, mode="r").reshape(-1, dim)
    for start in range(0, len(order), CHUNK_ROWS):
        yield np.asarray(rows[order[start : start + CHUNK_ROWS]])


def _write_ids(part: Path, ids: np.ndarray) -> FileFacts:
    out = DurableFile(part / IDS)
    np.save(out, ids, allow_pickle=False)
    return out.finish()
