"""The network of `app.vision.vit` as it is trained: it sees a random part of the patches, and knows positions smoothly.

Only a coarse grid of positions is learned; the 37 x 37 of the weights file are read from it. Training at a few
resolutions then says something about all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from app.vision import untrained
from app.vision.architectures import GRID, PATCH_PX, Architecture
from app.vision.positions import resample
from app.vision.vit import VisionTransformer

COARSE = 12  # positions learned per side
NOT_LEARNED = ("pos_embed", "mask_token", "head.weight", "head.bias")  # the head is measured when all else is done
START_SCALE = 0.3  # of what a block adds at first: it learns faster than from 1


class Student(nn.Module):
    """Starts from the weights made from a seed: they tell pictures apart already."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.vit = VisionTransformer.with_weights(architecture, _start(architecture))
        self.coarse = nn.Parameter(_coarsened(self.vit.pos_embed))
        for name, tensor in self.vit.named_parameters():
            tensor.requires_grad_(name not in NOT_LEARNED)

    def forward(self, x: Tensor, order: Tensor | None = None) -> Tensor:
        """Normalised views (B, 3, H, W) -> unit vectors (B, D). Of each only the patches `order` (B, kept) are seen."""
        rows, columns = x.shape[2] // PATCH_PX, x.shape[3] // PATCH_PX
        positions = resample(self.positions(), rows, columns, self.vit.resampling)
        patches = self.vit.patch_embed(x) + positions[:, 1:]  # (B, N, D)
        if order is not None:
            patches = patches.gather(1, order[:, :, None].expand(-1, -1, patches.shape[2]))
        cls = (self.vit.cls_token + positions[:, :1]).expand(len(x), -1, -1)
        tokens = torch.cat([cls, patches], 1)
        *blocks, last = self.vit.blocks
        for block in blocks:
            tokens = block(tokens)
        return F.normalize(self.vit.norm(last(tokens, first=1))[:, 0], dim=1)

    @torch.no_grad()
    def take(self, tensors: dict[str, Tensor]) -> None:
        """The weights of a file, by their official names, float32."""
        self.vit.load_state_dict(tensors)
        self.coarse.copy_(_coarsened(self.vit.pos_embed))

    def positions(self) -> Tensor:
        """(1, 1 + 37 * 37, D), as the weights file has them."""
        fine = F.interpolate(self.coarse, size=(GRID, GRID), mode="bicubic", align_corners=False)
        return torch.cat([self.vit.pos_embed[:, :1], fine.flatten(2).transpose(1, 2)], 1)

    def export(self) -> dict[str, Tensor]:
        """Every tensor of the weights file by its official name, float32, detached."""
        tensors = {name: tensor.detach().clone() for name, tensor in self.vit.state_dict().items()}
        return tensors | {"pos_embed": self.positions().detach().clone()}


def _coarsened(positions: Tensor) -> Tensor:
    """(1, 1 + 37 * 37, D) -> (1, D, 12, 12)."""
    fine = positions[:, 1:].transpose(1, 2).unflatten(2, (GRID, GRID))
    return F.interpolate(fine, size=(COARSE, COARSE), mode="area")


def _start(architecture: Architecture) -> dict[str, Tensor]:
    """A cls token of zeros would pass a norm that divides by nearly nothing: its gradients would drown all others."""
    tensors = untrained.state_dict(architecture)
    draws = torch.Generator().manual_seed(untrained.SEED)
    tensors["cls_token"] = torch.randn(tensors["cls_token"].shape, generator=draws)
    gentle = {name: START_SCALE * tensor for name, tensor in tensors.items() if name.endswith("gamma")}
    return tensors | gentle | without_head(architecture)


def without_head(architecture: Architecture) -> dict[str, Tensor]:
    """A head that changes nothing."""
    return {"head.weight": torch.eye(architecture.dim), "head.bias": torch.zeros(architecture.dim)}
