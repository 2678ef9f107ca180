"""Files of every kind, whole, cut, flipped and hostile: mapped and not copied, refused in a line, never run."""

import json
import pickle
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from app.errors import BadCheckpoint
from app.vision import checkpoints, digests
from app.vision.architectures import Architecture
from tests.vision import loading_child
from tests.vision.processes import LINUX
from tests.vision.weights import (
    TINY,
    as_hugging_face,
    as_hugging_face_since_5,
    as_mmpretrain,
    as_training,
    saved,
    tensors_of,
)

HALVES = {name: tensor.half() for name, tensor in tensors_of(TINY).items()}
WRITTEN = {
    "official.pth": lambda tensors: tensors,
    "official.safetensors": lambda tensors: tensors,
    "old/model.safetensors": as_hugging_face,
    "new/pytorch_model.bin": as_hugging_face_since_5,
    "mm.pth": as_mmpretrain,
    "training.pth": as_training,
}


def refusal(path: Path) -> str:
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(TINY, path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "tiny_pretrain.pth"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "is a pointer of Git LFS"),
        (b"<!DOCTYPE html><html>", "is a web page, not weights"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "is no weights file: expected a PyTorch or safetensors file"),
        (b"cos\nsystem\n(S'true'\ntR.", "is no weights file"),
        (b"", "is no whole weights file (empty)"),
        (bytes(100), "is no whole weights file (zeros where it should start)"),
    ],
)
def test_a_file_of_another_kind_is_named(path, start, said):
    path.write_bytes(start)
    assert said in refusal(path)


class Hostile:
    """What unpickling it would do, a test can see."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def save_bare(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


HOSTILE = {
    "first": lambda entry: {"hostile": entry, **HALVES},
    "alone": lambda entry: {"cls_token": entry},
    "in mmpretrain's meta": lambda entry: as_mmpretrain(HALVES) | {"meta": entry},
    "beside the teacher": lambda entry: {"optimizer": entry} | as_training(HALVES),
}


@pytest.mark.parametrize("where", HOSTILE)
@pytest.mark.parametrize("save", [torch.save, save_bare])
def test_a_file_that_would_run_code_is_refused_and_runs_none(path, tmp_path, save, where):
    save(HOSTILE[where](Hostile(tmp_path / "ran")), path)
    assert re.search(r"holds more than tensors \([\w.]+\), and could run code", refusal(path))
    assert not (tmp_path / "ran").exists()


def test_a_packed_archive_is_refused_before_it_unfolds(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(10_000_000))
    assert "is a packed archive ('bomb/data.pkl'), perhaps a program" in refusal(path)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_cut_anywhere_is_refused(tmp_path, name):
    path = saved(WRITTEN[name](HALVES), tmp_path / name)
    whole = path.read_bytes()
    for share in (0, 0.001, 0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "is no whole weights file" in refusal(path)


@pytest.mark.parametrize("name", WRITTEN)
def test_flipped_bits_are_refused_or_change_the_digest(tmp_path, name):
    """An archive has checksums of its own. Safetensors have none: there the header must hold, and the digest tells."""
    path = saved(WRITTEN[name](HALVES), tmp_path / name)
    whole, first = path.read_bytes(), checkpoints.verified_sha256(path)
    places = random.Random(name)
    for _ in range(40):
        data = bytearray(whole)
        data[places.randrange(len(data))] ^= 1 << places.randrange(8)
        path.write_bytes(data)
        assert digest_or_none(path) != first


@pytest.mark.parametrize("name", WRITTEN)
def test_a_damaged_header_is_refused_in_a_line_or_does_no_harm(tmp_path, name):
    path = saved(WRITTEN[name](HALVES), tmp_path / name)
    whole = path.read_bytes()
    places = random.Random(name)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(4):
            at = places.randrange(3000)
            data[places.choice([at, len(data) - 1 - at])] = places.randrange(256)
        path.write_bytes(data)
        digest_or_none(path)


def digest_or_none(path: Path) -> str | None:
    """None where it is refused; anything but a clear refusal fails the test."""
    try:
        checkpoints.load(TINY, path)
    except BadCheckpoint as refused:
        assert "\n" not in str(refused)
        return None
    return checkpoints.verified_sha256(path)


def test_a_flipped_bit_of_a_tensor_is_found_by_the_file_s_own_checksums(path):
    saved(tensors_of(TINY, seed=2), path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "is damaged (checksum of " in refusal(path)
    with pytest.raises(BadCheckpoint, match="is damaged"):
        checkpoints.verified_sha256(path)


def test_a_digest_is_remembered_until_the_file_changes(path):
    saved({"cls_token": torch.zeros(1)}, path)
    first = checkpoints.verified_sha256(path)
    assert digests.recall(path) == first
    saved({"cls_token": torch.zeros(2)}, path)
    assert digests.recall(path) is None
    assert checkpoints.verified_sha256(path) != first


def test_a_note_that_is_no_note_is_ignored(path):
    first = checkpoints.verified_sha256(saved({"cls_token": torch.zeros(1)}, path))
    for nonsense in ("", "[]", "3", '{"sha256": 1}', "\0"):
        path.with_name(path.name + ".sha256.json").write_text(nonsense)
        assert digests.recall(path) is None
        assert digests.file_sha256(path) == first


def test_where_no_note_can_be_written_this_process_remembers(path):
    path.with_name(path.name + ".sha256.json").mkdir()  # a note can't take its place
    first = checkpoints.verified_sha256(saved({"cls_token": torch.zeros(1)}, path))
    assert digests.recall(path) == first
    saved({"cls_token": torch.zeros(2)}, path)
    assert digests.recall(path) is None


BIG = Architecture("big", (), dim=1024, depth=4)
MAY_COPY = {  # a share of the file's bytes: what is stored in parts, and a little
    "official.pth": (lambda tensors: tensors, 0.05),
    "official.safetensors": (lambda tensors: tensors, 0.05),
    "dinov2-big/model.safetensors": (as_hugging_face, 0.30),
}


@LINUX
def test_a_large_file_is_mapped_and_not_copied(tmp_path):
    tensors = {name: tensor.clone() for name, tensor in tensors_of(BIG).items()}
    paths = [saved(as_written(tensors), tmp_path / name) for name, (as_written, _) in MAY_COPY.items()]
    command = [sys.executable, "-m", loading_child.__name__, str(BIG.dim), str(BIG.depth), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    shutil.rmtree(tmp_path)
    for grown, (_, share) in zip(json.loads(done.stdout), MAY_COPY.values(), strict=True):
        assert grown["read_bytes"] > 200e6
        assert grown["peak_bytes"] < share * grown["read_bytes"]
