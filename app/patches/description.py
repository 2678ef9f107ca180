"""What is kept of a picture's parts: vectors of regions, and its local descriptors."""

from dataclasses import dataclass

import numpy as np

from app.patches.basis import Basis
from app.patches.detail import Detail
from app.patches.local import Local, centres
from app.patches.regions import pool, windows


@dataclass(frozen=True)
class Described:
    regions: np.ndarray  # float32 (R, D), unit rows
    boxes: np.ndarray  # float32 (R, 4), shares of the picture
    local: Local


def describe(tokens: np.ndarray, basis: Basis, detail: Detail) -> Described:
    """Patch tokens (rows, columns, W). Raises BadVector for tokens of another width than the basis takes."""
    projected = basis.project(tokens)
    rows, columns, dim = projected.shape
    flat = projected.reshape(-1, dim)
    levels = basis.levels(flat)
    boxes = windows(detail.scales)
    regions = pool(projected, levels.reshape(rows, columns), boxes)
    return Described(regions, boxes, _rarest(flat, levels, (rows, columns), detail.tokens))


def _rarest(features: np.ndarray, levels: np.ndarray, grid: tuple[int, int], most: int) -> Local:
    """In the order of the grid."""
    kept = np.sort(np.argsort(levels, kind="stable")[:most])
    return Local(features[kept], centres(kept, grid[1]), levels[kept], grid)
