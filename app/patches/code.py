"""Keypoints in 64 signs: eight bytes for the 128 numbers of a descriptor.

The map was learned once, of keypoints that the same places of openly licensed photos have under known maps
(`python -m training.keypoints`): directions in which they differ least, for what all keypoints differ, come first.
"""

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Self

import numpy as np

from app.patches.basis import DIM, unit

FILE = "keypoints.npz"


@dataclass(frozen=True)
class Code:
    mean: np.ndarray  # float32 (W)
    directions: np.ndarray  # float32 (W, D)
    background: np.ndarray  # bool (B, D): of other pictures

    @classmethod
    @functools.cache
    def shipped(cls) -> Self:
        with np.load(resources.files("app.patches") / FILE, allow_pickle=False) as kept:
            background = np.unpackbits(kept["background"], axis=1).astype(bool)
            return cls(kept["mean"].astype(np.float32), kept["directions"].astype(np.float32), background)

    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """(K, W) -> unit float32 (K, D)."""
        return unit((descriptors - self.mean) @ self.directions)

    def levels(self, features: np.ndarray) -> np.ndarray:
        """The cosine that the most alike of the background's reaches with each: float32 (K)."""
        return (features @ signs(self.background).T).max(axis=1, initial=-1)


def signs(bits: np.ndarray) -> np.ndarray:
    """Bool (…, D) -> unit float32."""
    return (bits.astype(np.float32) * 2 - 1) / np.float32(DIM**0.5)
