"""How far two aligned pictures say the same: local correlation, so that light, colour and contrast do not count."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.alignment.frames import Frame
from app.alignment.outliers import MAD, outliers

WINDOW_PX = 15
NOISE = 4.0  # grey levels: what varies less within a window is no structure
STRUCTURE = 40.0  # grey levels from which more of it counts no more
BLURS_PX = (0.8, 1.5, 2.5, 4.0)
LEAST_SIDES = 25  # of a blur: in a frame of fewer it would leave nothing to tell two pictures apart
BASE_BLUR_PX, MOST_BASE_BLUR_PX = 1.0, 2.5
BLUR_PER_GRAIN = 1 / 8  # pixels, for each grey level by which one has more grain than the other
LEAST_GRAIN = 2.0  # grey levels: less is texture
LAPLACE = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), np.float32) / 6  # keeps the spread of white noise
LEAST_STRUCTURE = 0.02  # of the most a frame could have: below it there is nothing that could disagree
# where something lies upon a copy, the rest is like this: on the mean, and in its lowest twentieth
EXACT, EXACT_LOW = 0.985, 0.95
LOW = 0.05
EVEN, UNEVEN = 0.9, 0.25  # a copy is like all over: what the lowest twentieth lacks of that counts once more, in part
MOST_APART = 0.4  # of the frame
PRICE = 0.6  # of the share of edges that contradict, squared: a label's is 0.1, another product's in its box 0.5
SOLID = np.ones((5, 5), np.uint8)
SURE = 0.985  # a better score needs no second look


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
    mask = cv2.erode(frame.mask.astype(np.uint8), np.ones((3, 3)), borderValue=0).astype(bool)
    mine, theirs = _without_grain(255 - frame.mine if negative else frame.mine, frame.theirs, mask)
    best, tried = NOTHING, set()
    for seen in _sights(mine, theirs, mask):
        *sides, blur = _equally_sharp(mine, theirs, mask, seen)
        if best.score >= SURE or blur in tried:
            break
        tried.add(blur)
        found = _judged(*sides, blur, mask)
        best = max(best, replace(found, negative=negative), key=lambda agreement: agreement.score)
    return best


def _sights(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> Iterator[np.ndarray]:
    """By which pixels to tell how sharp they are: by all; and by those that nothing lies upon, if it is that."""
    yield mask
    apart = outliers(mine, theirs, mask)
    if 0 < apart.sum() < MOST_APART * mask.sum():
        yield mask & ~apart


def _judged(mine: np.ndarray, theirs: np.ndarray, blur: float, mask: np.ndarray) -> Agreement:
    likeness, weight = _windows(mine, theirs, mask)
    if weight.sum() < LEAST_STRUCTURE * mask.sum():
        return NOTHING
    gap = max(0.0, EVEN - _low(likeness, weight))
    plain = Agreement(max(0.0, _mean(likeness, weight) - UNEVEN * gap), 0.0, blur, False)
    apart = outliers(mine, theirs, mask)
    share = float(apart.sum() / mask.sum())
    if not 0 < share < MOST_APART:
        return plain
    likeness, weight = _windows(mine, theirs, mask & ~apart)
    rest = _mean(likeness, weight)
    if rest < EXACT or _low(likeness, weight) < EXACT_LOW:
        return plain
    score = rest - PRICE * _contradiction(mine, theirs, mask, apart)
    return max(plain, Agreement(float(score), _solid(apart, mask), blur, False), key=lambda agreement: agreement.score)


def _solid(apart: np.ndarray, mask: np.ndarray) -> float:
    """Share of the frame; thin lines, as sharpened edges are, cover nothing."""
    return float(cv2.morphologyEx(apart.astype(np.uint8), cv2.MORPH_OPEN, SOLID).sum() / mask.sum())


def _contradiction(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray, apart: np.ndarray) -> float:
    """Share of the edges of both that lie where they are apart, squared; more where edges are rather apart than areas.

    What is laid upon a picture hides its edges as it comes. Another shot's edges are beside their places everywhere.
    """
    edges = np.minimum(*(cv2.dilate(_slopes(side), np.ones((3, 3))) for side in (mine, theirs))) * mask
    against = float(edges[apart].sum() / max(edges.sum(), 1e-6))
    return against**2 * max(1.0, against * mask.sum() / apart.sum())


def _slopes(pixels: np.ndarray) -> np.ndarray:
    return np.hypot(cv2.Sobel(pixels, cv2.CV_32F, 1, 0), cv2.Sobel(pixels, cv2.CV_32F, 0, 1))


def _low(likeness: np.ndarray, weight: np.ndarray) -> float:
    """What a twentieth of the structure falls below."""
    order = np.argsort(likeness, axis=None)
    reached = np.cumsum(weight.ravel()[order])
    return float(likeness.ravel()[order[np.searchsorted(reached, LOW * reached[-1])]]) if reached[-1] else 0.0


def _mean(likeness: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float((np.clip(likeness, 0, 1) * weight).sum() / total) if total else 0.0


def _equally_sharp(
    mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The sharper one blurred as the other is, to judge by the pixels that are `seen`."""
    best, blur, found = _correlation(mine, theirs, seen), 0.0, (mine, theirs)
    for sign in (1, -1):
        for sigma in (sigma for sigma in BLURS_PX if sigma * LEAST_SIDES <= min(mask.shape)):
            pair = (_blurred(mine, sigma, mask), theirs) if sign > 0 else (mine, _blurred(theirs, sigma, mask))
            likeness = _correlation(*pair, seen)
            if likeness < best + 0.002:
                break
            best, blur, found = likeness, sign * sigma, pair
    return *found, blur


def _without_grain(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    base = _base_blur(mine, theirs, mask)
    return _blurred(mine, base, mask), _blurred(theirs, base, mask)


def _base_blur(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> float:
    """Pixels. Only the grain that one has beyond the other's: two shots by one camera have the same."""
    grains = [_grain(side, mask) for side in (mine, theirs)]
    more = max(0.0, abs(grains[0] - grains[1]) - LEAST_GRAIN)
    return min(BASE_BLUR_PX + BLUR_PER_GRAIN * more, MOST_BASE_BLUR_PX)


def _grain(pixels: np.ndarray, mask: np.ndarray) -> float:
    """Standard deviation of the noise, in grey levels (Immerkær 1996, by the median: edges don't count)."""
    return MAD * float(np.median(np.abs(cv2.filter2D(pixels, cv2.CV_32F, LAPLACE))[mask]))


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
