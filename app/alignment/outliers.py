"""Where two aligned pictures say something else altogether: a caption, a logo, a thing that was painted over."""

import cv2
import numpy as np

ROUNDS = 4
EVERY = 4  # pixel is enough to fit two numbers
SPREADS = 3.5  # of the other pixels' residues, beyond which one is no noise
LEAST = 12.0  # grey levels
MAD = 1.48  # of a normal distribution: its standard deviation, in median absolute deviations

Tone = tuple[float, float]  # gain and offset that bring one's grey levels to the other's


def outliers(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool (H, W), within the mask; light and contrast fitted to the pixels that agree. Grown by a pixel."""
    if not mask.any():
        return mask
    one, other = mine[mask], theirs[mask]
    beyond = np.zeros(mask.shape, np.uint8)
    beyond[mask] = _beyond(one, other, _tone(one, other))
    return cv2.dilate(beyond, np.ones((3, 3), np.uint8)).astype(bool) & mask


def _tone(one: np.ndarray, other: np.ndarray) -> Tone:
    """The one that most pixels keep to: what lies upon a copy draws a plain fit away, so two starts are tried."""
    one, other = one[::EVERY], other[::EVERY]
    starts = (_fitted(one, other), (1.0, 0.0))
    found = [_settled(one, other, start) for start in starts]
    return min(found, key=lambda tone: float(np.median(_residue(one, other, tone))))


def _settled(one: np.ndarray, other: np.ndarray, tone: Tone) -> Tone:
    for _ in range(ROUNDS):
        near = ~_beyond(one, other, tone)
        tone = _fitted(one[near], other[near])
    return tone


def _beyond(one: np.ndarray, other: np.ndarray, tone: Tone) -> np.ndarray:
    residue = _residue(one, other, tone)
    return residue > max(LEAST, SPREADS * MAD * float(np.median(residue)))


def _residue(one: np.ndarray, other: np.ndarray, tone: Tone) -> np.ndarray:
    return np.abs(tone[0] * one + tone[1] - other)


def _fitted(one: np.ndarray, other: np.ndarray) -> Tone:
    """Least squares."""
    if not one.size:
        return 1.0, 0.0
    centred = one - one.mean()
    gain = float(centred @ other) / max(float(centred @ centred), 1e-3)
    return gain, float(other.mean()) - gain * float(one.mean())
