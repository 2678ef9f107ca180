"""A perceptual hash whose eight turns and mirrors follow from its bits."""

import cv2
import numpy as np

from app.alignment.insets import insets
from app.alignment.view import View

SIDE = 64
WAVES = 16  # of each direction: 256 bits
BYTES = WAVES * WAVES // 8


def hash_of(rgb: np.ndarray) -> bytes:
    """Signs of the 16 x 16 slowest waves of the grey picture, squashed to a square; the mean is left out.

    To mirror a picture changes the sign of its odd waves, to transpose it swaps the two directions: no median, which
    would not keep to that.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.ndim == 3 else rgb
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    waves = cv2.dct(small)[:WAVES, :WAVES]
    return np.packbits(waves > 0).tobytes()


def hashes_of(view: View) -> bytes:
    """Of the picture, and of each picture that may lie within it: some times BYTES."""
    parts = [view.rgb[box.top : box.bottom, box.left : box.right] for box in (view.whole, *insets(view))]
    return b"".join(map(hash_of, parts))


def forms(hashes: np.ndarray) -> np.ndarray:
    """uint8 (N, 32) -> (N, 8, 32): of each picture as it is, turned by quarters, and each of these mirrored."""
    bits = np.unpackbits(hashes, axis=-1).reshape(-1, WAVES, WAVES).astype(bool)
    sides = (bits, bits.transpose(0, 2, 1))
    found = [_flipped(side, across, down) for side in sides for across in (False, True) for down in (False, True)]
    return np.packbits(np.stack(found, axis=1).reshape(len(bits), len(found), -1), axis=-1)


def _flipped(bits: np.ndarray, across: bool, down: bool) -> np.ndarray:
    odd = np.arange(WAVES) % 2 == 1
    return bits ^ ((odd[None, :] & across) ^ (odd[:, None] & down))
