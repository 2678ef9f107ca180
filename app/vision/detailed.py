"""One pass that tells of pictures as a whole, of windows of them, and of each of their places.

A window has a cls token of its own: from the second third of the blocks on it sees the patches within and itself,
and nothing sees it. So it comes out near what the network says of that window cut out and looked at alone, among the
vectors of whole pictures, for one token more in hundreds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from app.vision.architectures import PATCH_PX
from app.vision.vit import VisionTransformer

JOINS = 1 / 3  # of the depth: measured at every other block of the bundled encoder


class Detailed(NamedTuple):
    cls: Tensor  # (B, D), as `VisionTransformer.forward` gives it
    windows: Tensor  # (B, R, D), of the same kind
    places: Tensor  # (B, H/14, W/14, L D): each patch after the L blocks asked for, all through the final norm


def look(network: VisionTransformer, x: Tensor, numbers: Sequence[int], windows: Sequence[Sequence[float]]) -> Detailed:
    """Normalised pictures (B, 3, H, W); blocks by number from 0, none of them the last; windows as shares (R, 4).

    Raises InvalidInput as the network's own `forward` does.
    """
    x = network.fitted(x)
    grid = [side // PATCH_PX for side in x.shape[-2:]]
    own = 1 + network.architecture.registers
    sees = visible(windows, grid, own, x.device)
    *blocks, last = network.blocks
    x, taken, joins = network.embed(x), [], round(len(network.blocks) * JOINS)
    for number, block in enumerate(blocks):
        if number == joins:
            x = _joined(x, len(windows))
        x = block(x, sees=sees if number >= joins else None)
        if number in numbers:
            taken.append(network.norm(x[:, -grid[0] * grid[1] :]))
    said = network.head(network.norm(last(x, first=1 + len(windows), sees=sees)))
    return Detailed(said[:, 0], said[:, 1:], torch.cat(taken, dim=-1).unflatten(1, grid))


def visible(windows: Sequence[Sequence[float]], grid: Sequence[int], own: int, device: torch.device) -> Tensor | None:
    """Bool (T, T), T = cls, windows, registers, patches: which token, by row, sees which. None where all see all."""
    R, (rows, columns) = len(windows), grid
    if not R:
        return None
    sees = torch.ones(own + R + rows * columns, own + R + rows * columns, dtype=torch.bool)
    sees[:, 1 : 1 + R] = False
    sees[1 : 1 + R] = False
    for number, window in enumerate(windows, start=1):
        left, top, right, bottom = lines(window, grid)
        sees[number, own + R :].view(rows, columns)[top:bottom, left:right] = True
        sees[number, number] = True
    return sees.to(device)


def lines(window: Sequence[float], grid: Sequence[int]) -> tuple[int, int, int, int]:
    """The nearest lines between patches, left, top, right, bottom: at least one patch apart."""
    rows, columns = grid
    left, top = min(round(window[0] * columns), columns - 1), min(round(window[1] * rows), rows - 1)
    return left, top, max(round(window[2] * columns), left + 1), max(round(window[3] * rows), top + 1)


def _joined(x: Tensor, count: int) -> Tensor:
    """With so many more of the cls token, behind it."""
    cls = x[:, :1]
    return torch.cat([cls, cls.expand(-1, count, -1), x[:, 1:]], dim=1)
