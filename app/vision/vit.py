"""The DINOv2 vision transformer, inference only, in the order of the papers.

Sources: An Image is Worth 16x16 Words (arXiv 2010.11929), DINOv2 (2304.07193), Vision Transformers Need Registers
(2309.16588), GLU Variants Improve Transformer (2002.05202). Module names are those of the official checkpoints.

Letters: B images, H x W pixels, N patches = (H/14)(W/14), R registers, T tokens = 1 + R + N, D width, h heads.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from app.errors import InvalidInput
from app.vision.architectures import GRID, PATCH_PX, Architecture
from app.vision.positions import resample, resampling
from app.vision.sides import fitting

NORM_EPS = 1e-6  # torch's default of 1e-5 moves the output by 4e-5


class Feature(NamedTuple):
    """A picture as a whole: a tuple of one, as mmpretrain returns it."""

    cls: Tensor  # (B, D), after the final norm and the head


class Tokens(NamedTuple):
    """All the network says of a picture, after the final norm; the head is for the picture as a whole only."""

    cls: Tensor  # (B, D), the picture as a whole
    registers: Tensor  # (B, R, D), R may be 0
    patches: Tensor  # (B, N, D), row by row from the top left
    prenorm: Tensor  # (B, T, D), all of them in this order, before the final norm


class PatchEmbed(nn.Module):
    """Cut into squares, each through one linear map."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=PATCH_PX, stride=PATCH_PX)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x.to(self.proj.weight.dtype))  # (B, 3, H, W) -> (B, D, H/14, W/14)
        return x.flatten(2).transpose(1, 2)  # (B, N, D)


def attend(qkv: Tensor, heads: int, first: int | None = None, sees: Tensor | None = None) -> Tensor:
    """Queries, keys and values (B, T, 3 D) -> what the `first` tokens, or all, take from all: (B, first, D).

    `sees`, bool (T, T): whether a token, by row, may look at another; none: every one at every one.
    """
    B, T, width = qkv.shape
    q, k, v = qkv.view(B, T, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)  # each (B, h, T, 64)
    allowed = None if sees is None else sees[:first]
    x = F.scaled_dot_product_attention(q[:, :, :first], k, v, attn_mask=allowed)  # softmax(q k^T / 8) v
    return x.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Every token looks at every token, in h heads of 64."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, first: int | None = None, sees: Tensor | None = None) -> Tensor:
        return self.proj(attend(self.qkv(x), self.heads, first, sees))


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
        return self.w3(gated(self.w12(x)))


def gated(x: Tensor) -> Tensor:
    """(…, 2 h) -> (…, h)."""
    gate, value = x.chunk(2, dim=-1)
    return F.silu(gate) * value


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

    def forward(self, x: Tensor, first: int | None = None, sees: Tensor | None = None) -> Tensor:
        x = x[:, :first] + self.ls1(self.attn(self.norm1(x), first, sees))
        return x + self.ls2(self.mlp(self.norm2(x)))


class VisionTransformer(nn.Module):
    """Normalised pictures, float (B, 3, H, W) of any size -> what they show. In eval mode, weights without gradients.

    `positions` names how trained positions are resampled, a row of `RESAMPLINGS`; none: as the weights were published.
    `sides` names what becomes of sides that are no multiples of 14, a row of `SIDES`.
    """

    def __init__(self, architecture: Architecture, positions: str | None = None, sides: str = "refuse") -> None:
        super().__init__()
        dim = architecture.dim
        self.architecture = architecture
        self.resampling = resampling(architecture, positions)
        self.fit = fitting(sides)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, dim))
        self.mask_token = nn.Parameter(torch.zeros(1, dim))  # of training; kept so that files load strictly
        if architecture.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, architecture.registers, dim))
        self.patch_embed = PatchEmbed(dim)
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self.head = nn.Linear(dim, dim) if architecture.whitened else nn.Identity()
        self.eval().requires_grad_(False)

    @classmethod
    def with_weights(cls, architecture: Architecture, weights: Mapping[str, Tensor], **options) -> Self:
        """Around tensors by their official names, used as they are: those mapped from a file stay in the file."""
        with torch.device("meta"):
            network = cls(architecture, **options)
        network.load_state_dict(weights, strict=True, assign=True)
        return network

    def forward(self, x: Tensor) -> Feature:
        """Raises InvalidInput for what is no batch of pictures, or for sides that are refused."""
        *blocks, last = self.blocks
        x = self.embed(self.fitted(x))
        for block in blocks:
            x = block(x)
        x = last(x, first=1)  # no token behind it hears the patches: three quarters of a block saved
        return Feature(self.head(self.norm(x)[:, 0]))

    def extract_feat(self, x: Tensor) -> Feature:
        """The same, by mmpretrain's name."""
        return self(x)

    def forward_features(self, x: Tensor) -> Tokens:
        """Raises InvalidInput as `forward` does."""
        x = self.embed(self.fitted(x))
        for block in self.blocks:
            x = block(x)
        return self._tokens(x)

    def get_intermediate_layers(
        self,
        x: Tensor,
        n: int | Sequence[int] = 1,
        reshape: bool = False,
        return_class_token: bool = False,
        norm: bool = True,
    ) -> tuple[Tensor | tuple[Tensor, Tensor], ...]:
        """Patches after the last `n` blocks, or after those numbered (from 0; -1 is the last), in the order given.

        Each (B, N, D), reshaped (B, D, H/14, W/14); with the class token a pair of that and (B, D). `norm` is the final
        one, laid on every block. Raises InvalidInput for a block that is not there, and as `forward` does.
        """
        x = self.fitted(x)
        grid = [side // PATCH_PX for side in x.shape[-2:]]
        taken = self._after_blocks(self.embed(x), self._numbers(n))
        layers = [self._tokens(tokens, norm) for tokens in taken]
        patches = tuple(_as_map(layer.patches, grid) if reshape else layer.patches for layer in layers)
        if not return_class_token:
            return patches
        return tuple(zip(patches, (layer.cls for layer in layers), strict=True))

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, 1 + rows * columns, D), by this network's convention."""
        return resample(self.pos_embed, rows, columns, self.resampling)

    def fitted(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) with sides that are multiples of 14."""
        if x.dim() != 4 or x.shape[1] != 3 or not x.is_floating_point():
            raise InvalidInput(f"pictures of {x.dtype} {tuple(x.shape)}: expected normalised floats (B, 3, H, W)")
        fitted = self.fit(x)
        if 0 in fitted.shape[2:]:
            raise InvalidInput(f"a picture of {x.shape[2]} x {x.shape[3]} px: no patch of {PATCH_PX} px is left of it")
        return fitted

    def embed(self, x: Tensor) -> Tensor:
        """Fitted pictures (B, 3, H, W) -> tokens (B, T, D), before the first block."""
        B, _, H, W = x.shape
        x = torch.cat([self.cls_token.expand(B, -1, -1), self.patch_embed(x)], dim=1)  # (B, 1 + N, D)
        x = x + self.positions(H // PATCH_PX, W // PATCH_PX)
        if not self.architecture.registers:
            return x
        registers = self.register_tokens.expand(B, -1, -1)  # between the cls token and the patches, without a position
        return torch.cat([x[:, :1], registers, x[:, 1:]], dim=1)  # (B, T, D)

    def _after_blocks(self, x: Tensor, numbers: Sequence[int]) -> list[Tensor]:
        """The tokens (B, T, D) that leave each of these blocks; none behind the last of them is run."""
        taken = {}
        for number, block in enumerate(self.blocks[: max(numbers) + 1]):
            x = block(x)
            if number in numbers:
                taken[number] = x.clone()  # a block that is served uses up what it is given
        return [taken[number] for number in numbers]

    def _numbers(self, n: int | Sequence[int]) -> list[int]:
        depth = len(self.blocks)
        wanted = range(-n, 0) if isinstance(n, int) else n
        if not wanted or not all(-depth <= number < depth for number in wanted):
            raise InvalidInput(f"blocks {n!r}: expected how many of the last, 1 to {depth}, or numbers below {depth}")
        return [number % depth for number in wanted]

    def _tokens(self, x: Tensor, norm: bool = True) -> Tokens:
        R, said = self.architecture.registers, self.norm(x) if norm else x
        return Tokens(cls=said[:, 0], registers=said[:, 1 : 1 + R], patches=said[:, 1 + R :], prenorm=x)


def _as_map(patches: Tensor, grid: Sequence[int]) -> Tensor:
    """(B, N, D) -> (B, D, rows, columns)."""
    return patches.transpose(1, 2).unflatten(2, grid).contiguous()
