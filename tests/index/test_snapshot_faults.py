"""Damage, kills and full disks: a generation that can be seen is whole, and one that isn't is refused."""

import dataclasses
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.errors import DamagedSnapshot, ServiceUnavailable
from app.index import snapshot
from app.index.durable import read_facts
from app.index.manifest import MANIFEST, parse
from app.index.snapshot import Step
from tests.index.plain import MODEL, make_snapshot, unit_vectors

FILES = ("vectors.faiss", "ids.npy", MANIFEST)


@pytest.fixture
def folder(tmp_path) -> Path:
    make_snapshot(tmp_path / "1", np.arange(1, 9), unit_vectors(8, 4))
    return tmp_path / "1"


def is_refused(folder: Path) -> bool:
    try:
        snapshot.open(folder)
    except DamagedSnapshot as refusal:
        return str(refusal).startswith(str(folder)) and "\n" not in str(refusal)
    return False


def replace_bytes(path: Path, data: bytes) -> None:
    """As a new file: an opened one may still be mapped."""
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_at_any_byte_is_refused(folder, name):
    good = (folder / name).read_bytes()
    missed = []
    for place in range(len(good)):
        damaged = bytearray(good)
        damaged[place] ^= 1 << place % 8
        replace_bytes(folder / name, damaged)
        if not is_refused(folder):
            missed.append(place)
    assert missed == []
    replace_bytes(folder / name, good)
    assert len(snapshot.open(folder)) == 8


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_or_grown_is_refused(folder, name):
    good = (folder / name).read_bytes()
    missed = []
    for damaged in [good[:length] for length in range(0, len(good), 3)] + [good[:-1], good + b"\0", good + b"\n"]:
        replace_bytes(folder / name, damaged)
        if not is_refused(folder):
            missed.append(len(damaged))
    assert missed == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_and_so_is_a_folder_in_its_place(folder, name):
    (folder / name).unlink()
    assert is_refused(folder)
    (folder / name).mkdir()
    assert is_refused(folder)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"null", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"format": 3}'])
def test_a_manifest_of_another_kind_is_refused(folder, manifest):
    replace_bytes(folder / MANIFEST, manifest)
    assert is_refused(folder)


def test_a_later_format_is_named(folder):
    fields = json.loads((folder / MANIFEST).read_bytes()) | {"format": 3}
    replace_bytes(folder / MANIFEST, json.dumps(fields).encode())
    with pytest.raises(DamagedSnapshot, match="format 3, and this release reads 2"):
        snapshot.open(folder)


@pytest.mark.parametrize("changed", [{"vectors": 7}, {"dim": 5}, {"bytes": 1}])
def test_a_sealed_manifest_that_does_not_fit_its_files_is_refused(folder, changed):
    manifest = parse((folder / MANIFEST).read_bytes(), MANIFEST)
    replace_bytes(folder / MANIFEST, dataclasses.replace(manifest, **changed).to_bytes())
    assert is_refused(folder)


@pytest.mark.parametrize("ids", [range(8, 0, -1), [1, 1, 2, 3, 4, 5, 6, 7], range(8), range(1, 8)])
def test_sealed_ids_out_of_order_repeated_below_1_or_too_few_are_refused(folder, ids):
    (folder / "ids.npy").unlink()
    np.save(folder / "ids.npy", np.array(ids, np.int64))
    manifest = parse((folder / MANIFEST).read_bytes(), MANIFEST)
    files = {**manifest.files, "ids.npy": read_facts(folder / "ids.npy")}
    replace_bytes(folder / MANIFEST, dataclasses.replace(manifest, files=files).to_bytes())
    assert is_refused(folder)


def test_a_refusal_names_the_file_what_was_expected_and_what_was_found(folder):
    with pytest.raises(DamagedSnapshot, match=r"manifest\.json: expected model key other, found vits14/"):
        snapshot.open(folder, expect_model_key="other")
    with pytest.raises(DamagedSnapshot, match=r"manifest\.json: expected vectors 9, found 8"):
        snapshot.open(folder, expect_vectors=9)
    good = (folder / "ids.npy").read_bytes()
    replace_bytes(folder / "ids.npy", good[:-8])
    with pytest.raises(DamagedSnapshot, match=r"ids\.npy: expected bytes 192, found 184"):
        snapshot.open(folder)
    shutil.rmtree(folder)
    with pytest.raises(DamagedSnapshot, match=r"manifest\.json: expected a manifest, found No such file"):
        snapshot.open(folder)


BUILD_FOR_EVER = """
import itertools, pathlib, sys
import numpy as np
from tests.index.plain import batched, unit_vectors, MODEL
from app.index import snapshot
parent, first = pathlib.Path(sys.argv[1]), int(sys.argv[2])
ids, vectors = np.arange(1, 2001), unit_vectors(2000, 64)
print("ready", flush=True)
for name in itertools.count(first):
    snapshot.build(parent / str(name), batched(ids, vectors), dim=64, model_key=MODEL, watermark=name)
"""


def test_after_each_of_20_kills_every_generation_that_can_be_seen_is_whole(tmp_path):
    chance = random.Random(5)
    leftovers = 0
    for kill in range(20):
        command = [sys.executable, "-c", BUILD_FOR_EVER, str(tmp_path), str(kill * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as builder:
            builder.stdout.readline()
            time.sleep(chance.uniform(0, 0.06))
            builder.kill()
        leftovers += len(snapshot.sweep_leftovers(tmp_path))
        for folder in tmp_path.iterdir():
            opened = snapshot.open(folder, expect_model_key=MODEL, expect_vectors=2000)
            assert opened.manifest.watermark == int(folder.name)
    assert leftovers >= 10  # the kills did meet builds on their way
    assert any(tmp_path.iterdir())


KILL_AT_STEP = """
import os, pathlib, signal, sys
import numpy as np
from tests.index.plain import unit_vectors, MODEL
from app.index import snapshot

def kill(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

rows = [(np.arange(1, 51), unit_vectors(50, 8))]
snapshot.build(pathlib.Path(sys.argv[1]), rows, dim=8, model_key=MODEL, watermark=1, on_step=kill)
"""


@pytest.mark.parametrize("step", Step)
def test_a_kill_at_each_named_step_leaves_no_folder_or_a_whole_one(tmp_path, step):
    killed = subprocess.run([sys.executable, "-c", KILL_AT_STEP, str(tmp_path / "1"), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "1").exists() == (step is Step.PUBLISHED)
    if step is Step.PUBLISHED:
        assert len(snapshot.open(tmp_path / "1", expect_model_key=MODEL)) == 50
    assert len(snapshot.sweep_leftovers(tmp_path)) == (step is not Step.PUBLISHED)
    make_snapshot(tmp_path / "2", np.arange(1, 4), unit_vectors(3, 8))  # and the next build is not in its way


# A limit on file size stops writes as a full disk does. The sizes meet the spool, the index, the ids and the manifest.
FULL_DISK = """
import pathlib, resource, sys
import numpy as np
from tests.index.plain import unit_vectors, MODEL
from app.errors import ServiceUnavailable
from app.index import snapshot
parent = pathlib.Path(sys.argv[1])

def build(count, dim, limit):
    rows = [(np.arange(1, count + 1), unit_vectors(count, dim))]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        snapshot.build(parent / "1", rows, dim=dim, model_key=MODEL, watermark=1)
    except ServiceUnavailable as refusal:
        return "File too large" in str(refusal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

for count, dim, limit in [(1000, 8, 0), (1000, 8, 31_999), (1000, 8, 32_000), (1000, 1, 8_000), (1, 1, 200)]:
    print(build(count, dim, limit), [path.name for path in parent.iterdir()])
print(build(1000, 8, 32_045), [path.name for path in parent.iterdir()])
"""


def test_a_full_disk_is_an_error_at_every_file_and_leaves_nothing(tmp_path):
    out = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert out.splitlines() == ["True []"] * 5 + ["None ['1']"]


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ServiceUnavailable, match="can't be written"):
        make_snapshot(tmp_path / "file" / "1", np.arange(1, 4), unit_vectors(3, 8))
