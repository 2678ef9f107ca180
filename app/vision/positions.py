"""How positions trained on a grid of 37 x 37 become those of another size: the three conventions in use.

Away from 518 x 518 they give different vectors, so vectors may be compared only within one of them.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from app.errors import InvalidInput
from app.vision.architectures import GRID, Architecture


class Resampling(NamedTuple):
    """One convention of bicubic resampling."""

    offset: float  # the step between samples becomes 37 / (cells + offset)
    antialias: bool


RESAMPLINGS = {
    "offset": Resampling(0.1, False),  # Meta without registers; transformers before 4.45
    "antialias": Resampling(0.0, True),  # Meta and transformers with registers
    "size": Resampling(0.0, False),  # mmpretrain; transformers from 4.45 on, without registers
}


def resampling(architecture: Architecture, name: str | None = None) -> Resampling:
    """By name; none: the one its weights were published with. Raises InvalidInput."""
    if name is None:
        return Resampling(architecture.position_offset, architecture.position_antialias)
    if name not in RESAMPLINGS:
        raise InvalidInput(f"positions {name!r}: choose one of {', '.join(RESAMPLINGS)}")
    return RESAMPLINGS[name]


def resample(positions: Tensor, rows: int, columns: int, how: Resampling) -> Tensor:
    """Trained positions (1, 1 + 37 * 37, D) -> (1, 1 + rows * columns, D). That of the cls token is never touched."""
    if (rows, columns) == (GRID, GRID):
        return positions
    cls, grid = positions[:, :1], positions[:, 1:]
    grid = grid.unflatten(1, (GRID, GRID)).permute(0, 3, 1, 2).float()  # half precision would shift the samples
    grid = F.interpolate(grid, mode="bicubic", antialias=how.antialias, **_target(rows, columns, how.offset))
    return torch.cat([cls, grid.flatten(2).transpose(1, 2).to(cls.dtype)], dim=1)


def _target(rows: int, columns: int, offset: float) -> dict[str, tuple[float, float]]:
    if offset:
        return {"scale_factor": ((rows + offset) / GRID, (columns + offset) / GRID)}
    return {"size": (rows, columns)}  # an exact scale would be rounded down to a cell too few at 39, 43, 78 ...
