"""Weights files that are not what they should be are refused with what was found, what was expected, and the cause."""

from pathlib import Path

import pytest
import torch

from app.errors import BadCheckpoint, NotFound
from app.vision import checkpoints, digests
from app.vision.architectures import get_architecture
from app.vision.diagnosis import Misshapen
from app.vision.models import find_weights
from tests.vision.weights import TINY, as_hugging_face, as_mmpretrain, same, saved, tensors_of

VITS14 = get_architecture("dinov2_vits14")
VITS14_REG = get_architecture("dinov2_vits14_reg")


def refusal(path: Path, architecture=TINY) -> str:
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(architecture, path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "tiny_pretrain.pth"


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
    assert "its positions were resized to 257 tokens (224 px): take the file trained at 518 px (1370 tokens)" in said


@pytest.mark.parametrize("written", [lambda tensors: tensors, as_hugging_face])
def test_another_variant_is_recognised(path, written):
    assert refusal(saved(written(tensors_of(VITS14_REG)), path), VITS14).endswith(
        "it holds dinov2_vits14_reg: ask for that model or take the right file"
    )


def test_the_nearest_variant_is_named_where_none_is_whole(path):
    twin = tensors_of(get_architecture("dinov2_vitb14"))
    del twin["norm.bias"]
    near = "it is nearest to dinov2_vitb14 (1 tensors are missing (first norm.bias)): take the official file"
    assert near in refusal(saved(twin, path), get_architecture("dinov2_vitl14"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"cls_token": torch.zeros(1), "epoch": 3}, "1 tensors (such as 'cls_token') in none of the layouts official,"),
        ({"model": {"layer.0.weight": torch.zeros(1)}}, "it belongs to another network: take the official file tiny"),
        ({"a\nb": torch.zeros(1)}, r"(such as 'a\nb')"),
        ({**tensors_of(TINY), "a\nb": torch.zeros(1)}, "(first a b)"),
        ({**tensors_of(TINY), "norm.bias": 3}, "1 tensors are missing (first norm.bias), 1 are not its own"),
        ({**tensors_of(TINY), "norm.bias": torch.zeros(64, dtype=torch.int8)}, "norm.bias is int8 strided on cpu"),
        ({**tensors_of(TINY), "norm.bias": torch.zeros(64).to_sparse()}, "norm.bias is float32 sparse_coo on cpu"),
        ({**tensors_of(TINY), "norm.bias": torch.zeros(64, device="meta")}, "norm.bias is float32 strided on meta"),
        ({}, "holds nothing"),
        (torch.zeros(3), "holds a Tensor"),
    ],
)
def test_what_is_no_network_of_ours_is_named(path, content, said):
    assert said in refusal(saved(content, path))


def test_a_network_of_other_sizes_is_described_by_its_own(path):
    assert "it belongs to another network (width 64, 2 blocks): take" in refusal(saved(tensors_of(TINY), path), VITS14)


def test_nothing_there_and_an_empty_folder_are_refused_with_what_was_expected(tmp_path):
    with pytest.raises(NotFound, match="is not there: give a weights file or a folder"):
        checkpoints.load(TINY, tmp_path / "none")
    assert "holds no weights: expected one of model.safetensors, model.safetensors.index.json" in refusal(tmp_path)


def test_a_folder_of_several_models_gives_the_one_asked_for(tmp_path):
    saved(tensors_of(TINY), tmp_path / TINY.file_name)
    assert same(checkpoints.load(TINY, tmp_path), tensors_of(TINY))


def test_check_says_what_a_file_holds(path):
    facts = checkpoints.check(saved(tensors_of(get_architecture("vitb14")), path))
    assert (facts.layout, facts.model, facts.dtype) == ("official", "dinov2_vitb14", "float32")
    assert (facts.tensors, facts.parameters) == (175, 86_580_480)
    assert (facts.missing, facts.extra, facts.misshapen, facts.ignored, facts.refusal) == ((), (), (), (), None)
    assert not facts.published


def test_check_counts_a_hugging_face_folder_as_its_network(tmp_path):
    saved(as_hugging_face(tensors_of(VITS14_REG)), tmp_path / "m" / "model.safetensors")
    facts = checkpoints.check(tmp_path / "m")
    assert (facts.layout, facts.model, facts.path) == ("huggingface", "dinov2_vits14_reg", tmp_path / "m")
    assert (facts.tensors, facts.parameters) == (224, 22_058_112)


def test_check_describes_what_can_t_be_loaded(path):
    tensors = {name: tensor.half() for name, tensor in as_hugging_face(tensors_of(VITS14)).items()}
    del tensors["layernorm.bias"], tensors["encoder.layer.3.norm1.bias"]
    tensors["embeddings.position_embeddings"] = torch.zeros(1, 257, 384)
    facts = checkpoints.check(saved(tensors | {"lm_head.weight": torch.zeros(3)}, path))
    assert (facts.layout, facts.model, facts.nearest) == ("huggingface", None, "dinov2_vits14")
    assert facts.dtype == "float16, float32"
    assert facts.missing == ("blocks.3.norm1.bias", "norm.bias")
    assert facts.extra == ("lm_head.weight",)
    assert facts.misshapen == (Misshapen("embeddings.position_embeddings", (1, 257, 384), (1, 1370, 384)),)
    assert "its positions were resized to 257 tokens (224 px): take the file trained at 518 px" in facts.refusal


def test_check_of_no_tensors_is_refused(path):
    with pytest.raises(BadCheckpoint, match="holds no tensors"):
        checkpoints.check(saved({"epoch": 3}, path))


def test_a_published_file_is_known_by_its_digest(path):
    saved(tensors_of(VITS14), path)
    for digest in (VITS14.sha256, VITS14.hugging_face_sha256, VITS14.mmpretrain_sha256 + "0" * 56):
        digests.remember(path, digest)
        assert checkpoints.check(path).published
    digests.remember(path, "5641ca5b" + "0" * 56)
    assert not checkpoints.check(path).published


PLACES = (  # where one may find this model, the first counts
    "dinov2_vits14_pretrain.pth",
    "dinov2_vits14_pretrain.safetensors",
    "dinov2-small/model.safetensors",
    "dinov2-small/model.safetensors.index.json",
    "dinov2-small/pytorch_model.bin",
    "facebook/dinov2-small/model.safetensors",
    "models--facebook--dinov2-small/snapshots/ed25f3a3/model.safetensors",
    "vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth",
)


def test_weights_are_found_under_every_publisher_s_names_in_one_order(tmp_path):
    assert find_weights(VITS14, tmp_path) is None
    for place in reversed(PLACES):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
        assert find_weights(VITS14, tmp_path) == tmp_path / place
    assert find_weights(VITS14_REG, tmp_path) is None
    assert find_weights(get_architecture("untrained_vits14"), tmp_path) is None


def test_of_a_download_cache_the_main_branch_counts(tmp_path):
    cache = tmp_path / "models--facebook--dinov2-small"
    for commit in ("aaaa", "bbbb", "cccc"):
        saved(as_hugging_face(tensors_of(TINY)), cache / "snapshots" / commit / "model.safetensors")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("bbbb\n")
    assert find_weights(VITS14, tmp_path) == cache / "snapshots" / "bbbb" / "model.safetensors"
    assert same(checkpoints.load(TINY, cache), tensors_of(TINY))


def test_mmpretrain_s_file_is_loaded_from_where_it_is_found(tmp_path):
    saved(as_mmpretrain(tensors_of(VITS14)), tmp_path / VITS14.mmpretrain_file_name)
    assert same(checkpoints.load(VITS14, find_weights(VITS14, tmp_path)), tensors_of(VITS14))
