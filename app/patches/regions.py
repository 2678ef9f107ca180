"""Vectors of parts of a picture: tokens within windows of several sizes, pooled."""

import numpy as np

from app.patches.basis import unit

PLAIN = 0.02  # what a token that the background is full of still weighs


def windows(scales: tuple[int, ...]) -> np.ndarray:
    """Float32 (R, 4), shares x0, y0, x1, y1: for each scale n, n x n windows, half of each overlapping the next."""
    boxes = [_window(scale, down, across) for scale in scales for down in range(scale) for across in range(scale)]
    return np.array(boxes, np.float32).reshape(-1, 4)


def pool(projected: np.ndarray, levels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Unit vectors (R, D) of tokens (rows, columns, D) within boxes (R, 4); the rarer a token, the more it weighs."""
    weighed = projected * np.maximum(PLAIN, 1 - levels)[..., None] ** 2
    sums = np.pad(weighed.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0), (0, 0)))
    left, top, right, bottom = _tokens(boxes, projected.shape[:2])
    return unit(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def _window(scale: int, down: int, across: int) -> tuple[float, float, float, float]:
    side = 2 / (scale + 1)
    return across * side / 2, down * side / 2, across * side / 2 + side, down * side / 2 + side


def _tokens(boxes: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The nearest lines of the grid, at least one token apart: int (4, R)."""
    rows, columns = grid
    lines = np.rint(boxes * (columns, rows, columns, rows)).astype(int).T
    lines[:2] = np.minimum(lines[:2], [[columns - 1], [rows - 1]])
    lines[2:] = np.maximum(lines[2:], lines[:2] + 1)
    return lines
