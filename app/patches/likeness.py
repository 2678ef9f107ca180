"""How alike pictures are by the vectors of their windows: a thing may be in one corner here and in another there."""

import numpy as np


def likeness(asked: np.ndarray, theirs: np.ndarray, *, both_ways: bool) -> np.ndarray:
    """Of unit vectors asked for (A, D) and those of candidates (C, R, D): float32 (C), -1 to 1.

    The mean, over what is asked for, of the cosine with the nearest window; `both_ways`: and over the candidate's
    windows of that with the nearest asked for, for pictures that should show the same all over.
    """
    cosines = theirs @ asked.T  # (C, R, A)
    found = cosines.max(axis=1).mean(axis=1)
    return (found + cosines.max(axis=2).mean(axis=1)) / 2 if both_ways else found
