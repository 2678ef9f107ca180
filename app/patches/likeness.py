"""How alike pictures are by the vectors of their windows: a thing may be in one corner here and in another there."""

import numpy as np


def likeness(asked: np.ndarray, theirs: np.ndarray, *, both_ways: bool) -> np.ndarray:
    """Of unit vectors asked for (A, D) and those of candidates (C, R, D): float32 (C), -1 to 1.

    The cosine of the nearest two: the asked are looks at one thing. `both_ways`: they are windows of a picture that
    should be the same all over, and it is the mean, over the windows of each, of that with the nearest of the other.
    """
    cosines = theirs @ asked.T  # (C, R, A)
    if not both_ways:
        return cosines.max(axis=(1, 2))
    return (cosines.max(axis=1).mean(axis=1) + cosines.max(axis=2).mean(axis=1)) / 2
