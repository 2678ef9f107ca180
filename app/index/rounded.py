"""Vectors as whole numbers: products of these are the same however they are added up.

A matrix product in float32 differs in its last digits with the shape of the matrices, so what is cut off at a limit
would change with the block a row is in. Whole numbers whose sums stay below 2^24 are exact in float32 in any order.
"""

import numpy as np

SCALE = 4000.0  # a unit vector's product with another stays below 2^24 up to 30,000 dimensions, roundings included


def rounded(vectors: np.ndarray) -> np.ndarray:
    """float32 of whole numbers, SCALE times unit vectors float32 (N, D)."""
    whole = vectors * np.float32(SCALE)
    return np.rint(whole, out=whole)


def least_product(cosine: float, dim: int) -> float:
    """A product of two rounded vectors that is below this surely belongs to a lower cosine."""
    moved = 0.5 * dim**0.5 / SCALE  # the most that rounding moves a vector
    return (cosine - moved * (2.01 + moved)) * SCALE**2
