"""How far two aligned pictures say the same: local correlation, so that light, colour and contrast do not count."""

from dataclasses import dataclass

import cv2
import numpy as np

from app.alignment.frames import Frame

WINDOW_PX = 15
NOISE = 4.0  # grey levels: what varies less within a window is no structure
STRUCTURE = 40.0  # grey levels from which more of it counts no more
BLURS_PX = (0.0, 0.8, 1.5, 2.5, 4.0)
BASE_BLUR_PX = 1.0
LEAST_STRUCTURE = 0.02  # of the most a frame could have: below it there is nothing that could disagree
DISAGREES = 0.6  # a window that correlates less says something else
EXACT = 0.955  # mean correlation of the rest, from which what disagrees may lie upon a copy
MOST_COVERED = 0.3  # of the structure
PRICE = 0.45  # of what is covered, off the score


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
    likeness, weight = _windows(mine, theirs, mask)
    if weight.sum() < LEAST_STRUCTURE * mask.sum():
        return NOTHING
    score, covered = _judged(likeness, weight, mask)
    return Agreement(score, covered, blur, negative)


def _judged(likeness: np.ndarray, weight: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    plain = _mean(likeness, weight)
    apart = (likeness < DISAGREES) & mask
    if not apart.any():
        return plain, 0.0
    apart = cv2.dilate(apart.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & mask
    rest = np.where(apart, 0, weight)
    covered = 1 - float(rest.sum() / weight.sum())
    if covered > MOST_COVERED or _mean(likeness, rest) < EXACT:
        return plain, 0.0
    return max(plain, _mean(likeness, rest) - PRICE * covered), float(apart.sum() / mask.sum())


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


def _windows(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of the window around each pixel, -1..1, and how much structure it has, 0..1."""
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
    spread = np.sqrt(np.maximum(*variances))
    weight = np.clip((spread - NOISE) / STRUCTURE, 0, 1) * share * (count > 0.4)
    return likeness, weight


def _box(values: np.ndarray) -> np.ndarray:
    return cv2.boxFilter(values, cv2.CV_32F, (WINDOW_PX, WINDOW_PX), borderType=cv2.BORDER_CONSTANT)
