"""The network's last map, measured when its training is done: directions in which pictures rarely differ count more.

    head(cls) = C^(-POWER / 2) (cls - mean),  C the covariance of cls over photos

A contrast over a batch is content with a few directions that tell most pictures apart; what tells two houses apart lies
in weaker ones. POWER 1 lets all count alike, the faintest too, which are noise.

Sources: Jégou and Chum, Negative Evidences and Co-occurrences in Image Retrieval (2012); arXiv 1711.02512.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from app.vision.architectures import Architecture
from app.vision.preprocessing import get_preprocessing
from app.vision.vit import VisionTransformer
from training import views
from training.network import without_head
from training.pictures import Pictures

POWER = 0.625
LEAST_VARIANCE = 1e-5  # over that of the strongest direction: below it there is only rounding
COUNT = 2500  # groups measured, at most: a hundredth of a second each
BATCH = 32
SEED = 2026


def whitened(architecture: Architecture, tensors: dict[str, Tensor], pictures: Pictures) -> dict[str, Tensor]:
    """The same tensors, with the head that belongs to them."""
    network = VisionTransformer.with_weights(architecture, tensors | without_head(architecture))
    side = get_preprocessing(architecture.preprocessing).side_px
    said = [network(_seen(pictures.pixels[rows], side)).cls for rows in _drawn(pictures).split(BATCH)]
    return tensors | head(torch.cat(said))


def head(cls: Tensor) -> dict[str, Tensor]:
    """The map for what the network says of many pictures, (B, D): by official name, float32."""
    mean = cls.double().mean(0)
    variances, directions = torch.linalg.eigh(torch.cov(cls.double().T))
    variances = variances.clamp_min(variances[-1] * LEAST_VARIANCE) / variances.mean()
    weight = directions * variances ** (-POWER / 2) @ directions.T
    return {"head.weight": weight.float(), "head.bias": (-weight @ mean).float()}


def _drawn(pictures: Pictures) -> Tensor:
    """A row of each group drawn, as often by source as training draws: int64."""
    count = min(COUNT, len(pictures.members))
    groups = torch.multinomial(pictures.weights, count, generator=torch.Generator().manual_seed(SEED))
    return torch.tensor([pictures.members[group][0] for group in groups.tolist()])


def _seen(pixels: Tensor, side: int) -> Tensor:
    """uint8 (B, 3, S, S) -> normalised floats (B, 3, side, side)."""
    return views.normalised(F.interpolate(pixels.float() / 255, size=(side, side), mode="bilinear", antialias=True))
