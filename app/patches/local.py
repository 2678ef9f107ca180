"""A picture's local descriptors: the tokens that tell most and its keypoints, and how to keep them small.

Each of the D numbers of a token is kept in four bits, and where it is in one bit of the grid; keypoints in twelve
bytes.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np

from app.errors import InvalidInput
from app.patches import keypoints
from app.patches.basis import DIM, unit
from app.patches.keypoints import Keypoints, Marks

MOST_BYTES = 8192
CLIP = 2.3 / DIM**0.5  # of a unit vector's numbers, 2.3 of their spread: what is beyond is kept as that
STEPS = 16
LEVELS = 255
HEADER = struct.Struct("<2sBHHHHI")  # magic, version, rows, columns, tokens, keypoints, checksum of what follows
MAGIC, VERSION = b"DP", 2
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Local:
    features: np.ndarray  # float32 (K, D), unit rows
    places: np.ndarray  # float32 (K, 2), x and y in tokens
    levels: np.ndarray  # float32 (K), cosines: how like the background each is
    grid: tuple[int, int]  # rows, columns
    keypoints: Keypoints = keypoints.NONE

    def only(self, chosen: np.ndarray) -> Self:
        """Those tokens that are `chosen`, bool (K), with all keypoints."""
        return replace(self, features=self.features[chosen], places=self.places[chosen], levels=self.levels[chosen])

    def to_bytes(self) -> bytes:
        """Of tokens in the order of the grid. At most MOST_BYTES of what a detail keeps, on 36 x 36 or smaller."""
        rows, columns = self.grid
        kept = np.zeros(rows * columns, bool)
        kept[(self.places[:, 1].astype(int) * columns + self.places[:, 0].astype(int))] = True
        levels = np.rint((np.clip(self.levels, -1, 1) + 1) / 2 * LEVELS).astype(np.uint8)
        parts = np.packbits(kept), levels, _packed(self.features)
        body = b"".join(part.tobytes() for part in parts) + self.keypoints.to_bytes(self.grid)
        return HEADER.pack(MAGIC, VERSION, rows, columns, len(levels), len(self.keypoints), zlib.crc32(body)) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises InvalidInput for bytes that are damaged, or none of ours."""
        body = _checked(data)
        _, _, rows, columns, count, points, _ = HEADER.unpack_from(data)
        spread = -(-rows * columns // 8)
        kept = np.flatnonzero(np.unpackbits(np.frombuffer(body, np.uint8, spread), count=rows * columns))
        levels = np.frombuffer(body, np.uint8, count, spread).astype(np.float32) / LEVELS * 2 - 1
        features = _unpacked(np.frombuffer(body, np.uint8, count * DIM // 2, spread + count).reshape(count, DIM // 2))
        found = Keypoints.from_bytes(body[len(body) - points * keypoints.BYTES :], (rows, columns))
        return cls(features, centres(kept, columns), levels, (rows, columns), found)


def marks_of(data: bytes) -> Marks:
    """Of its keypoints alone, in a tenth of the time. Raises InvalidInput as `from_bytes` does."""
    body = _checked(data)
    count = HEADER.unpack_from(data)[5]
    return Marks.from_bytes(body[len(body) - count * keypoints.BYTES :])


def is_whole(data: bytes) -> bool:
    return bool(tried(_checked, data, b""))


def tried(read: Callable[[bytes], Kept], data: bytes, nothing: Kept) -> Kept:
    """What `read` makes of bytes that may be damaged, or `nothing`."""
    try:
        return read(data)
    except InvalidInput:
        return nothing


def centres(numbers: np.ndarray, columns: int) -> np.ndarray:
    """Places of tokens by their numbers in the grid: float32 (N, 2)."""
    down, across = np.divmod(numbers, columns)
    return np.stack([across + 0.5, down + 0.5], axis=-1).astype(np.float32)


def _packed(features: np.ndarray) -> np.ndarray:
    """uint8 (K, D / 2): the even numbers in the high halves."""
    codes = np.clip(np.floor((features / CLIP + 1) / 2 * STEPS), 0, STEPS - 1).astype(np.uint8)
    return codes[:, 0::2] << 4 | codes[:, 1::2]


def _unpacked(packed: np.ndarray) -> np.ndarray:
    codes = np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), DIM)
    return unit(codes + np.float32(0.5 - STEPS / 2))


def _checked(data: bytes) -> bytes:
    if len(data) >= HEADER.size:
        magic, version, rows, columns, count, points, crc = HEADER.unpack_from(data)
        body = data[HEADER.size :]
        size = -(-rows * columns // 8) + count + count * DIM // 2 + points * keypoints.BYTES
        if (magic, version, size, crc) == (MAGIC, VERSION, len(body), zlib.crc32(body)):
            return body
    raise InvalidInput(f"{len(data)} bytes are no local descriptors of ours, or damaged: they are made again")
