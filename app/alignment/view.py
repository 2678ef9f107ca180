"""A picture as it is compared: what is derived from its pixels is made once, when it is first asked for."""

from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

VIEW_PX = 448  # longest side: keypoints of a third of a picture are still found, and a view takes 1 MB
THUMB_PX = 32
KEYPOINTS = 400
VIEW_BYTES = VIEW_PX**2 * 4 + 2 * KEYPOINTS * 130 * 4  # at most: pixels, grey, keypoints and those of the mirror
FLAT = 6.0  # grey levels: a border's rows and columns vary by less
MOST_BORDER = 0.8  # of a side, at each end
MIRRORED_DIRECTIONS = -np.arange(8) % 8


class Keypoints(NamedTuple):
    places: np.ndarray  # float32 (K, 2), x and y in pixels of the view
    descriptors: np.ndarray  # float32 (K, 128), of unit length


class Box(NamedTuple):
    """Pixels of a view, the ends not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


class View:
    """`rgb` uint8 (H, W, 3), upright, longest side at most VIEW_PX. Safe for any number of threads."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.rgb = np.ascontiguousarray(rgb)

    @property
    def height(self) -> int:
        return self.rgb.shape[0]

    @property
    def width(self) -> int:
        return self.rgb.shape[1]

    @cached_property
    def grey(self) -> np.ndarray:
        """uint8 (H, W)."""
        return cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY)

    @cached_property
    def content(self) -> Box:
        """Without borders of one colour: what is pasted on a canvas, or framed."""
        top, bottom = _inside(self.grey)
        left, right = _inside(self.grey.T)
        return Box(top, left, bottom, right)

    @cached_property
    def keypoints(self) -> Keypoints:
        found, descriptors = cv2.SIFT_create(KEYPOINTS, contrastThreshold=0.02).detectAndCompute(self.grey, None)
        if descriptors is None:
            return Keypoints(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
        rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
        return Keypoints(np.array([point.pt for point in found], np.float32), rooted.astype(np.float32))

    @cached_property
    def mirrored_keypoints(self) -> Keypoints:
        """Of the picture left for right, which need not be looked for: SIFT's 4 x 4 cells and 8 directions mirror."""
        places = np.column_stack([self.width - 1 - self.keypoints.places[:, 0], self.keypoints.places[:, 1]])
        cells = self.keypoints.descriptors.reshape(-1, 4, 4, 8)[:, ::-1, :, MIRRORED_DIRECTIONS]
        return Keypoints(places.astype(np.float32), cells.reshape(-1, 128))

    def thumb(self, box: Box) -> np.ndarray:
        """The box's part, squashed to a square: float32 (32, 32), mean 0 and length 1; zeros where it is flat."""
        part = self.grey[box.top : box.bottom, box.left : box.right]
        small = cv2.resize(part, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        return normalised(small)

    @cached_property
    def whole(self) -> Box:
        return Box(0, 0, self.height, self.width)


def normalised(values: np.ndarray) -> np.ndarray:
    """Mean 0, length 1; zeros where all are equal."""
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 1e-3 else np.zeros_like(centred)


def _inside(rows: np.ndarray) -> tuple[int, int]:
    """From which row to which one the picture is more than a border. All of it where that is all border."""
    flat = rows.std(axis=1) < FLAT
    count = len(rows)
    most = int(MOST_BORDER * count)
    start = next((number for number in range(most + 1) if not flat[number]), 0) if count > 2 else 0
    end = next((number for number in range(most + 1) if not flat[count - 1 - number]), 0) if count > 2 else 0
    return (start, count - end) if count - end - start >= 2 else (0, count)
