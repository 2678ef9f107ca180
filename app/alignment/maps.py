"""Affine maps between two pictures: float64 (2, 3), from pixels (x, y) of one to pixels of the other."""

import cv2
import numpy as np

# the eight turns and mirrors of a unit square: (x, y) -> (x', y'), with 0 and 1 at the edges
FORMS = tuple(
    np.array(rows, np.float64)
    for rows in (
        ((1, 0, 0), (0, 1, 0)),  # as it is
        ((0, -1, 1), (1, 0, 0)),  # a quarter to the right
        ((-1, 0, 1), (0, -1, 1)),  # half
        ((0, 1, 0), (-1, 0, 1)),  # three quarters
        ((-1, 0, 1), (0, 1, 0)),  # mirrored left to right
        ((0, 1, 0), (1, 0, 0)),  # mirrored, then turned
        ((1, 0, 0), (0, -1, 1)),
        ((0, -1, 1), (-1, 0, 1)),
    )
)
FLIPPED = 4  # from this form on


def square(map: np.ndarray) -> np.ndarray:
    return np.vstack([map, (0.0, 0.0, 1.0)])


def then(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One after the other."""
    return (square(second) @ square(first))[:2]


def inverse(map: np.ndarray) -> np.ndarray:
    return cv2.invertAffineTransform(map)


def stretch(width: float, height: float, left: float = 0.0, top: float = 0.0) -> np.ndarray:
    """From the unit square to a box."""
    return np.array(((width, 0, left), (0, height, top)), np.float64)


def scales(map: np.ndarray) -> tuple[float, float]:
    """How much longer a step along x and along y becomes."""
    return float(np.hypot(*map[:, 0])), float(np.hypot(*map[:, 1]))


def determinant(map: np.ndarray) -> float:
    """Below 0 where it mirrors."""
    return float(np.linalg.det(map[:, :2]))


def turn_degrees(map: np.ndarray) -> float:
    """Clockwise on the screen, -180 to 180, of a map that may mirror left to right first."""
    flip = np.sign(determinant(map)) or 1.0
    return float(np.degrees(np.arctan2(map[1, 0] * flip, map[0, 0] * flip)))


def is_sane(map: np.ndarray | None, most: float = 24.0, most_stretch: float = 2.5) -> bool:
    """No map that squeezes a picture to a line, or shears it beyond what an edit does."""
    if map is None or not np.isfinite(map).all():
        return False
    along, across = np.linalg.svd(map[:, :2], compute_uv=False)
    return across > 1 / most and along < most and along / across < most_stretch


def apply(map: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, 2)."""
    return points @ map[:, :2].T + map[:, 2]
