"""A guess made exact: the map is moved until the two pictures correlate best (ECC, Evangelidis and Psarakis 2008)."""

import cv2
import numpy as np

from app.alignment import maps
from app.alignment.frames import by_corners, laid
from app.alignment.outliers import outliers
from app.alignment.view import View

STEPS = ((64, 40), (144, 25))  # longest side of the frame in pixels, and rounds at most
EPSILON = 1e-4
SMOOTHING_PX = 5
MOST_APART = 0.5


def refined(first: View, second: View, map: np.ndarray, steps: int = 2) -> np.ndarray:
    """The map as it was where it can't be bettered."""
    for step in STEPS[:steps]:
        map = _step(first, second, map, step)
    return map


def steadied(first: View, second: View, map: np.ndarray) -> np.ndarray:
    """Refined by the pixels that agree already: what lies upon one of them can't pull the map towards itself.

    Of a good guess only: where edges don't meet yet, it is those that would be left out.
    """
    return _step(first, second, map, STEPS[-1], steady=True)


def _step(first: View, second: View, map: np.ndarray, step: tuple[int, int], steady: bool = False) -> np.ndarray:
    long_side_px, rounds = step
    frame = laid(first, second, map, long_side_px)
    if frame is None or frame.mask.mean() < 0.05:
        return map
    mine = 255 - frame.mine if _is_negative(frame.mine, frame.theirs, frame.mask) else frame.mine
    mask = _steady(mine, frame.theirs, frame.mask) if steady else frame.mask
    found = _ecc(frame.theirs, mine, mask, rounds)
    if found is None:
        return map
    # theirs(x) = mine(found(x)): what lay at found(x) belongs at x
    moved = maps.then(maps.then(map, frame.onto), maps.inverse(found))
    better = maps.then(moved, maps.inverse(frame.onto))
    return better if maps.is_sane(better) else map


def _ecc(theirs: np.ndarray, mine: np.ndarray, mask: np.ndarray, rounds: int) -> np.ndarray | None:
    start = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, rounds, EPSILON)
    try:
        _, found = cv2.findTransformECC(
            theirs, mine, start, cv2.MOTION_AFFINE, criteria, mask.astype(np.uint8) * 255, SMOOTHING_PX
        )
    except cv2.error:  # it ran away, or there is nothing to hold on to
        return None
    found = by_corners(found)
    return found if maps.is_sane(found, most=1.6, most_stretch=1.6) else None


def _steady(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mask without what lies upon one of them, which would pull the map towards itself."""
    apart = outliers(mine, theirs, mask)
    return mask & ~apart if apart.sum() < MOST_APART * mask.sum() else mask


def _is_negative(mine: np.ndarray, theirs: np.ndarray, mask: np.ndarray) -> bool:
    one, other = mine[mask], theirs[mask]
    return float(((one - one.mean()) * (other - other.mean())).sum()) < 0
