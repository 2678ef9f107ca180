"""A network as it is served: the same answers with fewer passes over memory. Weights are final, so much is done once.

LayerScale is multiplied into the map before it, and that map adds its product to the residual stream in place: of a
block's seven passes over its tokens that are no matrix products, four remain.
"""

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from app.vision.vit import Block, VisionTransformer, attend, gated

POSITION_GRIDS = 32  # sizes whose resampled positions are kept; at 224 px each takes 256 x D numbers


class Linear(nn.Module):
    """An `nn.Linear` that can add to what is there. `scale` (out) is what each of its outputs is multiplied by."""

    def __init__(self, linear: nn.Linear, scale: Tensor | None = None) -> None:
        super().__init__()
        weight, bias = _scaled(linear, scale)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def add(self, x: Tensor, onto: Tensor) -> Tensor:
        """`onto` (…, out), contiguous, with the outputs for `x` (…, in) added in place."""
        onto += self.bias
        onto.view(-1, onto.shape[-1]).addmm_(x.flatten(0, -2), self.weight.t())
        return onto


# what leaves a feed-forward's first map -> what enters its second
ACTIVATIONS = {"mlp": ("fc1", torch.ops.aten.gelu_, "fc2"), "swiglu": ("w12", gated, "w3")}


class ServedBlock(nn.Module):
    """A `Block` that uses up its input."""

    def __init__(self, block: Block, ffn: str, linear: type[nn.Module]) -> None:
        super().__init__()
        into, self.activate, out = ACTIVATIONS[ffn]
        self.heads, self.norm1, self.norm2 = block.attn.heads, block.norm1, block.norm2
        self.qkv = linear(block.attn.qkv)
        self.proj = linear(block.attn.proj, block.ls1.gamma)
        self.into = linear(getattr(block.mlp, into))
        self.out = linear(getattr(block.mlp, out), block.ls2.gamma)

    def forward(self, x: Tensor, first: int | None = None, sees: Tensor | None = None) -> Tensor:
        taken = attend(self.qkv(self.norm1(x)), self.heads, first, sees)
        x = self.proj.add(taken, x[:, :first].contiguous())
        return self.out.add(self.activate(self.into(self.norm2(x))), x)


def serve(network: VisionTransformer, linear: type[nn.Module] = Linear) -> VisionTransformer:
    """The network itself, made ready; `linear` computes its maps. Blocks are turned over one by one."""
    for number, block in enumerate(network.blocks):
        network.blocks[number] = ServedBlock(block, network.architecture.ffn, linear)
    network.positions = functools.lru_cache(POSITION_GRIDS)(network.positions)
    return network


def _scaled(linear: nn.Linear, scale: Tensor | None) -> tuple[Tensor, Tensor]:
    if scale is None:
        return linear.weight, linear.bias
    return linear.weight * scale[:, None], linear.bias * scale
