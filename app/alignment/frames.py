"""Two pictures laid on one another: both sampled where they overlap, at the coarser one's detail."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from app.alignment import maps
from app.alignment.view import View

LEAST_PX = 12  # of an overlap's shorter side in the frame
NARROW_PX = 20  # what it is brought to, though the longer side grows: a line of text has as much to compare


@dataclass(frozen=True)
class Frame:
    """`mine` and `theirs` float32 (H, W, C) of the same places; `mask` bool (H, W): both pictures are there."""

    mine: np.ndarray
    theirs: np.ndarray
    mask: np.ndarray
    onto: np.ndarray  # from pixels of the second picture to pixels of the frame


def laid(first: View, second: View, map: np.ndarray, long_side_px: int, colour: bool = False) -> Frame | None:
    """None where they overlap too little to be compared."""
    box = _overlap(first, second, map)
    if box is None:
        return None
    left, top, right, bottom = box
    coarser = max(1.0, float(np.mean(maps.scales(map))))  # the first has fewer pixels there: more would be made up
    sides = sorted((right - left, bottom - top))
    scale = min(max(long_side_px / sides[1], NARROW_PX / sides[0]), 1.0 / coarser)
    width, height = round((right - left) * scale), round((bottom - top) * scale)
    if min(width, height) < LEAST_PX:
        return None
    onto = np.array(((scale, 0, -left * scale), (0, scale, -top * scale)), np.float64)
    mine, inside = sampled(first, maps.then(map, onto), (height, width), colour)
    theirs, there = sampled(second, onto, (height, width), colour)
    return Frame(mine, theirs, inside & there, onto)


def sampled(view: View, map: np.ndarray, size: tuple[int, int], colour: bool) -> tuple[np.ndarray, np.ndarray]:
    """A picture as the map lays it: float32 (H, W) or (H, W, 3), and bool (H, W) where it is."""
    pixels = view.rgb if colour else view.grey
    shrink = min(1.0, float(np.sqrt(abs(maps.determinant(map)))))
    if shrink < 0.75:
        size_px = (max(1, round(view.width * shrink)), max(1, round(view.height * shrink)))
        pixels = cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA)
        map = maps.then(maps.stretch(view.width / size_px[0], view.height / size_px[1]), map)
    centred = _by_centres(map)
    there = cv2.warpAffine(_ones(pixels.shape[:2]), centred, size[::-1], flags=cv2.INTER_LINEAR)
    laid_on = cv2.warpAffine(pixels, centred, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return laid_on.astype(np.float32), there > 250


@lru_cache(maxsize=64)
def _ones(size: tuple[int, int]) -> np.ndarray:
    return np.full(size, 255, np.uint8)


def _by_centres(map: np.ndarray) -> np.ndarray:
    """OpenCV counts pixels by their centres, we by their corners."""
    moved = map.copy()
    moved[:, 2] += map[:, :2] @ (0.5, 0.5) - 0.5
    return moved


def by_corners(map: np.ndarray) -> np.ndarray:
    """Undoes what OpenCV's counting by centres means for a map."""
    moved = np.asarray(map, np.float64).copy()
    moved[:, 2] -= moved[:, :2] @ (0.5, 0.5) - 0.5
    return moved


def _overlap(first: View, second: View, map: np.ndarray) -> tuple[float, float, float, float] | None:
    corners = np.array(((0, 0), (first.width, 0), (first.width, first.height), (0, first.height)), np.float64)
    laid_on = maps.apply(map, corners)
    left, top = np.maximum(laid_on.min(axis=0), 0)
    right, bottom = np.minimum(laid_on.max(axis=0), (second.width, second.height))
    return (left, top, right, bottom) if right - left > 1 and bottom - top > 1 else None
