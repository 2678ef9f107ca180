"""`make soak`: thousands of damaged files, and builders that race and die, with cells as a large snapshot has them."""

import multiprocessing
import signal
import subprocess
import sys

import numpy as np
import pytest

from app import upkeep
from app.catalog import embeddings
from app.errors import DamagedSnapshot
from app.index import recipe, snapshot
from app.index.manifest import MANIFEST
from app.index.snapshot import Step
from app.resources import open_resources
from tests.conftest import make_settings
from tests.index.plain import MODEL, batched, unit_vectors
from tests.rows import fill_rows

DIM, COUNT = 16, 4000
FILES = ("vectors.faiss", "cells.faiss", "ids.npy", MANIFEST)
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.fixture
def large(monkeypatch):
    """Every size gets cells."""
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe("cells-8bit"),))


def flipped(raw: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(raw)
    damaged[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def cut(raw: bytes, rng: np.random.Generator) -> bytes:
    return raw[: int(rng.integers(len(raw)))]


def overwritten(raw: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(raw)))
    return raw[:start] + rng.bytes(64)[: len(raw) - start] + raw[start + 64 :]


def test_5000_damaged_files_are_all_refused(tmp_path, large):
    snapshot.build(tmp_path / "1", batched(np.arange(1, COUNT + 1), unit_vectors(COUNT, DIM)), dim=DIM, model_key=MODEL,
                   watermark=1)  # fmt: skip
    rng, refused = np.random.default_rng(1), 0
    for number in range(5000):
        place = tmp_path / "1" / FILES[number % len(FILES)]
        good = place.read_bytes()
        damaged = (flipped, cut, overwritten)[number % 3](good, rng)
        place.unlink()  # an opened one may still be mapped
        place.write_bytes(damaged)
        try:
            snapshot.open(tmp_path / "1")
        except DamagedSnapshot:
            refused += 1
        place.unlink()
        place.write_bytes(good)
    assert refused == 5000
    assert len(snapshot.open(tmp_path / "1")) == COUNT


def race(home, start, end, won) -> None:
    """Whoever may build waits inside its build until all have tried."""
    resources = open_resources(make_settings(home))
    stream = embeddings.stream

    def held(*arguments):
        end.wait(60)
        yield from stream(*arguments)

    embeddings.stream = held
    start.wait()
    answer = upkeep.rebuild(resources, 1, force=True)
    won.put(answer)
    resources.catalog.dispose()


def test_of_50_races_between_builders_each_has_one_winner(tmp_path):
    resources = open_resources(make_settings(tmp_path))
    fill_rows(resources, 200, DIM)
    spawn = multiprocessing.get_context("spawn")
    for _ in range(50):
        start, end, won = spawn.Barrier(3), spawn.Event(), spawn.Queue()
        racers = [spawn.Process(target=race, args=(tmp_path, start, end, won)) for _ in range(3)]
        for racer in racers:
            racer.start()
        assert [won.get(timeout=60), won.get(timeout=60)] == [False, False]  # the losers do not wait
        end.set()
        assert won.get(timeout=60) is True
        for racer in racers:
            racer.join(60)
            assert racer.exitcode == 0
    assert sorted(path.name for path in resources.storage.snapshots(1).iterdir()) == ["00000049", "00000050"]
    resources.catalog.dispose()


KILL_AT_STEP = """
import os, pathlib, signal, sys
import numpy as np
from app.index import recipe, snapshot
from tests.index.plain import batched, unit_vectors, MODEL

def kill(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

recipe.RECIPES = (recipe.get_recipe("cells-8bit"),)
rows = batched(np.arange(1, 4001), unit_vectors(4000, 16))
snapshot.build(pathlib.Path(sys.argv[1]), rows, dim=16, model_key=MODEL, watermark=1, on_step=kill)
"""


@pytest.mark.parametrize("step", Step)
def test_a_kill_at_each_step_of_a_large_build_leaves_no_folder_or_a_whole_one(tmp_path, step):
    killed = subprocess.run([sys.executable, "-c", KILL_AT_STEP, str(tmp_path / "1"), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "1").exists() == (step is Step.PUBLISHED)
    if step is Step.PUBLISHED:
        assert len(snapshot.open(tmp_path / "1", expect_model_key=MODEL)) == 4000
    assert len(snapshot.sweep_leftovers(tmp_path)) == (step is not Step.PUBLISHED)


IDLE = """
import sys, time
from app.index.milvus import MilvusIndex

index = MilvusIndex(sys.argv[1], "photos", 8)
time.sleep(60)
assert index.vectors == 0
"""


def test_an_idle_client_of_milvus_lite_says_nothing(tmp_path):
    """Its pings, one in ten seconds, were answered by a complaint on whatever command ran then."""
    run = [sys.executable, "-c", IDLE, f"milvus://{tmp_path / 'vectors.db'}"]
    assert subprocess.run(run, capture_output=True, check=True).stderr == b""
