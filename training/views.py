"""Two sights of the same: what must come out alike."""

import torch
from torch import Tensor

from app.vision.encoder import MEAN, STD
from training import overlays, tones, warps
from training.draws import Draws
from training.pictures import Pictures
from training.schedule import Stage

WEAK_SHARE = 0.45  # of views that stay near the original: a copy is mostly sought by its original


def choose(pictures: Pictures, count: int, stage: Stage, draws: Draws) -> Tensor:
    """Groups of one batch, int64 (count), each at most once. Of one source, they are harder to tell apart."""
    groups = torch.multinomial(pictures.weights, count, generator=draws.generator)
    if not draws.chance(stage.alike).item():
        return groups
    own = pictures.sources == pictures.sources[groups[0]]
    return groups if own.sum() < count else torch.multinomial(pictures.weights * own, count, generator=draws.generator)


def draw(pictures: Pictures, groups: Tensor, stage: Stage, draws: Draws) -> Tensor:
    """One view of each group, normalised as the encoder does: float (B, 3, side, side)."""
    chance = draws.uniform().flatten()
    members = (pictures.members[group] for group in groups.tolist())
    rows = torch.tensor([own[int(share * len(own))] for own, share in zip(members, chance.tolist(), strict=True)])
    views = pictures.pixels[rows].float() / 255
    strong, weak = warps.homographies(pictures.aspects[rows], draws), warps.weak_homographies(draws)
    is_weak = draws.chance(WEAK_SHARE)
    views, inside = warps.warp(views, torch.where(is_weak[:, 0], weak, strong), stage.side_px)
    views = overlays.surround(views, inside, draws)
    return normalised(torch.where(is_weak, views, _edited(views, stage, draws)))


def _edited(views: Tensor, stage: Stage, draws: Draws) -> Tensor:
    views = tones.coarsen(overlays.paste(views, draws), draws)
    views = overlays.scribble(tones.recolour(views, draws, stage.grey), draws)
    views = tones.recompress(tones.blur(views, draws), draws)
    return tones.roughen(views, draws, stage.noise).clamp(0, 1)


def normalised(views: Tensor) -> Tensor:
    mean, std = (torch.tensor(row).view(3, 1, 1) for row in (MEAN, STD))
    return (views - mean) / std
