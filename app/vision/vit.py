"""The DINOv2 vision transformer, inference only, in the order of the papers.

Sources: An Image is Worth 16x16 Words (arXiv 2010.11929), DINOv2 (2304.07193), Vision Transformers Need Registers
(2309.16588), GLU Variants Improve Transformer (2002.05202). Module names are those of the official checkpoints.

Letters: B images, H x W pixels, N patches = (H/14)(W/14), R registers, T tokens = 1 + R + N, D width, h heads.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from app.errors import InvalidInput
from app.vision.architectures import GRID, PATCH_PX, Architecture

NORM_EPS = 1e-6  # torch's default of 1e-5 moves the output by 4e-5


class Tokens(NamedTuple):
    """What the network says, after the final norm."""

    cls: Tensor  # (B, D), the picture as a whole
    registers: Tensor  # (B, R, D), R may be 0
    patches: Tensor  # (B, N, D), row by row from the top left


class PatchEmbed(nn.Module):
    """Cut into squares, each through one linear map."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=PATCH_PX, stride=PATCH_PX)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)  # (B, 3, H, W) -> (B, N, D)


class Attention(nn.Module):
    """Every token looks at every token, in h heads of 64."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)  # each (B, h, T, 64)
        x = F.scaled_dot_product_attention(q, k, v)  # softmax(q k^T / 8) v
        return self.proj(x.transpose(1, 2).reshape(B, T, D))


class Mlp(nn.Module):
    """GELU by the error function; its tanh approximation moves the output by 4e-4."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class SwiGlu(nn.Module):
    """The giant's feed-forward: the first half of w12 is the gate, the second the value."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.w12 = nn.Linear(dim, 2 * hidden)
        self.w3 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.w12(x).chunk(2, dim=-1)
        return self.w3(F.silu(gate) * value)


class LayerScale(nn.Module):
    """One learned factor per channel on the way back into the residual stream."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


FEED_FORWARDS = {"mlp": Mlp, "swiglu": SwiGlu}


class Block(nn.Module):
    """Attend, then think, each normalised before and scaled after."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        dim = architecture.dim
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = Attention(dim, architecture.heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.mlp = FEED_FORWARDS[architecture.ffn](dim, architecture.ffn_dim)
        self.ls2 = LayerScale(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class VisionTransformer(nn.Module):
    """Normalised pictures (B, 3, H, W), sides multiples of 14 -> Tokens. Weights are loaded, never trained here."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        dim = architecture.dim
        self.architecture = architecture
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, dim))
        self.mask_token = nn.Parameter(torch.zeros(1, dim))  # of training; kept so that files load strictly
        if architecture.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, architecture.registers, dim))
        self.patch_embed = PatchEmbed(dim)
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tokens:
        """Raises InvalidInput unless both sides are multiples of 14."""
        B, _, H, W = x.shape
        if H % PATCH_PX or W % PATCH_PX:
            raise InvalidInput(f"a picture of {H} x {W} px: the network takes sides that are multiples of {PATCH_PX}")
        R = self.architecture.registers
        x = torch.cat([self.cls_token.expand(B, -1, -1), self.patch_embed(x)], dim=1)  # (B, 1 + N, D)
        x = x + self.positions(H // PATCH_PX, W // PATCH_PX)
        if R:  # between the cls token and the patches, without a position
            x = torch.cat([x[:, :1], self.register_tokens.expand(B, -1, -1), x[:, 1:]], dim=1)  # (B, T, D)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return Tokens(cls=x[:, 0], registers=x[:, 1 : 1 + R], patches=x[:, 1 + R :])

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, 1 + rows * columns, D): the trained 37 x 37 grid resampled; the cls position is never touched."""
        if (rows, columns) == (GRID, GRID):
            return self.pos_embed
        cls, grid = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        grid = grid.view(1, GRID, GRID, -1).permute(0, 3, 1, 2).float()  # half precision would shift the samples
        grid = F.interpolate(grid, mode="bicubic", **self._sampling(rows, columns))  # (1, D, rows, columns)
        return torch.cat([cls, grid.flatten(2).transpose(1, 2).to(cls.dtype)], dim=1)

    def _sampling(self, rows: int, columns: int) -> dict:
        offset, antialias = self.architecture.position_offset, self.architecture.position_antialias
        if offset:  # the step becomes 37 / (rows + offset): what the weights without registers were trained with
            return {"scale_factor": ((rows + offset) / GRID, (columns + offset) / GRID), "antialias": antialias}
        return {"size": (rows, columns), "antialias": antialias}
