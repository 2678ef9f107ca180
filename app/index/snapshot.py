"""A snapshot: an immutable generation of vectors in a folder. `build` makes one; `open` trusts nothing about it.

    vectors.faiss   every vector in full; row r is that of ids[r]
    cells.faiss     where a scan would take too long: the same packed small, in cells, to find candidates
    ids.npy         int64 (N,), ascending, so that id -> row is a binary search
    manifest.json   counts, sizes and checksums; written last

FAISS files have no checksum of their own: of damaged ones a fifth loads and answers wrongly. Never change a
generation in place: readers have it mapped, and a file cut short under its mapping ends the process.
"""

import enum
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np

from app.errors import DamagedSnapshot, ServiceUnavailable
from app.index import building
from app.index.building import IDS, USUAL, Batches, Draft, Target
from app.index.cells import CELLS, LEAST_SHARE, VECTORS, Cells
from app.index.durable import DurableFile, read_facts, storage_trouble
from app.index.folders import beside, publish, set_aside, sweep_leftovers
from app.index.manifest import MANIFEST, FileFacts, Manifest, parse
from app.index.recipe import get_recipe
from app.index.scan import scan
from app.index.selection import Selection
from app.index.vectors import find_rows

__all__ = ["Snapshot", "Step", "build", "open", "set_aside", "sweep_leftovers"]

MISSING = (FileNotFoundError, IsADirectoryError, NotADirectoryError)  # other trouble says nothing about the bytes
READ_FLAGS = faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE  # tables of cosines are made as asked

_reading = threading.Lock()  # FAISS's limits on what a file may ask for are global to the process


class Step(enum.StrEnum):
    """Where a build is. A kill between any two leaves no folder or a whole one."""

    SPOOLED = "spooled"  # every row has been checked and is on disk
    WRITTEN = "written"  # index and ids are flushed
    SEALED = "sealed"  # so is the manifest
    VERIFIED = "verified"  # all of it was read back and matches
    PUBLISHED = "published"  # the folder has its name


class Snapshot:
    """An open generation, safe to search from many threads: nothing in it ever changes."""

    def __init__(self, manifest: Manifest, index: faiss.Index, ids: np.ndarray, cells: Cells | None = None) -> None:
        self.manifest = manifest
        self.ids = ids  # int64 (N,), ascending
        self.dim = manifest.dim
        self._index, self.cells = index, cells

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Row numbers of those `ids` that are here, in their order."""
        return find_rows(self.ids, ids)

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), dim)."""
        return self._index.reconstruct_batch(rows)

    def shortlist(self, queries: np.ndarray, k: int, shown: Selection, looks: int = 1) -> list[np.ndarray]:
        """For each query, rows among which its k nearest of the shown are looked for. More than k rows must be shown.

        A scan holds them all, every tie at the cut included; cells hold as many as was measured, and so many rows that
        k remain. Scores are the caller's to make: FAISS's depend on the batch they came in. `looks`: see `Cells.rows`.
        """
        if self.cells is None or shown.share < LEAST_SHARE:
            return scan(self._index, queries, k, shown)
        found = self.cells.rows(queries, k, shown, looks)
        return [
            rows[rows >= 0] if rows[k - 1] >= 0 else scan(self._index, query[None], k, shown)[0]
            for query, rows in zip(queries, found, strict=True)
        ]


def build(
    folder: Path,
    batches: Batches,
    *,
    dim: int,
    model_key: str,
    watermark: int,
    target: Target = USUAL,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Manifest:
    """Write a new generation of `batches`, pairs of ids int64 (B,) > 0 and unit vectors float32 (B, dim), any order.

    `folder` appears whole, read back and checked, or not at all. Raises AlreadyExists, BadVector, InvalidInput (an id
    below 1 or repeated), ServiceUnavailable (disk full), DamagedSnapshot (the disk gave back other bytes).
    """
    folder, started = Path(folder), time.monotonic()
    with beside(folder) as part:
        ids = building.spool(part, batches, dim)
        on_step(Step.SPOOLED)
        with storage_trouble(folder):
            draft = building.write_draft(part, ids, dim, target)
            on_step(Step.WRITTEN)
            manifest = _write_manifest(
                part,
                draft,
                dim=dim,
                model_key=model_key,
                watermark=watermark,
                build_s=round(time.monotonic() - started, 1),
            )
            on_step(Step.SEALED)
            open(part, expect_model_key=model_key, expect_vectors=len(ids))
            on_step(Step.VERIFIED)
            publish(part, folder)
    on_step(Step.PUBLISHED)
    return manifest


def open(folder: Path, *, expect_model_key: str | None = None, expect_vectors: int | None = None) -> Snapshot:
    """Map a generation for reading, after every byte of it was checked against its manifest.

    Raises DamagedSnapshot naming the file, what was expected and what was found; ServiceUnavailable for one that is
    there and can't be read.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder / MANIFEST)
    _expect(folder / MANIFEST, "model key", expect_model_key, manifest.model_key)
    _expect(folder / MANIFEST, "vectors", expect_vectors, manifest.vectors)
    names = [*([CELLS] if manifest.effort else []), IDS, VECTORS]
    _expect(folder / MANIFEST, "files", names, sorted(manifest.files))
    _expect(folder / MANIFEST, "bytes", sum(facts.bytes for facts in manifest.files.values()), manifest.bytes)
    for name, facts in manifest.files.items():
        _check_file(folder / name, facts)
    index, ids = _read_index(folder / VECTORS, manifest), _read_ids(folder / IDS, manifest)
    return Snapshot(manifest, index, ids, _read_cells(folder / CELLS, manifest) if manifest.effort else None)


def _write_manifest(part: Path, draft: Draft, **facts) -> Manifest:
    manifest = Manifest(
        **facts,
        recipe=draft.recipe.name,
        vectors=draft.vectors,
        bytes=sum(file.bytes for file in draft.files.values()),
        effort=draft.effort,
        recall_at_10=draft.recall_at_10,
        built_at=datetime.now(UTC).isoformat(timespec="seconds"),
        files=draft.files,
    )
    file = DurableFile(part / MANIFEST)
    file.write(manifest.to_bytes())
    file.finish()
    return manifest


def _read_manifest(path: Path) -> Manifest:
    try:
        return parse(path.read_bytes(), path)
    except MISSING as error:
        raise _damaged(path, "a manifest", error.strerror) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _check_file(path: Path, expected: FileFacts) -> None:
    try:
        found = read_facts(path)
    except MISSING as error:
        raise _damaged(path, f"{expected.bytes:,} bytes", error.strerror) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    _expect(path, "bytes", expected.bytes, found.bytes)
    _expect(path, "SHA-256", expected.sha256, found.sha256)


def _read_index(path: Path, manifest: Manifest) -> faiss.Index:
    try:
        with _reading:
            # What is mapped FAISS holds against the file's size; what it copies to memory, against this.
            faiss.set_deserialization_vector_byte_limit(manifest.bytes)
            index = faiss.read_index(str(path), READ_FLAGS)
    except (RuntimeError, MemoryError) as error:
        raise _damaged(path, "an index FAISS can read", str(error)) from error
    _expect(path, "rows", manifest.vectors, index.ntotal)
    _expect(path, "dimensions", manifest.dim, index.d)
    _expect(path, "metric", faiss.METRIC_INNER_PRODUCT, index.metric_type)
    return index


def _read_cells(path: Path, manifest: Manifest) -> Cells:
    index = _read_index(path, manifest)
    _expect(path, "kind", True, isinstance(faiss.downcast_index(index), faiss.IndexIVF))
    return Cells(index, manifest.effort, _depth(path, manifest.recipe))


def _depth(path: Path, recipe: str) -> int:
    try:
        return get_recipe(recipe).depth
    except KeyError:
        raise _damaged(path, "a recipe of this release", recipe) from None


def _read_ids(path: Path, manifest: Manifest) -> np.ndarray:
    try:
        ids = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise _damaged(path, "an array of ids", str(error)) from error
    _expect(path, "type", (np.dtype(np.int64), (manifest.vectors,)), (ids.dtype, ids.shape))
    _expect(path, "order", True, bool((ids > 0).all() and (np.diff(ids) > 0).all()))
    return ids


def _expect(path: Path, what: str, expected: object, found: object) -> None:
    """Nothing in particular is expected where `expected` is None."""
    if expected is not None and found != expected:
        raise _damaged(path, f"{what} {expected}", found)


def _unreadable(path: Path, error: OSError) -> ServiceUnavailable:
    """Nothing is known about its bytes: no leave to read, too many open files, a disk that fails."""
    return ServiceUnavailable(f"{path} can't be read ({error.strerror}): give dinoseek leave, or look at the disk")


def _damaged(path: Path, expected: str, found: object) -> DamagedSnapshot:
    return DamagedSnapshot(f"{path}: expected {expected}, found {found}: set it aside and rebuild the index")
