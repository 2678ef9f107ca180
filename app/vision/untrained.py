"""Weights from a seed, for a machine that can have none. They tell layouts, colours and textures apart, not meaning.

A plain random ViT gives every pair of pictures a cosine near 1. Here the patch filters see structure rather than
brightness, black is the origin so that exposure only scales a vector, the feed-forwards add no constant, and no
LayerScale dampens the blocks.

The same bits on every machine: uniform numbers straight from the generator's integers, on the CPU, each followed by
operations that IEEE 754 rounds one way. A normal distribution would pass through logarithms that differ by processor.
"""

import hashlib
import math

import torch
from torch import Tensor

from app.vision.architectures import GRID, PATCH_PX, Architecture
from app.vision.vit import VisionTransformer

SEED = 20_261_122
PATCH_MEAN_SHARE = 0.05  # of a patch filter's mean that is kept: 1 sees mostly brightness, 0 only structure
POSITION_STD = 0.1  # against patches of about 1: enough to tell top from bottom
BLACK = (0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225)  # how far ImageNet's normalisation moves black from the origin


def state_dict(architecture: Architecture) -> dict[str, Tensor]:
    """Every tensor of the network by its official name, float32, drawn in the network's own order."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in VisionTransformer(architecture).state_dict().items()}
    generator = torch.Generator().manual_seed(SEED)
    tensors = {name: _tensor(name, shape, generator) for name, shape in shapes.items()}
    weight, bias = _patch_filters(shapes["patch_embed.proj.weight"], generator)
    tensors |= {"patch_embed.proj.weight": weight, "patch_embed.proj.bias": bias}
    return {name: tensor.float() for name, tensor in tensors.items()}


def sha256(tensors: dict[str, Tensor]) -> str:
    """Of the tensors' names and little-endian bytes, in the network's order."""
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(name.encode() + tensor.numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _tensor(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    if name == "pos_embed":
        return _positions(shape[-1], generator)
    if name.endswith(("norm1.weight", "norm2.weight", "norm.weight", "gamma")):
        return torch.ones(shape)
    if len(shape) != 2 or not name.endswith(".weight"):
        return torch.zeros(shape)  # biases, cls token, mask token
    draws = _draws(shape, generator)
    if name.endswith("fc2.weight"):
        draws -= draws.mean(
            1, keepdim=True
        )  # GELU's mean is positive: passed on, it would be the same for all pictures
    return draws * _unit_gain(shape)


def _patch_filters(shape: torch.Size, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Filters (D, 3, 14, 14) that mostly ignore the mean of what they see, and the bias (D) that sends black to 0."""
    draws = _draws(shape, generator)
    means = draws.mean((2, 3))  # (D, 3), one for each colour
    filters = draws - (1 - PATCH_MEAN_SHARE) * means[:, :, None, None]
    red, green, blue = (mean * black for mean, black in zip(means.unbind(1), BLACK, strict=True))
    bias = (red + green + blue) * (PATCH_MEAN_SHARE * PATCH_PX * PATCH_PX)
    return filters * _unit_gain(shape), bias * _unit_gain(shape)


def _positions(dim: int, generator: torch.Generator) -> Tensor:
    """(1, 1 + cells, D): from left to right along one random direction, from top to bottom along another."""
    down, across = _draws((2, dim), generator) * (math.sqrt(12) * POSITION_STD)
    along = torch.arange(-(GRID // 2), GRID // 2 + 1, dtype=torch.float64) / (GRID // 2)  # -1 to 1
    cells = along[:, None, None] * down + along[None, :, None] * across  # (37, 37, D)
    return torch.cat([torch.zeros(1, dim, dtype=torch.float64), cells.view(-1, dim)])[None]


def _draws(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform in -0.5 to 0.5. Multiples of 2^-24 held in float64: their sums are exact in any order."""
    return torch.rand(shape, generator=generator).double() - 0.5


def _unit_gain(shape: tuple[int, ...]) -> float:
    """Makes the variance 1 / inputs, so that a layer's outputs are about as large as its inputs."""
    return math.sqrt(12 / math.prod(shape[1:]))
