"""Weights files of a small network, as each publisher would write them. By hand, not by the tables under test."""

import re
from collections import OrderedDict
from pathlib import Path

import safetensors.torch
import torch

from app.vision.architectures import Architecture, get_architecture
from app.vision.layouts import expected_shapes

VITS14 = get_architecture("dinov2_vits14")
TINY = Architecture(name="tiny", aliases=(), dim=64, depth=2, file="tiny/tiny_pretrain.pth")
TINY_SWIGLU = Architecture(name="tiny", aliases=(), dim=64, depth=2, ffn="swiglu", registers=4)

HUGGING_FACE = (
    ("blocks.", "encoder.layer."),
    ("attn.proj.", "attention.output.dense."),
    ("ls1.gamma", "layer_scale1.lambda1"),
    ("ls2.gamma", "layer_scale2.lambda1"),
    ("mlp.w12.", "mlp.weights_in."),
    ("mlp.w3.", "mlp.weights_out."),
    ("cls_token", "embeddings.cls_token"),
    ("mask_token", "embeddings.mask_token"),
    ("register_tokens", "embeddings.register_tokens"),
    ("pos_embed", "embeddings.position_embeddings"),
    ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
)
HUGGING_FACE_SINCE_5 = (
    ("attention.attention.query.", "attention.q_proj."),
    ("attention.attention.key.", "attention.k_proj."),
    ("attention.attention.value.", "attention.v_proj."),
    ("attention.output.dense.", "attention.o_proj."),
    ("mlp.weights_out.", "mlp.down_proj."),
)
MMPRETRAIN = (
    ("norm1.", "ln1."),
    ("norm2.", "ln2."),
    ("ls1.gamma", "attn.gamma1.weight"),
    ("ls2.gamma", "ffn.gamma2.weight"),
    ("mlp.fc1.", "ffn.layers.0.0."),
    ("mlp.fc2.", "ffn.layers.1."),
    ("mlp.w", "ffn.w"),
    ("patch_embed.proj.", "patch_embed.projection."),
    ("blocks.", "layers."),
)


def tensors_of(architecture: Architecture, seed: int | None = None) -> OrderedDict[str, torch.Tensor]:
    """Of the right shapes: noise of a seed, or each one number repeated, which keeps the file small."""
    shapes = expected_shapes(architecture).items()
    if seed is None:
        return OrderedDict((name, torch.full((1,), 0.5).expand(shape)) for name, shape in shapes)
    generator = torch.Generator().manual_seed(seed)
    return OrderedDict((name, torch.randn(shape, generator=generator)) for name, shape in shapes)


def as_hugging_face(tensors: dict[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    """As transformers writes them to disk."""
    renamed = {}
    for name, tensor in tensors.items():
        own = "layernorm." + name[5:] if name.startswith("norm.") else _replaced(name, HUGGING_FACE)
        if ".attn.qkv." not in own:
            renamed[prefix + own] = tensor
            continue
        for part, rows in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
            renamed[prefix + own.replace("attn.qkv", f"attention.attention.{part}")] = rows.contiguous()
    return renamed


def as_hugging_face_since_5(tensors: dict[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    """As transformers 5 and later hold them in memory."""
    renamed = {}
    for name, tensor in as_hugging_face(tensors, prefix).items():
        own = _replaced(name, HUGGING_FACE_SINCE_5)
        if ".weights_in." not in own:
            renamed[own] = tensor
            continue
        for part, rows in zip(("gate_proj", "up_proj"), tensor.chunk(2), strict=True):
            renamed[own.replace("weights_in", part)] = rows.contiguous()
    return renamed


def as_mmpretrain(tensors: dict[str, torch.Tensor]) -> dict:
    names = {name: "ln1." + name[5:] if name.startswith("norm.") else _replaced(name, MMPRETRAIN) for name in tensors}
    return {"meta": {"epoch": 3}, "state_dict": {f"backbone.{names[name]}": tensors[name] for name in tensors}}


def as_training(tensors: dict[str, torch.Tensor], blocks_per_chunk: int = 2) -> dict:
    teacher = {"module.dino_head.last_layer.weight_g": torch.ones(3, 1), "module.ibot_head.mlp.0.bias": torch.ones(3)}
    for name, tensor in tensors.items():
        block = re.match(r"blocks\.(\d+)\.", name)
        own = name if block is None else f"blocks.{int(block[1]) // blocks_per_chunk}.{name.removeprefix('blocks.')}"
        teacher[f"module.backbone.{own}"] = tensor
    return {"teacher": teacher, "iteration": 7}


def saved(content: object, path: Path) -> Path:
    """As safetensors or by torch, as the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in content.items()}, path)
    else:
        torch.save(content, path)
    return path


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def _replaced(name: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        name = name.replace(old, new)
    return name
