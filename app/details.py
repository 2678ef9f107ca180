"""What is kept of a picture's places: the patches that tell most, and keypoints of the pixels the network sees."""

from dataclasses import replace

import numpy as np

from app.detection import detect
from app.patches import Basis, Detail, Keypoints, Local, describe
from app.patches.code import Code
from app.vision.architectures import PATCH_PX


def local_of(pixels: np.ndarray, tokens: np.ndarray, basis: Basis, detail: Detail) -> Local:
    """Prepared pixels, uint8 (H, W, 3), and what the network says of their patches (H/14, W/14, W)."""
    return replace(describe(tokens, basis, detail.tokens), keypoints=keypoints_of(pixels, detail.keypoints))


def keypoints_of(pixels: np.ndarray, most: int) -> Keypoints:
    """In tokens."""
    found = detect(pixels, most)
    return Keypoints(Code.shipped().encode(found.descriptors), found.places / PATCH_PX, found.turns / PATCH_PX)
