"""Tokens that no picture has, so that what should agree is known: each place of a scene has a look of its own."""

import numpy as np

from app.patches import DIM, Basis, Local, Query, Sight
from app.patches.basis import unit
from app.patches.local import centres

CHANCE = 0.42  # what the nearest of some hundred such tokens reaches


def scene(rows: int, columns: int, seed: int) -> np.ndarray:
    """Unit features (rows, columns, D) of no likeness to one another."""
    return unit(np.random.default_rng(seed).normal(size=(rows, columns, DIM)))


def local(features: np.ndarray) -> Local:
    rows, columns, dim = features.shape
    numbers = np.arange(rows * columns)
    return Local(
        features.reshape(-1, dim), centres(numbers, columns), np.full(len(numbers), CHANCE, np.float32), (rows, columns)
    )


def query(features: np.ndarray) -> Query:
    """All of it, looked at once."""
    rows, columns = features.shape[:2]
    longer = max(rows, columns)
    return Query.of([Sight(local(features), (1 / longer, 0))], (columns / longer, rows / longer))


def seen_through(features: np.ndarray, affine: np.ndarray, grid: tuple[int, int], seed: int) -> Local:
    """A picture of this grid that shows `features` under a map (2, 3) of their tokens, and elsewhere something else."""
    rows, columns = features.shape[:2]
    picture = scene(*grid, seed)
    inverse = np.linalg.inv(np.vstack([affine, (0, 0, 1)]))
    for down in range(grid[0]):
        for across in range(grid[1]):
            x, y, _ = inverse @ (across + 0.5, down + 0.5, 1)
            if 0 <= x < columns and 0 <= y < rows:
                picture[down, across] = features[int(y), int(x)]
    return local(picture)


def plain_basis(width: int = 96) -> Basis:
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(width, DIM)).astype(np.float32)
    return Basis(np.zeros(width, np.float32), directions, unit(rng.normal(size=(300, DIM))))
