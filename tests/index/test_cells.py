"""Snapshots too large to scan: what cells find, what they must never show, and what their file must survive."""

import dataclasses
import json
import subprocess
import sys

import faiss
import numpy as np
import pytest

from app.errors import DamagedSnapshot, ServiceUnavailable
from app.index import cells, recipe, snapshot
from app.index.building import Target
from app.index.lanes import Lanes
from app.index.live import LiveIndex
from app.index.selection import Selection
from tests.index.plain import MODEL, batched
from tests.program import wait_until
from tests.vision.processes import has_ended

DIM, COUNT, KINDS = 32, 12_000, 300


CENTRES = np.random.default_rng(0).normal(size=(KINDS, DIM))


def photos(count: int, seed: int) -> np.ndarray:
    """Unit vectors float32 (count, DIM) in groups, as those of photos are; groups are the same for every seed."""
    rng = np.random.default_rng(seed)
    rows = CENTRES[rng.integers(0, KINDS, count)] + 0.6 * rng.normal(size=(count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


VECTORS, QUERIES = photos(COUNT, 1), photos(100, 2)
IDS = np.arange(1, COUNT + 1) * 3


@pytest.fixture(scope="module", params=["cells-8bit", "cells-2bit"])
def folder(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recipe, "RECIPES", (recipe.get_recipe(request.param),))
        return built(tmp_path_factory.mktemp("cells") / "1")


def built(folder, target: Target = Target()):  # noqa: B008  (frozen)
    snapshot.build(folder, batched(IDS, VECTORS, 1000), dim=DIM, model_key=MODEL, watermark=1, target=target)
    return folder


def recall(index: LiveIndex, shown: np.ndarray, allowed: np.ndarray | None = None) -> float:
    """Of the true ten nearest of the rows `shown`, the share that is found. Every answer must have ten, all shown."""
    found = index.search(QUERIES, 10, allowed)
    assert {len(hits) for hits in found} == {10}
    assert {hit.image_id for hits in found for hit in hits} <= set(IDS[shown].tolist())
    true = IDS[shown][np.argsort(-(QUERIES @ VECTORS[shown].T), axis=1)[:, :10]]
    return float(
        np.mean([np.isin(near, [hit.image_id for hit in hits]).mean() for near, hits in zip(true, found, strict=True)])
    )


def test_what_was_measured_is_what_is_found(folder):
    opened = snapshot.open(folder, expect_model_key=MODEL, expect_vectors=COUNT)
    manifest = opened.manifest
    assert manifest.recipe.startswith("cells")
    assert 0 < manifest.effort < recipe.cells(COUNT)
    assert 0.97 <= manifest.recall_at_10 <= 1
    assert recall(LiveIndex(DIM, opened), np.ones(COUNT, bool)) >= 0.96


def test_scores_are_those_of_the_full_vectors(folder):
    hits = LiveIndex(DIM, snapshot.open(folder)).search(QUERIES[:1], 5)[0]
    rows = [hit.image_id // 3 - 1 for hit in hits]
    assert [hit.score for hit in hits] == pytest.approx(VECTORS[rows] @ QUERIES[0], abs=1e-6)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_filters_keep_recall_and_ten_hits(folder, share):
    index = LiveIndex(DIM, snapshot.open(folder))
    shown = np.zeros(COUNT, bool)
    shown[np.random.default_rng(4).choice(COUNT, int(COUNT * share), replace=False)] = True
    assert recall(index, shown, IDS[shown]) >= 0.95


@pytest.mark.parametrize("share", [0.5, 0.2, 0.12])
def test_a_filter_that_leaves_out_all_that_is_near_keeps_recall(folder, share):
    """As that of one folder does for a query from another: some groups are shown, the queries are of the rest."""
    index = LiveIndex(DIM, snapshot.open(folder))
    near = np.argmax(QUERIES @ CENTRES.T, axis=1)
    others = np.setdiff1d(np.arange(KINDS), near)
    kind = np.argmax(VECTORS @ CENTRES.T, axis=1)
    shown = np.isin(kind, others[: int(len(others) * share * 1.3)])
    assert recall(index, shown, IDS[shown]) >= 0.95


def test_the_buried_never_show_and_the_next_take_their_places(folder):
    index = LiveIndex(DIM, snapshot.open(folder))
    gone = {hit.image_id for hits in index.search(QUERIES, 20) for hit in hits[::2]}
    index.bury(np.array(sorted(gone)))
    assert recall(index, ~np.isin(IDS, list(gone))) >= 0.95
    index.unbury(np.array(sorted(gone)))
    assert recall(index, np.ones(COUNT, bool)) >= 0.96


def test_ten_hits_remain_where_everything_near_is_buried(folder):
    index = LiveIndex(DIM, snapshot.open(folder))
    gone = {hit.image_id for hits in index.search(QUERIES, 200) for hit in hits}
    index.bury(np.array(sorted(gone)))
    for hits in index.search(QUERIES, 10):
        assert len(hits) == 10
        assert not gone & {hit.image_id for hit in hits}


def test_where_the_near_cells_hold_too_few_the_rest_is_scanned(folder):
    index = LiveIndex(DIM, snapshot.open(folder))
    assert [len(hits) for hits in index.search(QUERIES[:3], COUNT - 1)] == [COUNT - 1] * 3


def test_a_target_that_cells_miss_is_met_by_a_scan(tmp_path, monkeypatch):
    coarse = dataclasses.replace(recipe.get_recipe("cells-2bit"), depth=1)
    monkeypatch.setattr(recipe, "RECIPES", (coarse,))
    monkeypatch.setattr(cells, "get_recipe", lambda name: coarse)
    opened = snapshot.open(built(tmp_path / "1", Target(recall_at_10=1.01)))
    assert (opened.manifest.recipe, opened.manifest.effort, opened.manifest.recall_at_10) == ("exact", 0, 1.0)
    assert {path.name for path in (tmp_path / "1").iterdir()} == {"ids.npy", "manifest.json", "vectors.faiss"}


def test_a_build_that_dies_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe("cells-8bit"),))
    monkeypatch.setattr(cells, "CHILD", ("-c", "raise MemoryError('no memory for that')"))
    with pytest.raises(ServiceUnavailable, match="no memory for that"):
        built(tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_damage_anywhere_is_refused(folder):
    place = folder / cells.CELLS
    good = place.read_bytes()
    rng = np.random.default_rng(5)
    try:
        for at in rng.integers(0, len(good), 60):
            damaged = bytearray(good)
            damaged[at] ^= 1 << int(rng.integers(8))
            place.unlink()
            place.write_bytes(damaged)
            with pytest.raises(DamagedSnapshot, match="SHA-256"):
                snapshot.open(folder)
    finally:
        place.unlink()
        place.write_bytes(good)
    assert len(snapshot.open(folder)) == COUNT


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells private memory")
def test_a_reader_that_searches_keeps_less_than_a_tenth_of_the_files_to_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe("cells-8bit"),))
    wide = np.random.default_rng(3).normal(size=(40_000, 128)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    batches = batched(np.arange(1, len(wide) + 1), wide, 5000)
    snapshot.build(tmp_path / "1", batches, dim=128, model_key=MODEL, watermark=1, target=Target(recall_at_10=0.2))
    ran = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path / "1")], capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)
    assert told["file_bytes"] > 25_000_000
    assert told["private_bytes"] < 0.1 * told["file_bytes"]


READER = """
import json, re, sys
from pathlib import Path
import numpy as np
from app.index import snapshot
from app.index.live import LiveIndex
from app.index.selection import Selection

def private():
    return 1024 * int(re.search(r"Private_Dirty: +(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())[1])

query = np.eye(1, 128, dtype=np.float32)
LiveIndex(128).search(query, 5)
before, opened = private(), snapshot.open(sys.argv[1])
index = LiveIndex(128, opened)
assert [len(index.search(query, 10)[0]) for _ in range(20)] == [10] * 20
print(json.dumps({"private_bytes": private() - before, "file_bytes": opened.manifest.bytes}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows processes as files")
def test_a_build_ends_with_the_one_who_asked_for_it(tmp_path):
    """Killed in the middle: its child must not go on with a folder that is swept."""
    parent = subprocess.Popen([sys.executable, "-c", ASKER, str(tmp_path / "1")], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    wait_until(lambda: has_ended(child), "the end of the child")


ASKER = '''
import sys, threading, time
from pathlib import Path
from app.index import cells, recipe

WORKS_FOR_EVER = """
import threading, time
from app.index import cells
threading.Thread(target=cells._end_with_parent, daemon=True).start()
time.sleep(600)
"""
cells.CHILD = ("-c", WORKS_FOR_EVER)
asked = threading.Thread(target=cells._answered, args=([sys.executable, *cells.CHILD], Path(sys.argv[1])))
asked.start()
while not (found := Path(f"/proc/self/task/{asked.native_id}/children").read_text()):
    time.sleep(0.05)
print(found.split()[0], flush=True)
asked.join()
'''


# Two numbers a vector: the cells, with ids and codes, are then the largest file, and the only one to meet the limit.
FULL_DISK = """
import pathlib, resource, sys
import numpy as np
from app.errors import ServiceUnavailable
from app.index import recipe, snapshot
from tests.index.plain import MODEL, batched, unit_vectors

recipe.RECIPES = (recipe.get_recipe("cells-8bit"),)
parent = pathlib.Path(sys.argv[1])
for limit in (33_000, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    rows = batched(np.arange(1, 4001), unit_vectors(4000, 2))
    try:
        snapshot.build(parent / "1", rows, dim=2, model_key=MODEL, watermark=1)
    except ServiceUnavailable as refusal:
        print(refusal)
    print([path.name for path in parent.iterdir()])
"""


def test_a_disk_that_is_full_when_the_cells_are_written_is_said_and_leaves_nothing(tmp_path):
    run = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    refusal, nothing, built = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "File too large" in refusal
    assert "free memory and disk" in refusal
    assert (nothing, built) == ("[]", "['1']")


@pytest.mark.parametrize("needed", [1, 3, 4, 5, 17, 100, 399, 400])
def test_the_effort_is_the_least_that_is_enough_or_little_more(needed):
    asked = []
    effort = cells.least_effort(lambda effort: asked.append(effort) or effort >= needed, 400)
    assert needed <= effort <= max(needed, needed * cells.NEAR)
    assert len(asked) == len(set(asked)) < 20


def test_where_no_effort_is_enough_all_cells_are_looked_into():
    assert cells.least_effort(lambda effort: False, 400) == 400


def test_many_hidden_rows_near_a_query_cost_no_hit(folder):
    """What is hidden is taken out of what was found: of the nearest all, here, though few of all rows."""
    opened = snapshot.open(folder)
    index = LiveIndex(DIM, opened)
    nearest = np.unique(np.argsort(-(QUERIES[:4] @ VECTORS.T), axis=1)[:, :60])
    shown = np.ones(COUNT, bool)
    shown[nearest] = False
    index.bury(IDS[nearest])
    assert shown.mean() > cells.UNFILTERED_SHARE
    assert recall(index, shown) >= 0.95
    found = opened.cells.rows(QUERIES[:4], 10, Selection(shown))
    assert (found[:, :10] >= 0).all()  # by the cells themselves: a scan of all rows would be right too, and slow


def looked_at(act) -> int:
    """Rows in the cells that this looks into."""
    faiss.cvar.indexIVF_stats.reset()
    act()
    return faiss.cvar.indexIVF_stats.ndis


def test_looks_at_one_thing_share_the_cells_where_those_of_each_are_too_many(folder, monkeypatch):
    found, everything = snapshot.open(folder).cells, Selection(np.ones(COUNT, bool))

    def looks_into(k: int, looks: int) -> int:
        return looked_at(lambda: found.rows(QUERIES[:8], k, everything, looks))

    assert looks_into(10, 8) == looks_into(10, 1)  # all may have what was measured
    monkeypatch.setattr(cells, "TOGETHER", 1)
    assert looks_into(100, 8) == looks_into(100, 1)  # none has fewer than hold what is wanted
    monkeypatch.setattr(cells, "ROOM", 0)
    assert 0 < looks_into(10, 8) < 0.75 * looks_into(10, 1)  # one each, instead of two or three


def test_what_one_look_misses_another_finds(folder, monkeypatch):
    """Eight vectors near one another share the cells of one."""
    monkeypatch.setattr(cells, "TOGETHER", 1)
    monkeypatch.setattr(cells, "ROOM", 0)
    index, rng = LiveIndex(DIM, snapshot.open(folder), Lanes(searches=1, threads=1)), np.random.default_rng(3)
    alone, together = [], []
    for query in QUERIES:
        looks = query + 0.06 * rng.normal(size=(8, DIM))
        looks = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)
        looks[0] = query
        true = IDS[np.argsort(-(VECTORS @ query))[:10]]
        alone.append(np.isin(true, index.near_any(np.repeat(looks[:1], 8, axis=0), 10).ids).mean())
        together.append(np.isin(true, index.near_any(looks, 10).ids).mean())
    assert looked_at(lambda: index.near_any(looks, 10)) < looked_at(lambda: index.search(looks, 10))
    assert np.mean(together) > np.mean(alone) + 0.02
    assert np.mean(together) >= 0.9
