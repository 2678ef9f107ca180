"""Linear maps in 8-bit integers, for processors: about three times the rate of float32 where there is VNNI.

Weights are rounded in steps of their output channel once, inputs in steps of their token as they come (LLM.int8(),
arXiv 2208.07339, section 2). One token's step knows nothing of its neighbours, so a picture's vector does not depend on
what else is in the batch.
"""

import torch
from torch import Tensor, nn

from app.vision.served import Linear

INPUT_LEVELS = 127
# Seven bits: a processor without VNNI adds pairs of products in 16 bits, where eight would overflow, in silence.
WEIGHT_LEVELS = 63
SMALLEST_STEP = 1e-12  # a token of zeros has no step of its own


class Int8Linear(Linear):
    """`served.Linear` on float32 that multiplies integers: exact sums of rounded numbers."""

    def __init__(self, linear: nn.Linear, scale: Tensor | None = None) -> None:
        super().__init__(linear, scale)
        steps = _steps(self.weight, WEIGHT_LEVELS)  # (out, 1)
        self.weight = _rounded(self.weight, steps).t()  # (in, out), a view: as the kernel likes it
        self.register_buffer("steps", steps.squeeze(1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias, self._products(x), self.steps).unflatten(0, x.shape[:-1])

    def add(self, x: Tensor, onto: Tensor) -> Tensor:
        onto += self.bias
        onto.view(-1, onto.shape[-1]).addcmul_(self._products(x), self.steps)
        return onto

    def _products(self, x: Tensor) -> Tensor:
        """(tokens, out), short of the weights' steps."""
        rows = x.flatten(0, -2)
        steps = _steps(rows, INPUT_LEVELS)  # (tokens, 1)
        return torch._int_mm(_rounded(rows, steps), self.weight) * steps


def _steps(rows: Tensor, levels: int) -> Tensor:
    """What one level stands for in each row: (rows, 1)."""
    # amax of abs: a vector norm of order infinity takes ten times as long
    return (rows.abs().amax(1, keepdim=True) / levels).clamp_(min=SMALLEST_STEP)


def _rounded(rows: Tensor, steps: Tensor) -> Tensor:
    return (rows / steps).round_().to(torch.int8)
