"""Tokens that no picture has, so that what should agree is known: each place of a scene has a look of its own."""

from dataclasses import replace

import numpy as np

from app.patches import DIM, Basis, Keypoints, Local, Query, Sight
from app.patches.basis import unit
from app.patches.keypoints import Marks
from app.patches.local import centres, marks_of

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


GRID = (24, 24)
BARE = local(scene(*GRID, 1)).only(np.zeros(576, bool))  # a picture without tokens


def keypoints(count: int, seed: int, grid: tuple[int, int] = GRID) -> Keypoints:
    rng = np.random.default_rng(seed)
    turns = np.exp(rng.uniform(np.log(0.2), np.log(3), count)) * np.exp(2j * np.pi * rng.random(count))
    places = rng.random((count, 2)) * grid[::-1]
    return Keypoints(unit(rng.normal(size=(count, DIM))), places.astype(np.float32), turns.astype(np.complex64))


def picture(points: Keypoints) -> Local:
    """As read from its bytes."""
    return Local.from_bytes(replace(BARE, keypoints=points).to_bytes())


def query_of(points: Keypoints, part: bool = False) -> Query:
    return Query.of([Sight(replace(BARE, keypoints=points), (1 / 24, 0))], (1.0, 1.0), part)


def marks(points: Keypoints) -> Marks:
    return marks_of(replace(BARE, keypoints=points).to_bytes())


def moved(points: Keypoints, turn: complex, shift: complex, seed: int) -> Keypoints:
    """The same a few of whose signs are others, among as many that are none of them."""
    there = (points.places[:, 0] + 1j * points.places[:, 1]) * turn + shift
    rng = np.random.default_rng(seed)
    features = np.where(rng.random(points.features.shape) < 0.1, -1, 1) * points.features
    places = np.stack([there.real, there.imag], axis=-1).astype(np.float32)
    inside = ((places > 0) & (places < 24)).all(axis=1)
    return joined(Keypoints(features, places, points.turns * turn).only(inside), keypoints(100, seed + 1))


def joined(one: Keypoints, other: Keypoints) -> Keypoints:
    parts = [(getattr(one, name), getattr(other, name)) for name in ("features", "places", "turns")]
    return Keypoints(*(np.concatenate(pair) for pair in parts))
