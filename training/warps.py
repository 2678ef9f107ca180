"""Where a view looks: crops, flips, turns, perspective and larger canvases as one homography per picture.

Coordinates are those of `grid_sample`: -1 to 1 across and down. A homography takes a place in the view to the place
in the picture that is seen there.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from training.draws import Draws

LEAST_AREA = 0.2  # of the picture, in a crop
MOST_CANVAS = 1.7  # side of a canvas over that of the picture laid on it
ASPECT_CHANGE = 1.5  # of a crop or canvas, at most either way
SMALL_TURN = 25.0  # degrees
TILT = 0.22  # of perspective: how much nearer one edge may come
ALIASING = 1.5  # picture pixels per view pixel from which on a view is taken twice as large, then halved


def homographies(aspects: Tensor, draws: Draws) -> Tensor:
    """One per picture of the aspects (B), width over height: (B, 3, 3)."""
    frame = _framed(draws)
    turned = _turned(aspects, draws)
    return turned @ _tilted(draws) @ frame


def weak_homographies(draws: Draws) -> Tensor:
    """Nearly the whole picture, upright: (B, 3, 3)."""
    scale = draws.uniform(0.85, 1.0, (2,))
    shift = (1 - scale) * draws.uniform(-1, 1, (2,))
    return _matrix(scale, shift)


def warp(pictures: Tensor, homography: Tensor, side_px: int) -> tuple[Tensor, Tensor]:
    """Pictures float (B, 3, S, S) -> views (B, 3, side, side), and where they show the picture: (B, 1, side, side)."""
    views = torch.empty(len(pictures), 3, side_px, side_px)
    inside = torch.empty(len(pictures), 1, side_px, side_px)
    density = homography[:, :2, :2].abs().sum(2).amax(1) * pictures.shape[-1] / side_px
    for factor, rows in ((1, density <= ALIASING), (2, density > ALIASING)):
        rows = rows.nonzero().flatten()
        if len(rows):
            places = _places(homography[rows], side_px * factor)
            taken = F.grid_sample(pictures[rows], places, padding_mode="border", align_corners=False)
            views[rows] = F.avg_pool2d(taken, factor) if factor > 1 else taken
            seen = (places.abs().amax(-1) <= 1).float()[:, None]
            inside[rows] = F.avg_pool2d(seen, factor) if factor > 1 else seen
    return views, inside


def _places(homography: Tensor, side: int) -> Tensor:
    """(B, side, side, 2)."""
    along = (torch.arange(side) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(along, along, indexing="ij")
    flat = torch.stack([x, y, torch.ones_like(x)]).view(3, -1)  # (3, side * side)
    u, v, w = (homography @ flat).unbind(1)
    w = w.clamp_min(0.1)
    return torch.stack([u / w, v / w], -1).view(-1, side, side, 2)


def _framed(draws: Draws) -> Tensor:
    """A crop for most, a larger canvas for some."""
    stretch = draws.uniform(-1, 1, (1,)) * math.log(ASPECT_CHANGE) / 2
    crop = (draws.uniform(math.log(LEAST_AREA), 0, (1,)) / 2).exp()
    canvas = draws.uniform(1.0, MOST_CANVAS, (1,))
    scale = torch.where(draws.chance(0.75)[:, 0, 0], crop, canvas)
    scale = scale * torch.cat([stretch, -stretch], 1).exp()
    scale = torch.where(crop.lt(0.999) & (scale > 1) & scale.lt(1.02), 1.0, scale)
    shift = (1 - scale).abs() * draws.uniform(-1, 1, (2,))
    return _matrix(scale, shift)


def _turned(aspects: Tensor, draws: Draws) -> Tensor:
    """Flips and turns; a turn by no right angle keeps the picture's own proportions."""
    small = draws.chance(0.35).flatten() * draws.uniform(-SMALL_TURN, SMALL_TURN).flatten()
    quarters = draws.chance(0.12).flatten() * draws.whole(4) * 90.0
    radians = torch.deg2rad(small)
    stretch = torch.stack([aspects.sqrt(), 1 / aspects.sqrt()], 1)
    turn = _rotation(radians) * (stretch[:, None, :] / stretch[:, :, None])
    flips = torch.stack([_sign(draws, 0.4), _sign(draws, 0.1)], 1)
    return _padded(turn @ _rotation(torch.deg2rad(quarters)) * flips[:, None, :])


def _tilted(draws: Draws) -> Tensor:
    matrix = torch.eye(3).repeat(draws.count, 1, 1)
    often = draws.chance(0.4)[:, 0, 0]
    matrix[:, 2, :2] = often * draws.uniform(-TILT, TILT, (2,))
    matrix[:, 0, 1:2] = often * draws.uniform(-TILT, TILT, (1,))
    return matrix


def _sign(draws: Draws, probability: float) -> Tensor:
    return 1.0 - 2.0 * draws.chance(probability).flatten()


def _rotation(radians: Tensor) -> Tensor:
    """(B) -> (B, 2, 2)."""
    cos, sin = radians.cos(), radians.sin()
    return torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)


def _padded(linear: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(linear), 1, 1)
    matrix[:, :2, :2] = linear
    return matrix


def _matrix(scale: Tensor, shift: Tensor) -> Tensor:
    """Scale (B, 2), then shift (B, 2): (B, 3, 3)."""
    matrix = torch.eye(3).repeat(len(scale), 1, 1)
    matrix[:, 0, 0], matrix[:, 1, 1] = scale.unbind(1)
    matrix[:, :2, 2] = shift
    return matrix
