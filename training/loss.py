"""Two views of the same must be nearer to each other than to anything else of the batch, and all must spread out.

Sources: SimCLR (arXiv 2002.05709), SSCD (2202.10261), KoLeo (1806.03198).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SPREAD_WEIGHT = 0.1
CLOSEST = 1e-2  # below this distance neighbours are pushed apart no harder


def contrast(own: Tensor, everyone: Tensor, pairs: Tensor, selves: Tensor, temperature: float) -> Tensor:
    """Mean cross entropy of naming the partner. Unit vectors (B, D) and (M, D); `pairs`, `selves` (B) index M."""
    logits = (own @ everyone.T / temperature).scatter(1, selves[:, None], -torch.inf)
    return F.cross_entropy(logits, pairs)


def spread(own: Tensor, everyone: Tensor, pairs: Tensor, selves: Tensor) -> Tensor:
    """Minus the mean log distance to the nearest that is neither oneself nor the partner."""
    cosines = (own @ everyone.T).scatter(1, torch.stack([selves, pairs], 1), -2.0)
    distance = (2 - 2 * cosines.amax(1)).clamp_min(CLOSEST**2).sqrt()
    return -distance.log().mean()
