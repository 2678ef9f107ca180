"""`dinoseek models`: what a weights file is, said to people and to programs; where weights come from."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.vision import fingerprint, untrained
from app.vision.architectures import get_architecture
from app.vision.models import weights_state
from tests.program import Program
from tests.vision import mirrors
from tests.vision.weights import VITS14, as_hugging_face, saved, tensors_of


@pytest.fixture
def ask(tmp_path, monkeypatch, capfd) -> Iterator[Callable]:
    with Program(tmp_path / "home", weights_dir=tmp_path / "weights") as program:
        yield lambda *arguments: program.here(monkeypatch, capfd, *arguments)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A Hugging Face folder of the real sizes."""
    saved(as_hugging_face(tensors_of(VITS14)), tmp_path / "dinov2-small" / "model.safetensors")
    return tmp_path / "dinov2-small"


def test_check_says_all_of_a_whole_file(ask, folder):
    done = ask("models", "check", folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert (
        facts.items()
        >= {
            "path": str(folder),
            "layout": "huggingface",
            "model": "dinov2_vits14",
            "nearest": "dinov2_vits14",
            "dtype": "float32",
            "tensors": 223,
            "parameters": 22_056_576,
            "sha256": digest,
            "published": False,
            "missing": [],
            "extra": [],
            "misshapen": [],
            "ignored": [],
            "refusal": None,
        }.items()
    )


def test_check_tells_people_the_same(ask, folder):
    shown = ask("models", "check", folder / "model.safetensors").stdout
    assert all(word in shown for word in ("huggingface", "dinov2_vits14", "float32", "22056576"))


def test_check_gives_the_fingerprint_for_two_machines_to_compare(ask, tmp_path):
    """The tensors of the untrained model in a file of their own answer as the recorded model does."""
    file = saved(untrained.state_dict(VITS14), tmp_path / "weights.pth")
    recorded = fingerprint.recorded()["untrained_vits14"]
    assert np.abs(json.loads(ask("models", "check", file, "--json").stdout)["fingerprint"] - recorded).max() < 1e-5
    assert fingerprint.shown(recorded) in ask("models", "check", file).stdout


def test_check_describes_what_can_t_be_loaded_and_exits_with_1(ask, tmp_path):
    tensors = {name: tensor for name, tensor in tensors_of(VITS14).items() if not name.startswith("blocks.3.norm")}
    file = saved(tensors, tmp_path / "cut.pth")
    done = ask("models", "check", file, "--json")
    assert done.returncode == 1
    facts = json.loads(done.stdout)
    assert (facts["model"], facts["nearest"], facts["layout"]) == (None, "dinov2_vits14", "official")
    assert facts["fingerprint"] is None
    assert facts["missing"] == [f"blocks.3.norm{n}.{kind}" for n in (1, 2) for kind in ("weight", "bias")]
    (line,) = done.stderr.splitlines()
    assert "can't be loaded: 4 tensors are missing (first blocks.3.norm1.weight); it was cut short" in line
    shown = ask("models", "check", file)
    assert shown.returncode == 1
    assert "4: blocks.3.norm1.weight, blocks.3.norm1.bias, blocks.3.norm2.weight, …" in shown.stdout


def test_check_of_nothing_is_one_line(ask, tmp_path):
    done = ask("models", "check", tmp_path / "nowhere.pth")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not there: give a weights file or a folder that holds one" in done.stderr


@pytest.fixture
def closed() -> Iterator[mirrors.Mirror]:
    server = mirrors.Mirror(lambda request, start: request.send(404, b"", length=0))
    yield server
    server.close()


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (("dinov2_vits14",), "dinov2_vits14/dinov2_vits14_pretrain.pth"),
        (("facebook/dinov2-small",), "facebook/dinov2-small/resolve/main/model.safetensors"),
        (("vits14", "--source", "huggingface"), "facebook/dinov2-small/resolve/main/model.safetensors"),
        (("vits14", "--source", "mmpretrain"), "vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth"),
        (("facebook/dinov2-small", "--source", "official"), "dinov2_vits14/dinov2_vits14_pretrain.pth"),
    ],
)
def test_pull_asks_the_publisher_that_is_meant(ask, closed, asked, path):
    done = ask("models", "pull", *asked, "--mirror", closed.base_url)
    assert (done.returncode, done.stdout) == (1, "")
    assert closed.paths == [f"/mirror/{path}"]
    assert "the server answered 404 Not Found" in done.stderr


def test_a_folder_that_was_put_there_counts_as_weights(ask, folder, tmp_path):
    (tmp_path / "weights").mkdir()
    folder.rename(tmp_path / "weights" / "dinov2-small")
    assert weights_state(get_architecture("dinov2_vits14"), tmp_path / "weights") == "ready"
    assert "is not the published file" in ask("models", "pull", "facebook/dinov2-small").stderr


def test_a_publisher_nobody_knows_is_wrong_usage(ask):
    assert ask("models", "pull", "vits14", "--source", "elsewhere").returncode == 2
