"""Smooth randomness: the hills, clouds, grain and ripples of every scene come from here."""

import numpy as np
import PIL.Image


def line(rng: np.random.Generator, width: int, cells: float, octaves: int = 5, roughness: float = 0.5) -> np.ndarray:
    """A wandering curve (width,) float32 around 0, about within −1…1; `cells` bumps across in the first octave."""
    total = np.zeros(width, np.float32)
    at = np.linspace(0, 1, width, dtype=np.float32)
    for octave in range(octaves):
        count = max(2, round(cells * 2**octave))
        knots = rng.uniform(-1, 1, count + 2).astype(np.float32)
        total += roughness**octave * _cosine(knots, at * count)
    return total


def _cosine(knots: np.ndarray, at: np.ndarray) -> np.ndarray:
    index = np.minimum(at.astype(int), len(knots) - 2)
    mix = 0.5 - 0.5 * np.cos((at - index) * np.pi)
    return knots[index] * (1 - mix) + knots[index + 1] * mix


def field(
    rng: np.random.Generator,
    height: int,
    width: int,
    cells: tuple[float, float],
    octaves: int = 4,
    roughness: float = 0.5,
) -> np.ndarray:
    """A cloudy field (height, width) float32 in 0…1; `cells` are blobs down and across in the first octave."""
    total = np.zeros((height, width), np.float32)
    weight = 0.0
    for octave in range(octaves):
        rows, columns = (
            min(limit, max(2, round(cell * 2**octave))) for cell, limit in zip(cells, (height, width), strict=True)
        )
        grid = PIL.Image.fromarray(rng.random((rows, columns), dtype=np.float32))
        total += roughness**octave * np.asarray(grid.resize((width, height), PIL.Image.Resampling.BICUBIC))
        weight += roughness**octave
    return np.clip((total / weight - 0.5) * 1.6 + 0.5, 0, 1)


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """A soft step: 0 at `low`, 1 at `high` (which may be the smaller), smooth between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
