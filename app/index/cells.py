"""Cells: a shortlist for snapshots too large to scan. Vectors are packed into the cells of a k-means (an inverted
file); a search looks into the nearest few, and what it finds is scored again in full.

Built and measured in a process of its own, `python -m app.index.cells PART DIM RECIPE TARGET`: FAISS's threads and its
memory end with it. How many cells a search looks into is found by measurement: the fewest that reach the target recall.
"""

import functools
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np

from app.errors import ServiceUnavailable
from app.index.durable import DurableFile
from app.index.manifest import FileFacts
from app.index.recipe import Recipe, get_recipe
from app.index.selection import Selection

VECTORS, CELLS = "vectors.faiss", "cells.faiss"
CHILD = ("-P", "-m", "app.index.cells")
SAMPLES_PER_CELL = 40  # k-means learns little from more
ROUNDS = 8  # of k-means; recall no longer rises after them
ADD_ROWS = 65_536
SAMPLE = 500  # rows asked about when recall is measured: 5,000 neighbours
MEASURED_AT = 10
FIRST_EFFORT = 4  # cells
HARDER = 1.6  # from one effort tried to the next, until one is enough
NEAR = 1.08  # an effort is taken when one smaller by this is known to be too little
SEED = 17
NICE = 5  # searches go first
UNFILTERED_SHARE = 0.9  # of rows shown; what tombstones take away leaves the measured recall as it is
FEWEST = 10  # hits whose candidates are looked at, even where fewer are asked for
ENOUGH = 0.75  # of the rows wanted that must be shown; else many hidden ones are near, and are left out while searching
WIDER = 4
ROOM = 2  # times the rows wanted that the cells looked into hold, by their mean
LEAST_SHARE = 0.1  # of rows a filter leaves; below it a scan of those is quicker, and exact
TOGETHER = 2**20  # rows in the cells of all looks at one thing: 25 ms of one core, of 192 numbers in 8 bits


@dataclass(frozen=True)
class CellsFacts:
    """What a build found: cells a search looks into, and the recall@10 that gives, 0 to 1."""

    effort: int
    recall_at_10: float
    file: FileFacts


class Cells:
    """An open file of cells; safe to search from many threads."""

    def __init__(self, index: faiss.Index, effort: int, depth: int) -> None:
        self._index, self._effort, self._depth = index, effort, depth
        self._cells = faiss.extract_index_ivf(index).nlist

    @property
    def centres(self) -> np.ndarray:
        """float32 (cells, D)."""
        return faiss.extract_index_ivf(self._index).quantizer.reconstruct_n(0, self._cells)

    def homes(self) -> np.ndarray:
        """int32 (N,): the cell that each row lies in."""
        lists = faiss.extract_index_ivf(self._index).invlists
        homes = np.empty(self._index.ntotal, np.int32)
        for cell in np.flatnonzero([lists.list_size(cell) for cell in range(self._cells)]).tolist():
            homes[faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell))] = cell
        return homes

    def rows(self, queries: np.ndarray, k: int, shown: Selection, looks: int = 1) -> np.ndarray:
        """int64 (Q, depth k or more): candidates for the k nearest shown, -1 where fewer were found.

        `looks`: how many vectors are asked about one thing, these among them. They share the cells that are looked
        into, for what one misses another finds; a filter may make each look into more.
        """
        wanted = min(self._depth * max(k, FEWEST), shown.count)
        effort = self._effort_of_each(looks, wanted)
        if shown.share >= UNFILTERED_SHARE:
            return self._unfiltered(queries, wanted, effort, shown)
        found = self._search(queries, wanted, effort, shown)
        return np.stack(
            [self._widened(query[None], row, k, effort, shown) for query, row in zip(queries, found, strict=True)]
        )

    def _effort_of_each(self, looks: int, wanted: int) -> int:
        """All that was measured, as long as TOGETHER allows it. Never less than holds as many as are wanted, nor for
        all of them less than for one alone."""
        rows_a_cell = self._index.ntotal / self._cells
        together = max(self._effort, TOGETHER / rows_a_cell)
        return min(self._effort, math.ceil(max(together / looks, ROOM * wanted / rows_a_cell)))

    def _unfiltered(self, queries: np.ndarray, wanted: int, effort: int, shown: Selection) -> np.ndarray:
        """Hidden rows are taken out of what was found, which is quicker than to ask of each row looked at."""
        found = self._search(queries, wanted, effort)
        found[~shown.mask[found]] = -1  # -1 is no row, and stays -1 whatever the last row is
        few = (found >= 0).sum(axis=1) < ENOUGH * wanted
        if few.any():
            found[few] = self._search(queries[few], wanted, effort, shown)
        return np.take_along_axis(found, np.argsort(found < 0, axis=1, kind="stable"), axis=1)

    def _widened(self, query: np.ndarray, found: np.ndarray, k: int, effort: int, shown: Selection) -> np.ndarray:
        """Four times as many cells, again and again, until the nearest k stay the same: twice is too easily in vain.

        A filter may leave nothing in the cells near a query, as that of one folder does: its share of all rows tells
        nothing about them.
        """
        while effort < self._cells:
            effort = min(self._cells, WIDER * effort)
            before, found = found, self._search(query, len(found), effort, shown)[0]
            if found[k - 1] >= 0 and set(found[:k]) == set(before[:k]):
                break
        return found

    def _search(self, queries: np.ndarray, wanted: int, effort: int, shown: Selection | None = None) -> np.ndarray:
        params = faiss.SearchParametersIVF(nprobe=effort, sel=None if shown is None else shown.selector)
        return self._index.search(queries, wanted, params=params)[1]


def build(part: Path, dim: int, recipe: Recipe, target: float) -> CellsFacts | None:
    """Write CELLS beside the vectors in `part`, in a child. None: no effort reached the target, and nothing was kept.

    Raises ServiceUnavailable when the child can't (no memory, a full disk).
    """
    answer = _answered([sys.executable, *CHILD, str(part), str(dim), recipe.name, str(target)], part)
    return answer and CellsFacts(answer["effort"], answer["recall_at_10"], FileFacts(**answer["file"]))


def _answered(command: list[str], part: Path) -> dict | None:
    """What the child prints. It ends with us: the pipe it reads from is closed then, however we end."""
    with tempfile.TemporaryFile("w+") as said:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": said, "text": True}
        with subprocess.Popen(command, **pipes) as child:
            answer = child.stdout.read()
        said.seek(0)
        last = said.read().strip().splitlines()[-1:] or [f"signal {-child.returncode}"]
    if child.returncode:
        raise ServiceUnavailable(f"{part} can't be built ({last[0]}): free memory and disk; it is tried again")
    return json.loads(answer)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # not by Python's own reader: its lock, held here, would upset an orderly end
    os._exit(1)


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    part, dim, recipe, target = Path(sys.argv[1]), int(sys.argv[2]), get_recipe(sys.argv[3]), float(sys.argv[4])
    os.nice(NICE)
    vectors = _mapped(part)
    index = _filled(vectors, recipe, dim)
    effort, recall = measured(index, vectors, recipe, target)
    print(json.dumps(asdict(_written(index, part, effort, recall)) if recall >= target else None))


def measured(index: faiss.IndexIVF, flat: faiss.Index, recipe: Recipe, target: float) -> tuple[int, float]:
    """The least effort that surely reaches the target, or all cells; and the share of the true ten nearest it finds.

    Asked for some rows, each of which does not count as its own neighbour. Surely: by one standard error of their mean,
    else the first effort that passes would mostly be one that was lucky.
    """
    asked = np.random.default_rng(SEED).choice(flat.ntotal, min(SAMPLE, flat.ntotal), replace=False)
    queries = flat.reconstruct_batch(asked)
    true = _others(flat.search(queries, MEASURED_AT + 1)[1], asked, MEASURED_AT)

    @functools.cache
    def recall(effort: int) -> tuple[float, float]:
        """Its mean, and the least it surely is."""
        params = faiss.SearchParametersIVF(nprobe=effort)
        found = index.search(queries, recipe.depth * (MEASURED_AT + 1), params=params)[1]
        shares = np.array([np.isin(row, near).mean() for row, near in zip(true, found, strict=True)])
        return float(shares.mean()), float(shares.mean() - shares.std() / math.sqrt(len(shares)))

    effort = least_effort(lambda effort: recall(effort)[1] >= target, index.nlist)
    return effort, recall(effort)[0]


def least_effort(reaches: Callable[[int], bool], most: int) -> int:
    """The least effort that `reaches`, within NEAR, if more effort never finds less; `most` where none does."""
    low, high = 0, min(FIRST_EFFORT, most)
    while high < most and not reaches(high):
        low, high = high, min(most, int(high * HARDER))
    while high > max(low + 1, low * NEAR):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _others(rows: np.ndarray, selves: np.ndarray, k: int) -> list[np.ndarray]:
    return [found[found != own][:k] for found, own in zip(rows, selves, strict=True)]


def _filled(flat: faiss.Index, recipe: Recipe, dim: int) -> faiss.IndexIVF:
    index = faiss.index_factory(dim, recipe.factory(flat.ntotal, dim), faiss.METRIC_INNER_PRODUCT)
    for clustering in (index.cp, *([index.pq.cp] if isinstance(index, faiss.IndexIVFPQ) else [])):
        clustering.niter, clustering.seed = ROUNDS, SEED
    count = min(flat.ntotal, index.nlist * SAMPLES_PER_CELL)
    sample = np.sort(np.random.default_rng(SEED).choice(flat.ntotal, count, replace=False))
    index.train(flat.reconstruct_batch(sample))
    for start in range(0, flat.ntotal, ADD_ROWS):
        index.add(flat.reconstruct_n(start, min(ADD_ROWS, flat.ntotal - start)))
    return index


def _written(index: faiss.Index, part: Path, effort: int, recall: float) -> CellsFacts:
    file = DurableFile(part / CELLS)
    faiss.write_index(index, faiss.PyCallbackIOWriter(file.write, 2**20))
    return CellsFacts(effort, round(recall, 4), file.finish())


def _mapped(part: Path) -> faiss.Index:
    return faiss.read_index(str(part / VECTORS), faiss.IO_FLAG_MMAP_IFC)


if __name__ == "__main__":
    main()
