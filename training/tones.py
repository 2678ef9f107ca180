"""What happens to a view's colours, and what cameras, filters and codecs do to its details. Pixels float, 0 to 1."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from training.draws import Draws

LUMA = torch.tensor([0.299, 0.587, 0.114])
BLUR_TAPS = 9
# Chroma as JPEG has it: red and blue against luma
YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
# JPEG's luma table, row by row from low to high frequencies (ITU T.81, annex K)
QUANTA = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
]) / 255.0  # fmt: skip


def recolour(views: Tensor, draws: Draws, grey_share: float = 0.12) -> Tensor:
    """Brightness, contrast, saturation, hue, gamma; a share of them goes grey. (B, 3, H, W) as given."""
    often = draws.chance(0.7)
    light, contrast, saturation = (1 + often * draws.uniform(-0.35, 0.35) for _ in range(3))
    saturation = torch.where(draws.chance(grey_share), 0.0, saturation)
    tint = 1 + often * draws.uniform(-0.15, 0.15, (3, 1, 1))
    grey = (views * LUMA.view(1, 3, 1, 1)).sum(1, keepdim=True)
    mean = grey.mean((2, 3), keepdim=True)
    views = grey + (_hue(views, draws) - grey) * saturation
    views = ((views - mean) * contrast + mean) * light * tint
    gamma = (often * draws.uniform(-0.5, 0.5)).exp()
    return views.clamp(1e-4, 1) ** gamma


def _hue(views: Tensor, draws: Draws) -> Tensor:
    """Turned around the grey axis by up to a tenth of a circle, in some."""
    angle = (draws.chance(0.3) * draws.uniform(-0.6, 0.6)).flatten()
    axis = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = torch.eye(3) + angle.sin()[:, None, None] * axis + (1 - angle.cos())[:, None, None] * (axis @ axis)
    return torch.einsum("bij,bjhw->bihw", turn, views)


def blur(views: Tensor, draws: Draws) -> Tensor:
    """Some, by a Gaussian of 0.4 to 2.5 px."""
    rows, sigma = draws.chosen(0.25), draws.uniform(0.4, 2.5).flatten()
    if not len(rows):
        return views
    taps = torch.arange(BLUR_TAPS) - BLUR_TAPS // 2
    kernel = (-(taps**2) / (2 * sigma[rows, None] ** 2)).exp()
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # (3 rows, taps)
    x = views[rows].flatten(0, 1)[None]
    x = F.conv2d(x, kernel[:, None, :, None], padding=(BLUR_TAPS // 2, 0), groups=len(kernel))
    x = F.conv2d(x, kernel[:, None, None, :], padding=(0, BLUR_TAPS // 2), groups=len(kernel))
    return _with(views, rows, x[0].unflatten(0, (-1, 3)))


def coarsen(views: Tensor, draws: Draws) -> Tensor:
    """A few as if enlarged from a third or a half of their size."""
    for factor in (2, 3):
        rows = draws.chosen(0.06)
        if len(rows):
            small = F.interpolate(views[rows], scale_factor=1 / factor, mode="area")
            views = _with(views, rows, F.interpolate(small, size=views.shape[2:], mode="bilinear"))
    return views


def recompress(views: Tensor, draws: Draws) -> Tensor:
    """Some through JPEG's quantisation of 8 x 8 blocks, at qualities of about 5 to 60."""
    rows, quality = draws.chosen(0.3), draws.uniform(5, 60).flatten()
    side = views.shape[-1] // 8 * 8
    if not len(rows):
        return views
    x = torch.einsum("ij,bjhw->bihw", YCC, views[rows, :, :side, :side])
    step = QUANTA * (50 / quality[rows]).view(-1, 1, 1, 1, 1, 1).clamp_min(0.8)
    step = torch.cat([step, 1.5 * step, 1.5 * step], 1).permute(0, 1, 2, 4, 3, 5)  # (b, 3, 1, 8, 1, 8)
    blocks = x.unflatten(3, (-1, 8)).unflatten(2, (-1, 8))  # (b, 3, rows, 8, columns, 8)
    waves = torch.einsum("uy,bcrykx,vx->bcrukv", DCT, blocks, DCT)
    waves = (waves / step).round() * step
    x = torch.einsum("uy,bcrukv,vx->bcrykx", DCT, waves, DCT).flatten(4).flatten(2, 3)
    out = views[rows]
    out[:, :, :side, :side] = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(YCC), x)
    return _with(views, rows, out)


def roughen(views: Tensor, draws: Draws, most: float = 0.1) -> Tensor:
    """Noise in some."""
    rows, strength = draws.chosen(0.2), draws.uniform(0.01, most)
    noise = torch.randn(views[rows].shape, generator=draws.generator)
    return _with(views, rows, views[rows] + strength[rows] * noise)


def _with(views: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    views = views.clone()
    views[rows] = values
    return views


def _cosines() -> Tensor:
    """The 8 x 8 orthonormal transform of JPEG."""
    place, wave = torch.arange(8).view(1, 8), torch.arange(8).view(8, 1)
    rows = ((2 * place + 1) * wave * math.pi / 16).cos() / 2
    return torch.where(wave == 0, rows / math.sqrt(2), rows)


DCT = _cosines()
