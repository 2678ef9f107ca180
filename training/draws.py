"""Random numbers that depend on nothing but the seed, the step and who asks: a run resumes without saving a state."""

import hashlib

import torch
from torch import Tensor


class Draws:
    """What is drawn for a batch of B pictures, each draw (B, 1, 1, 1) float32 unless a shape is given."""

    def __init__(self, count: int, *key: int) -> None:
        self.count = count
        digest = hashlib.sha256(repr(key).encode()).digest()
        self.generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))

    def uniform(self, low: float = 0.0, high: float = 1.0, shape: tuple[int, ...] = (1, 1, 1)) -> Tensor:
        return torch.rand((self.count, *shape), generator=self.generator) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        return torch.randn((self.count, *shape), generator=self.generator)

    def chance(self, probability: float) -> Tensor:
        """bool (B, 1, 1, 1)."""
        return self.uniform() < probability

    def chosen(self, probability: float) -> Tensor:
        """Rows to which something happens, int64, in order."""
        return self.chance(probability).flatten().nonzero().flatten()

    def whole(self, high: int, count: int | None = None) -> Tensor:
        """int64, 0 to high - 1: one per picture, or `count`."""
        return torch.randint(high, (self.count if count is None else count,), generator=self.generator)

    def order(self, count: int) -> Tensor:
        return torch.randperm(count, generator=self.generator)
