"""Linear maps in 8-bit integers, for processors: about three times the rate of float32 where there is VNNI.

Weights are scaled by output channel once, inputs by token as they come (LLM.int8(), arXiv 2208.07339, section 2). One
token's scale knows nothing of its neighbours, so a picture's vector does not depend on what else is in the batch.
"""

import torch
from torch import Tensor, nn

from app.vision.vit import VisionTransformer

INPUT_LEVELS = 127
# Seven bits: a processor without VNNI adds pairs of products in 16 bits, where eight would overflow, in silence.
WEIGHT_LEVELS = 63
SMALLEST_SCALE = 1e-12  # a token of zeros has no scale of its own


class Int8Linear(nn.Module):
    """In place of an `nn.Linear`: float32 (…, in) -> (…, out), exact in between."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        scale = _scale(linear.weight, WEIGHT_LEVELS)  # (out, 1)
        self.register_buffer("weight", _rounded(linear.weight, scale).t())  # (in, out), a view: as the kernel likes it
        self.register_buffer("scale", scale.squeeze(1))
        self.register_buffer("bias", linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        scale = _scale(rows, INPUT_LEVELS)  # (tokens, 1)
        sums = torch._int_mm(_rounded(rows, scale), self.weight)  # int32 (tokens, out)
        return torch.addcmul(self.bias, sums * scale, self.scale).view(*x.shape[:-1], -1)


def to_int8(network: VisionTransformer) -> VisionTransformer:
    """The same network, the linear maps of its blocks in integers: all but 1 % of its multiplications."""
    for block in network.blocks:
        for part in (block.attn, block.mlp):
            for name, linear in list(part.named_children()):
                setattr(part, name, Int8Linear(linear))
    return network


def _scale(rows: Tensor, levels: int) -> Tensor:
    # amax of abs: a vector norm of order infinity takes ten times as long
    return (rows.abs().amax(1, keepdim=True) / levels).clamp_(min=SMALLEST_SCALE)


def _rounded(rows: Tensor, scale: Tensor) -> Tensor:
    return (rows / scale).round_().to(torch.int8)
