"""Weights files that are not what they should be are refused in words; none may run code."""

import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path

import pytest
import safetensors.torch
import torch

from app.errors import BadCheckpoint
from app.vision import checkpoints, digests
from app.vision.architectures import Architecture, get_architecture

TINY = Architecture(name="tiny", aliases=(), dim=64, depth=2, file="tiny/tiny_pretrain.pth")


def tensors_of(architecture: Architecture) -> OrderedDict[str, torch.Tensor]:
    """Of the right shapes, each one number repeated: the file stays small."""
    shapes = checkpoints.expected_shapes(architecture)
    return OrderedDict((name, torch.full((1,), 0.5).expand(shape)) for name, shape in shapes.items())


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


def refusal(path: Path, architecture: Architecture = TINY) -> str:
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(architecture, path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "tiny_pretrain.pth"


def test_the_official_layout_loads_as_pth_and_as_safetensors(path):
    tensors = tensors_of(TINY)
    safetensors.torch.save_file(
        {name: value.contiguous() for name, value in tensors.items()}, path.with_suffix(".safetensors")
    )
    for file in (saved(tensors, path), path.with_suffix(".safetensors")):
        loaded = checkpoints.load(TINY, file)
        assert loaded.keys() == tensors.keys()
        assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_the_mask_token_may_be_missing(path):
    tensors = tensors_of(TINY)
    del tensors["mask_token"]
    assert checkpoints.load(TINY, saved(tensors, path))["mask_token"].count_nonzero() == 0


def test_a_missing_tensor_is_named(path):
    tensors = tensors_of(TINY)
    del tensors["blocks.1.attn.qkv.weight"]
    assert refusal(saved(tensors, path)) == (
        "tiny_pretrain.pth is not tiny: 1 tensors are missing (first blocks.1.attn.qkv.weight); "
        "it was cut short or belongs to another network: take the official file tiny_pretrain.pth"
    )


def test_a_tensor_too_many_is_named(path):
    assert "1 are not its own (first head.weight)" in refusal(
        saved({**tensors_of(TINY), "head.weight": torch.zeros(2)}, path)
    )


def test_resized_positions_are_recognised(path):
    said = refusal(saved({**tensors_of(TINY), "pos_embed": torch.zeros(1, 257, 64)}, path))
    assert "pos_embed: (1, 257, 64), expected (1, 1370, 64)" in said
    assert "its positions were resized to 257 tokens" in said


def test_chunked_blocks_are_recognised(path):
    chunked = {name.replace("blocks.", "blocks.0."): value for name, value in tensors_of(TINY).items()}
    assert "its blocks are chunked as in training" in refusal(saved(chunked, path))


def test_another_variant_is_recognised(path):
    twin = tensors_of(get_architecture("dinov2_vits14_reg"))
    assert refusal(saved(twin, path), get_architecture("dinov2_vits14")).endswith(
        "it holds dinov2_vits14_reg: ask for that model or take the right file"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"teacher": {"backbone.cls_token": torch.zeros(1)}}, "holds a training checkpoint"),
        ({"state_dict": {"backbone.cls_token": torch.zeros(1)}, "meta": {}}, "holds an mmpretrain checkpoint"),
        ({"embeddings.cls_token": torch.zeros(1)}, "it is a Hugging Face checkpoint"),
        ({"cls_token": torch.zeros(1), "epoch": 3}, "holds entries that are no tensors (such as 'cls_token')"),
        ({}, "holds nothing"),
        (torch.zeros(3), "holds a Tensor"),
    ],
)
def test_foreign_layouts_are_named(path, content, said):
    assert said in refusal(saved(content, path))


def test_foreign_layouts_of_the_originals_are_refused(shared, tmp_path):
    with tarfile.open(shared / "golden" / "mlp.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert "a training checkpoint" in refusal(tmp_path / "mlp_teacher_chunked.pth")
    assert "an mmpretrain checkpoint" in refusal(tmp_path / "mlp_mmpretrain.pth")
    assert "a Hugging Face checkpoint" in refusal(tmp_path / "mlp_hf" / "model.safetensors")


class Hostile:
    """What unpickling it would do, a test can see."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def save_bare(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("save", [torch.save, save_bare])
def test_a_file_that_would_run_code_is_refused_and_runs_none(path, tmp_path, save):
    save({"cls_token": Hostile(tmp_path / "ran")}, path)
    assert "holds more than tensors, and could run code" in refusal(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_cut_anywhere_is_refused(tmp_path, suffix):
    path = tmp_path / f"tiny{suffix}"
    save = torch.save if suffix == ".pth" else safetensors.torch.save_file
    save({name: torch.rand(20, 30) for name in "abc"}, path)
    whole = path.read_bytes()
    for share in (0, 0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "is no whole weights file" in refusal(path) or "could run code" in refusal(path)


def test_a_flipped_bit_is_found_by_the_file_s_own_checksums(path):
    saved({"cls_token": torch.rand(1000)}, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadCheckpoint, match="is damaged"):
        checkpoints.verified_sha256(path)


def test_a_digest_is_remembered_until_the_file_changes(path):
    path.write_bytes(b"first")
    first = checkpoints.verified_sha256(path)
    assert digests.recall(path) == first
    path.write_bytes(b"second")
    assert digests.recall(path) is None
    assert checkpoints.verified_sha256(path) != first


def test_a_note_that_is_no_note_is_ignored(path):
    path.write_bytes(b"first")
    first = checkpoints.verified_sha256(path)
    for nonsense in ("", "[]", "3", '{"sha256": 1}', "\0"):
        path.with_name(path.name + ".sha256.json").write_text(nonsense)
        assert digests.recall(path) is None
        assert digests.file_sha256(path) == first


def test_check_says_what_a_file_holds(path):
    facts = checkpoints.check(saved(tensors_of(get_architecture("vitb14")), path))
    assert (facts.model, facts.dtype, facts.tensors, facts.parameters) == ("dinov2_vitb14", "float32", 175, 86_580_480)
    assert not facts.published
