"""The variants as people see them in a list: names, sizes counted from the network itself, weights here or not."""

import functools
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from app.vision.architectures import ARCHITECTURES, Architecture
from app.vision.models import weights_state
from app.vision.vit import Attention, VisionTransformer

COUNTED_PX = 518  # the size the weights were trained at, and published counts refer to
NORM_OPERATIONS = 5  # per value, as the usual counters count a LayerNorm


@dataclass(frozen=True)
class ModelFacts:
    """One row of `models list`."""

    name: str
    aliases: tuple[str, ...]
    hugging_face: str | None
    mmpretrain: str | None
    dim: int
    depth: int
    heads: int
    registers: int
    params_m: float  # millions
    macs_g_518: float  # 10^9 multiply-accumulates for one picture of 518 x 518
    weights: str  # ready, missing, or bundled: needs no file
    trained: bool


def model_facts(weights_dir: Path) -> list[ModelFacts]:
    """Every variant, in the table's order."""
    return [_facts(architecture, weights_dir) for architecture in ARCHITECTURES]


@functools.cache
def count(architecture: Architecture, side_px: int = COUNTED_PX, cls_only: bool = False) -> tuple[int, int]:
    """Parameters and multiply-accumulates for one square picture, from a run of the network on shapes alone.

    For all its tokens, as published counts are meant, or for the cls token only, as a served network runs.
    """
    macs = 0

    def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal macs
        macs += MACS[type(module)](module, inputs[0], output)

    with torch.device("meta"), torch.inference_mode():
        network = VisionTransformer(architecture)
        for module in network.modules():
            if type(module) in MACS:
                module.register_forward_hook(add)
        run = network if cls_only else network.forward_features
        run(torch.empty(1, 3, side_px, side_px))
    return sum(parameter.numel() for parameter in network.parameters()), macs


def _attention(module: Attention, x: torch.Tensor, output: torch.Tensor) -> int:
    B, T, D = x.shape
    return 2 * B * output.shape[1] * T * D  # q k^T, and its softmax times v, over all heads


MACS = {
    nn.Linear: lambda module, x, output: output.numel() * module.in_features,
    nn.Conv2d: lambda module, x, output: output.numel() * module.weight[0].numel(),
    nn.LayerNorm: lambda module, x, output: output.numel() * NORM_OPERATIONS,
    Attention: _attention,
}


def _facts(architecture: Architecture, weights_dir: Path) -> ModelFacts:
    parameters, macs = count(architecture)
    return ModelFacts(
        name=architecture.name,
        aliases=architecture.other_names,
        hugging_face=architecture.hugging_face,
        mmpretrain=architecture.mmpretrain,
        dim=architecture.dim,
        depth=architecture.depth,
        heads=architecture.heads,
        registers=architecture.registers,
        params_m=round(parameters / 1e6, 2),
        macs_g_518=round(macs / 1e9, 2),
        weights=weights_state(architecture, weights_dir),
        trained=architecture.trained,
    )
