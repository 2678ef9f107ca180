"""Where two aligned pictures say something else altogether: a caption, a logo, a thing that was painted over."""

import cv2
import numpy as np

ROUNDS = 4
SPREADS = 3.5  # of the other pixels' residues, beyond which one is no noise
LEAST = 12.0  # grey levels
MAD = 1.48  # of a normal distribution: its standard deviation, in median absolute deviations


def outliers(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool (H, W), within the mask; light and contrast fitted to the pixels that agree. Grown by a pixel."""
    inside = mask
    for _ in range(ROUNDS):
        residue = np.abs(_fitted(mine, theirs, inside) - theirs)
        limit = max(LEAST, SPREADS * MAD * float(np.median(residue[inside]))) if inside.any() else LEAST
        inside = mask & (residue < limit)
    beyond = (mask & ~inside).astype(np.uint8)
    return cv2.dilate(beyond, np.ones((3, 3), np.uint8)).astype(bool) & mask


def _fitted(mine: np.ndarray, theirs: np.ndarray, inside: np.ndarray) -> np.ndarray:
    one, other = mine[inside], theirs[inside]
    if not one.size:
        return mine
    centred = one - one.mean()
    gain = float(centred @ other) / max(float(centred @ centred), 1e-3)
    return gain * (mine - one.mean()) + other.mean()
