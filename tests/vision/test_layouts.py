"""Every public layout loads to the same state dict, exactly; what is no layout of ours is named."""

import json
import tarfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from transformers import (
    Dinov2Config,
    Dinov2ForImageClassification,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    Dinov2WithRegistersModel,
)

from app.errors import BadCheckpoint
from app.vision import checkpoints
from app.vision.architectures import Architecture
from tests.vision.weights import (
    TINY,
    TINY_SWIGLU,
    as_hugging_face,
    as_hugging_face_since_5,
    as_mmpretrain,
    as_training,
    same,
    saved,
    tensors_of,
)

GOLDEN = {
    "mlp": (Architecture("mlp", (), 128, 3), ("mlp_hf", "mlp_mmpretrain.pth", "mlp_teacher_chunked.pth")),
    "mlp_reg": (Architecture("mlp_reg", (), 128, 3, registers=4), ("mlp_reg_hf",)),
    "swiglu": (Architecture("swiglu", (), 128, 3, ffn="swiglu"), ("swiglu_hf", "swiglu_mmpretrain.pth")),
    "swiglu_reg": (Architecture("swiglu_reg", (), 128, 3, ffn="swiglu", registers=4), ("swiglu_reg_hf",)),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_originals_files_of_one_network_load_to_equal_tensors(shared, tmp_path, case):
    architecture, others = GOLDEN[case]
    with tarfile.open(shared / "golden" / f"{case}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    official = torch.load(tmp_path / f"{case}_official.pth", weights_only=True)
    for name in (f"{case}_official.pth", *others):
        assert same(checkpoints.load(architecture, tmp_path / name), dict(official)), name


MODELS = {
    Dinov2Model: Dinov2Config,
    Dinov2ForImageClassification: Dinov2Config,
    Dinov2WithRegistersModel: Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification: Dinov2WithRegistersConfig,
}


@pytest.mark.parametrize("ffn", ["mlp", "swiglu"])
@pytest.mark.parametrize("model_class", MODELS, ids=lambda model_class: model_class.__name__)
def test_what_transformers_writes_and_dumps_is_read(tmp_path, model_class, ffn):
    model = transformers_model(model_class, ffn)
    registers = 4 if MODELS[model_class] is Dinov2WithRegistersConfig else 0
    architecture = Architecture("tiny", (), dim=128, depth=3, ffn=ffn, registers=registers)
    model.save_pretrained(tmp_path / "one")
    model.save_pretrained(tmp_path / "parts", max_shard_size="500KB")
    assert (tmp_path / "parts" / "model.safetensors.index.json").is_file()
    torch.save(model.state_dict(), tmp_path / "dump.bin")
    loaded = [checkpoints.load(architecture, tmp_path / name) for name in ("one", "parts", "dump.bin")]
    assert same(loaded[0], loaded[1])
    assert same(loaded[0], loaded[2])
    layer = model.base_model.encoder.layer[1]
    projections = (layer.attention.q_proj, layer.attention.k_proj, layer.attention.v_proj)
    assert torch.equal(loaded[0]["blocks.1.attn.qkv.weight"], torch.cat([each.weight for each in projections]))
    assert torch.equal(loaded[0]["blocks.1.ls2.gamma"], layer.layer_scale2.lambda1)


def transformers_model(model_class: type, ffn: str) -> torch.nn.Module:
    """Three blocks with noise in every tensor, so that none can be taken for another."""
    torch.manual_seed(11)
    sizes = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 518, "patch_size": 14}
    model = model_class(MODELS[model_class](**sizes, use_swiglu_ffn=ffn == "swiglu")).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


WRITTEN = {
    "official.pth": lambda tensors: tensors,
    "official.safetensors": lambda tensors: tensors,
    "old/model.safetensors": as_hugging_face,
    "old/pytorch_model.bin": as_hugging_face,
    "new.safetensors": as_hugging_face_since_5,
    "classifier.safetensors": lambda tensors: as_hugging_face(tensors, "dinov2.") | {"classifier.bias": torch.ones(9)},
    "registers.bin": lambda tensors: as_hugging_face_since_5(tensors, "dinov2_with_registers."),
    "mm.pth": as_mmpretrain,
    "mm_alone.pth": lambda tensors: as_mmpretrain(tensors)["state_dict"],
    "training.pth": as_training,
    "teacher.safetensors": lambda tensors: as_training(tensors, blocks_per_chunk=1)["teacher"],
    "no_suffix": lambda tensors: tensors,
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("architecture", [TINY, TINY_SWIGLU], ids=["mlp", "swiglu with registers"])
def test_names_decide_and_not_the_file_s_own(tmp_path, architecture, name):
    tensors = tensors_of(architecture, seed=5)
    written = saved(WRITTEN[name](tensors), tmp_path / name)
    assert same(checkpoints.load(architecture, written.rename(tmp_path / "anything")), tensors)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_keep_the_precision_of_the_file(tmp_path, dtype):
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of(TINY, seed=1).items()}
    for name in ("old/model.safetensors", "mm.pth"):
        assert same(checkpoints.load(TINY, saved(WRITTEN[name](tensors), tmp_path / name)), tensors)


def test_a_mask_token_that_was_stripped_is_made_in_the_file_s_precision(tmp_path):
    tensors = {name: tensor.half() for name, tensor in as_hugging_face(tensors_of(TINY)).items()}
    del tensors["embeddings.mask_token"]
    mask = checkpoints.load(TINY, saved(tensors, tmp_path / "model.safetensors"))["mask_token"]
    assert (mask.shape, mask.dtype, mask.count_nonzero()) == ((1, 64), torch.float16, 0)


def test_an_average_s_norm_and_a_head_of_mmpretrain_are_left_aside(tmp_path):
    content = as_mmpretrain(tensors_of(TINY))
    content["state_dict"] |= {"backbone.ln2.weight": torch.ones(64), "head.fc.weight": torch.ones(3, 64)}
    facts = checkpoints.check(saved(content, tmp_path / "mm.pth"))
    assert (facts.layout, facts.ignored) == ("mmpretrain", ("backbone.ln2.weight", "head.fc.weight"))


def refusal(content: dict, path: Path, architecture: Architecture = TINY) -> str:
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(architecture, saved(content, path))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_part_that_is_missing_is_named(tmp_path):
    tensors = as_hugging_face(tensors_of(TINY))
    del tensors["encoder.layer.1.attention.attention.key.bias"]
    said = refusal(tensors, tmp_path / "dinov2-tiny" / "model.safetensors")
    assert said.startswith(
        "dinov2-tiny/model.safetensors is not tiny: 1 tensors are missing (first blocks.1.attn.key.bias"
    )


def test_a_tensor_of_another_module_is_named_as_the_file_names_it(tmp_path):
    tensors = as_hugging_face(tensors_of(TINY), "dinov2.") | {"dinov2.pooler.dense.weight": torch.ones(2)}
    assert "1 are not its own (first dinov2.pooler.dense.weight)" in refusal(tensors, tmp_path / "model.safetensors")


def test_two_names_of_one_tensor_are_refused(tmp_path):
    content = as_training(tensors_of(TINY))
    content["teacher"]["module.backbone.blocks.7.1.norm1.bias"] = torch.ones(64)
    assert "1 are not its own (first module.backbone.blocks.7.1.norm1.bias)" in refusal(content, tmp_path / "t.pth")


def timm(architecture: Architecture) -> dict[str, torch.Tensor]:
    tensors = dict(tensors_of(architecture))
    tensors["reg_token"], tensors["pos_embed"] = tensors.pop("register_tokens"), tensors["pos_embed"][:, 1:]
    return tensors


def timm_giant() -> dict[str, torch.Tensor]:
    renamed = ((name.replace("w12", "fc1").replace("w3", "fc2"), t) for name, t in tensors_of(TINY_SWIGLU).items())
    return {name: tensor for name, tensor in renamed if name != "register_tokens"}


@pytest.mark.parametrize("tensors", [timm(TINY_SWIGLU), timm_giant()], ids=["registers", "giant"])
def test_timm_s_layout_is_refused_by_its_name(tmp_path, tensors):
    assert "it is timm's layout, which adds the cls position into cls_token" in refusal(tensors, tmp_path / "t.pth")
    assert checkpoints.check(tmp_path / "t.pth").layout == "timm"


@pytest.mark.parametrize(
    ("weight_map", "said"),
    [
        ({"cls_token": "b.safetensors"}, "'b.safetensors', which is not beside it"),
        ({"cls_token": "../a.safetensors"}, "'../a.safetensors', which is not beside it"),
        ({"cls_token": "model.safetensors.index.json"}, "is no weights file"),
        ({"norm.weight": "a.safetensors"}, "is no whole weights file"),
        ({"norm.weight": "a.pth"}, "lacks norm.weight, which its index promises"),
        ({}, "names no tensor"),
        (["cls_token"], "is no whole weights file"),
    ],
)
def test_an_index_that_promises_too_much_is_refused(tmp_path, weight_map, said):
    saved({"cls_token": torch.ones(3)}, tmp_path / "m" / "a.safetensors")
    saved({"cls_token": torch.ones(3)}, tmp_path / "m" / "a.pth")
    (tmp_path / "m" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(TINY, tmp_path / "m")
    assert said in str(refused.value)


def test_parts_have_a_digest_together_that_each_of_them_changes(tmp_path):
    names = {"a": "1.safetensors", "b": "2.safetensors"}
    for name, file in names.items():
        safetensors.torch.save_file({name: torch.ones(3)}, tmp_path / file)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    first = checkpoints.verified_sha256(tmp_path)
    safetensors.torch.save_file({"b": torch.ones(4)}, tmp_path / "2.safetensors")
    assert checkpoints.verified_sha256(tmp_path) != first
