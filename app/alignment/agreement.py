"""How far two aligned pictures say the same: local correlation, so that light, colour and contrast do not count."""

from dataclasses import dataclass

import cv2
import numpy as np

from app.alignment.frames import Frame
from app.alignment.outliers import outliers

WINDOW_PX = 15
NOISE = 4.0  # grey levels: what varies less within a window is no structure
STRUCTURE = 40.0  # grey levels from which more of it counts no more
BLURS_PX = (0.0, 0.8, 1.5, 2.5, 4.0)
BASE_BLUR_PX = 1.0
LEAST_STRUCTURE = 0.02  # of the most a frame could have: below it there is nothing that could disagree
EXACT, EXACT_LOW = 0.985, 0.95  # correlation of the rest, its mean and its lowest twentieth, if something lies upon a copy
LOW = 0.05
MOST_APART = 0.4  # of the frame
PRICE = 0.6  # of the share of structure that contradicts, squared: a label is 0.1, another product in its box 0.5 and more


@dataclass(frozen=True)
class Agreement:
    score: float  # 0..1
    covered: float  # 0..1, share of the frame where something else lies upon a copy
    blur: float  # pixels of the frame by which the first had to be blurred to be like the second; below 0, the second
    negative: bool


NOTHING = Agreement(0.0, 0.0, 0.0, False)


def agreement(frame: Frame) -> Agreement:
    """Of grey frames."""
    if frame.mask.mean() < 0.02:
        return NOTHING
    negative = _correlation(frame.mine, frame.theirs, frame.mask) < 0
    mine = 255 - frame.mine if negative else frame.mine
    mask = cv2.erode(frame.mask.astype(np.uint8), np.ones((3, 3)), borderValue=0).astype(bool)
    mine, theirs, blur = _equally_sharp(mine, frame.theirs, mask)
    judged = _judged(mine, theirs, mask)
    return NOTHING if judged is None else Agreement(*judged, blur, negative)


def _judged(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> tuple[float, float] | None:
    """Score and the share that is covered. None: nothing is there that could disagree."""
    likeness, weight, shared = _windows(mine, theirs, mask)
    if weight.sum() < LEAST_STRUCTURE * mask.sum():
        return None
    plain = _mean(likeness, weight)
    apart = outliers(mine, theirs, mask)
    share = float(apart.sum() / mask.sum())
    if not 0 < share < MOST_APART:
        return plain, 0.0
    likeness, weight, _ = _windows(mine, theirs, mask & ~apart)
    rest = _mean(likeness, weight)
    if rest < EXACT or _low(likeness, weight) < EXACT_LOW:
        return plain, 0.0
    against = float(shared[apart].sum() / max(shared.sum(), 1e-6))
    return max(plain, rest - PRICE * against**2), share


def _low(likeness: np.ndarray, weight: np.ndarray) -> float:
    """What a twentieth of the structure falls below."""
    order = np.argsort(likeness, axis=None)
    reached = np.cumsum(weight.ravel()[order])
    return float(likeness.ravel()[order[np.searchsorted(reached, LOW * reached[-1])]]) if reached[-1] else 0.0


def _mean(likeness: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float((np.clip(likeness, 0, 1) * weight).sum() / total) if total else 0.0


def _equally_sharp(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Both without fine noise, and the sharper one blurred as the other is."""
    mine, theirs = _blurred(mine, BASE_BLUR_PX, mask), _blurred(theirs, BASE_BLUR_PX, mask)
    best, blur, found = _correlation(mine, theirs, mask), 0.0, (mine, theirs)
    for sign in (1, -1):
        for sigma in BLURS_PX[1:]:
            pair = (_blurred(mine, sigma, mask), theirs) if sign > 0 else (mine, _blurred(theirs, sigma, mask))
            likeness = _correlation(*pair, mask)
            if likeness < best + 0.002:
                break
            best, blur, found = likeness, sign * sigma, pair
    return *found, blur


def _blurred(pixels: np.ndarray, sigma: float, mask: np.ndarray) -> np.ndarray:
    """What lies outside of the mask does not seep in."""
    share = mask.astype(np.float32)
    return cv2.GaussianBlur(pixels * share, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(share, (0, 0), sigma), 1e-3)


def _correlation(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> float:
    one, other = mine[mask], theirs[mask]
    one, other = one - one.mean(), other - other.mean()
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 1e-3 else 0.0


def _windows(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the window around each pixel: correlation, -1..1; how much structure either has, 0..1, and how much both."""
    share = mask.astype(np.float32)
    count = _box(share)
    gain = np.std(theirs[mask]) / max(float(np.std(mine[mask])), 1e-3)  # else contrast would count as structure
    mine = mine * float(np.clip(gain, 0.1, 10))
    means = [_box(values * share) / np.maximum(count, 1e-6) for values in (mine, theirs)]
    products = ((mine, mine), (theirs, theirs), (mine, theirs))
    squares = [_box(one * other * share) / np.maximum(count, 1e-6) for one, other in products]
    variances = [np.maximum(squares[number] - means[number] ** 2, 0) for number in (0, 1)]
    covariance = squares[2] - means[0] * means[1]
    floor = NOISE**2
    likeness = (covariance + floor / 4) / (np.sqrt(variances[0] * variances[1]) + floor / 4)
    there = share * (count > 0.4)
    either, both = (np.clip((np.sqrt(of(*variances)) - NOISE) / STRUCTURE, 0, 1) * there for of in (np.maximum, np.minimum))
    return likeness, either, both


def _box(values: np.ndarray) -> np.ndarray:
    return cv2.boxFilter(values, cv2.CV_32F, (WINDOW_PX, WINDOW_PX), borderType=cv2.BORDER_CONSTANT)
