"""From tokens of several blocks to few numbers in which the same place of a thing looks alike.

A basis is learned once for each key of a model and kept: two that were learned apart would not compare.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from app.errors import BadVector, InvalidInput

DIM = 64
BACKGROUND = 4000  # tokens of other pictures: what is like many of them tells nothing
RANK = 4  # a token's level is its cosine with this many-th nearest of them
LEAST_VARIANCE = 1e-6  # of the most: a direction with less is noise
HEADER = struct.Struct("<4sIII")  # magic, numbers in, numbers out, background
MAGIC = b"DSB1"


@dataclass(frozen=True)
class Basis:
    mean: np.ndarray  # float32 (W)
    directions: np.ndarray  # float32 (W, D)
    background: np.ndarray  # float32 (B, D), unit rows

    def project(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens (…, W) -> unit float32 (…, D). Raises BadVector for tokens of another width."""
        if tokens.shape[-1] != len(self.mean):
            raise BadVector(f"tokens of {tokens.shape[-1]} numbers: this basis takes {len(self.mean)}")
        return unit((tokens.astype(np.float32) - self.mean) @ self.directions)

    def levels(self, projected: np.ndarray) -> np.ndarray:
        """How like the background each of these is (N, D): float32 (N), cosines. The lower, the more it tells."""
        near = projected @ self.background.T
        return np.partition(near, -RANK, axis=1)[:, -RANK]

    def to_bytes(self) -> bytes:
        background = np.rint(self.background * 127).astype(np.int8)
        parts = (self.mean.astype("<f4"), self.directions.astype("<f4"), background)
        body = HEADER.pack(MAGIC, *self.directions.shape, len(background)) + b"".join(part.tobytes() for part in parts)
        return body + zlib.crc32(body).to_bytes(4, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises InvalidInput for bytes that are damaged, or none of ours."""
        body, crc = data[:-4], int.from_bytes(data[-4:], "little")
        if len(body) < HEADER.size or zlib.crc32(body) != crc or not body.startswith(MAGIC):
            raise InvalidInput(f"{len(data)} bytes are no basis, or damaged: bring the file back")
        _, width, dim, count = HEADER.unpack_from(body)
        numbers = np.frombuffer(body, "<f4", width * (1 + dim), HEADER.size).astype(np.float32)
        background = np.frombuffer(body, np.int8, count * dim, HEADER.size + 4 * numbers.size)
        return cls(numbers[:width], numbers[width:].reshape(width, dim), unit(background.reshape(count, dim)))


def learn(pictures: Sequence[np.ndarray], dim: int = DIM, seed: int = 5) -> Basis:
    """From patch tokens (rows, columns, W) of varied pictures: their principal directions, each of equal weight."""
    tokens = np.concatenate([picture.reshape(-1, picture.shape[-1]) for picture in pictures]).astype(np.float32)
    mean = tokens.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(tokens - mean, rowvar=False))
    variances, directions = variances[::-1][:dim], directions[:, ::-1][:, :dim]
    scaled = directions / np.sqrt(np.maximum(variances, LEAST_VARIANCE * variances[0]))
    return with_background(mean, scaled.astype(np.float32), tokens, seed)


def with_background(mean: np.ndarray, directions: np.ndarray, tokens: np.ndarray, seed: int = 5) -> Basis:
    """Directions that were learned elsewhere, and tokens (N, W) of other pictures to draw the background from."""
    chosen = np.random.default_rng(seed).choice(len(tokens), min(BACKGROUND, len(tokens)), replace=False)
    bare = Basis(mean, directions, np.empty((0, directions.shape[1]), np.float32))
    return Basis(mean, directions, bare.project(tokens[np.sort(chosen)]))


def unit(rows: np.ndarray) -> np.ndarray:
    """Float32, each row of the last axis over its length; zero rows stay."""
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
