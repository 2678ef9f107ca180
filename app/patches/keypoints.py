"""A picture's keypoints, twelve bytes each: 64 signs, where it is, how large, and which way it points."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from app.patches.basis import DIM
from app.patches.code import signs

BYTES = DIM // 8 + 4
PLACES, TURNS, SIZES = 1024, 64, 64  # steps: of the grid's sides, of a full turn, of the sizes below
LEAST_SIZE, OCTAVES = 1 / 16, 8.0  # tokens; how often the largest is twice the least


@dataclass(frozen=True)
class Keypoints:
    features: np.ndarray  # float32 (K, D), unit rows
    places: np.ndarray  # float32 (K, 2), x and y in tokens
    turns: np.ndarray  # complex64 (K): as long as it is wide in tokens, and pointing its way

    def only(self, chosen: np.ndarray) -> Self:
        """Those that are `chosen`, bool (K)."""
        return type(self)(self.features[chosen], self.places[chosen], self.turns[chosen])

    def to_bytes(self, grid: tuple[int, int]) -> bytes:
        codes = np.packbits(self.features > 0, axis=1)
        x, y = (_steps(self.places[:, axis] / grid[1 - axis], PLACES) for axis in (0, 1))
        turn = _steps(np.angle(self.turns) / (2 * np.pi) % 1, TURNS)
        size = _steps(np.log2(np.maximum(np.abs(self.turns), LEAST_SIZE) / LEAST_SIZE) / OCTAVES, SIZES)
        return codes.tobytes() + (((x * PLACES + y) * TURNS + turn) * SIZES + size).astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, grid: tuple[int, int]) -> Self:
        count = len(data) // BYTES
        codes = np.frombuffer(data, np.uint8, count * DIM // 8).reshape(count, DIM // 8)
        rest, poses = np.divmod(np.frombuffer(data, "<u4", count, codes.size), TURNS * SIZES)
        places = (np.stack(np.divmod(rest, PLACES), axis=-1) + 0.5) / PLACES * grid[::-1]
        return cls(signs(np.unpackbits(codes, axis=1)), places.astype(np.float32), turns_of(poses))

    def __len__(self) -> int:
        return len(self.turns)


class Marks(NamedTuple):
    """What votes of keypoints: signs, and how each lies, without where."""

    codes: np.ndarray  # uint8 (K, D / 8)
    poses: np.ndarray  # uint16 (K), steps of turn and size

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        count = len(data) // BYTES
        codes = np.frombuffer(data, np.uint8, count * DIM // 8).reshape(count, DIM // 8)
        return cls(codes, (np.frombuffer(data, "<u4", count, codes.size) % (TURNS * SIZES)).astype(np.uint16))


def turns_of(poses: np.ndarray) -> np.ndarray:
    """As `Keypoints.turns`: complex64."""
    turn, size = np.divmod(poses.astype(np.float32), SIZES)
    wide = LEAST_SIZE * np.exp2((size + 0.5) / SIZES * OCTAVES)
    return (wide * np.exp(2j * np.pi * (turn + 0.5) / TURNS)).astype(np.complex64)


def _steps(shares: np.ndarray, count: int) -> np.ndarray:
    """Shares 0 to 1 -> int64, 0 to count - 1."""
    return np.clip(np.floor(shares * count), 0, count - 1).astype(np.int64)


NONE = Keypoints(np.empty((0, DIM), np.float32), np.empty((0, 2), np.float32), np.empty(0, np.complex64))
