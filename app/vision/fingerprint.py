"""What a model says of one built-in picture: tells at once whether weights and arithmetic are those they should be."""

import functools
from pathlib import Path

import numpy as np

from app.errors import ServiceUnavailable
from app.vision.precision import Precision

SIDE_PX = 224
RECORDED = Path(__file__).with_name("fingerprints.npz")  # by model: `Encoder.embed([picture()])[0]`, on a processor
SHOWN = 8  # numbers of it that people compare by eye


def picture() -> np.ndarray:
    """uint8 (224, 224, 3) in integers alone, the same everywhere: slopes, rings, stripes and blots in three colours."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.int64)
    rings = ((x - 80) ** 2 + (y - 130) ** 2) // 23 % 256
    stripes = (3 * x + 5 * y) // 16 % 2 * 200
    blots = ((x // 28) * 73 + (y // 28) * 151) ** 2 // 7 % 256
    layers = ((rings + x) // 2, (stripes + 255 - y) // 2, (blots + rings) // 2)
    return np.stack(layers, axis=-1).astype(np.uint8)


def check(model: str, vector: np.ndarray, precision: Precision) -> None:
    """Hold a model's answer to `picture` against the one recorded for it, where one is.

    Raises ServiceUnavailable: weights are known by their digest already, so what differs is this machine's arithmetic.
    """
    known = recorded().get(model)
    if known is None:
        return
    cosine = float(known @ vector)
    if not cosine >= precision.least_cosine:
        raise ServiceUnavailable(
            f"{model} in {precision.name} answers otherwise here than recorded (cosine {cosine:.5f}, expected "
            f"{precision.least_cosine} or more): set another DINOSEEK_DEVICE or DINOSEEK_PRECISION, or reinstall torch"
        )


@functools.cache
def recorded() -> dict[str, np.ndarray]:
    """For the models whose weights come with dinoseek."""
    with np.load(RECORDED, allow_pickle=False) as vectors:
        return dict(vectors)


def shown(vector: np.ndarray) -> str:
    """Enough of it for people on two machines to compare: the last digit may differ by one."""
    return " ".join(f"{number:+.4f}" for number in vector[:SHOWN])
