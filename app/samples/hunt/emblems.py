"""Emblems on labels: a dozen small figures as outlines in a unit square."""

from collections.abc import Sequence

import numpy as np
import PIL.ImageDraw

from app.samples.sketch import Point, smooth

Outline = Sequence[Point]


def _rays(count: int, inner: float) -> Outline:
    """A star, or a sun of many rays, standing on its axis."""
    turns = np.arange(2 * count) * np.pi / count - np.pi / 2
    reach = np.where(np.arange(2 * count) % 2, inner, 0.5)
    return [(0.5 + r * np.cos(t), 0.5 + r * np.sin(t)) for r, t in zip(reach, turns, strict=True)]


def _oval(x: float, y: float, rx: float, ry: float) -> Outline:
    turns = np.linspace(0, 2 * np.pi, 28)
    return [(x + rx * np.cos(t), y + ry * np.sin(t)) for t in turns]


def _mirrored(half: Outline) -> Outline:
    """The whole of a figure from its left half, whose ends lie on the axis."""
    return [*half, *((1 - x, y) for x, y in reversed(half[1:-1]))]


EMBLEMS: dict[str, tuple[Outline, ...]] = {
    "star": (_rays(5, 0.2),),
    "sun": (_rays(12, 0.34),),
    "flake": (_rays(6, 0.1), _oval(0.5, 0.5, 0.2, 0.2)),
    "fish": (
        smooth([(0.02, 0.5), (0.25, 0.28), (0.55, 0.3), (0.75, 0.48), (0.75, 0.52), (0.55, 0.7), (0.25, 0.72)]),
        [(0.7, 0.5), (1.0, 0.24), (0.92, 0.5), (1.0, 0.76)],
        [(0.4, 0.32), (0.6, 0.12), (0.62, 0.34)],
    ),
    "leaf": (
        smooth([(0.5, 0.0), (0.82, 0.3), (0.78, 0.62), (0.52, 0.84), (0.22, 0.62), (0.18, 0.3)]),
        [(0.47, 0.6), (0.53, 0.6), (0.56, 1.0), (0.46, 1.0)],
    ),
    "ship": (
        [(0.04, 0.68), (0.96, 0.68), (0.8, 0.94), (0.2, 0.94)],
        [(0.46, 0.02), (0.46, 0.62), (0.08, 0.62)],
        [(0.54, 0.14), (0.9, 0.62), (0.54, 0.62)],
    ),
    "bird": (
        smooth([(0.02, 0.42), (0.2, 0.28), (0.36, 0.4), (0.62, 0.5), (0.98, 0.72), (0.6, 0.76), (0.3, 0.7)]),
        [(0.34, 0.44), (0.62, 0.04), (0.66, 0.52)],
    ),
    "crown": (
        [(0.06, 0.2), (0.3, 0.5), (0.5, 0.08), (0.7, 0.5), (0.94, 0.2), (0.86, 0.72), (0.14, 0.72)],
        [(0.14, 0.78), (0.86, 0.78), (0.86, 0.9), (0.14, 0.9)],
    ),
    "key": (
        [(0.42, 0.38), (0.58, 0.38), (0.58, 1.0), (0.42, 1.0)],
        [(0.58, 0.72), (0.8, 0.72), (0.8, 0.8), (0.58, 0.8)],
        [(0.58, 0.88), (0.76, 0.88), (0.76, 0.97), (0.58, 0.97)],
        _oval(0.5, 0.22, 0.26, 0.22),
    ),
    "peaks": (
        [(0.0, 0.88), (0.34, 0.2), (0.56, 0.62), (0.66, 0.42), (1.0, 0.88)],
        _oval(0.78, 0.2, 0.12, 0.12),
    ),
    "heart": (smooth(_mirrored([(0.5, 0.95), (0.06, 0.48), (0.1, 0.16), (0.34, 0.08), (0.5, 0.28)])),),
    "tree": (
        _mirrored([(0.5, 0.86), (0.06, 0.86), (0.32, 0.62), (0.14, 0.62), (0.38, 0.34), (0.24, 0.34), (0.5, 0.0)]),
        [(0.44, 0.86), (0.56, 0.86), (0.56, 1.0), (0.44, 1.0)],
    ),
    "house": (
        [(0.0, 0.46), (0.5, 0.04), (1.0, 0.46)],
        [(0.12, 0.5), (0.42, 0.5), (0.42, 0.96), (0.12, 0.96)],
        [(0.58, 0.5), (0.88, 0.5), (0.88, 0.96), (0.58, 0.96)],
    ),
    "bell": (
        smooth(_mirrored([(0.5, 0.84), (0.05, 0.78), (0.24, 0.5), (0.3, 0.18), (0.5, 0.05)])),
        _oval(0.5, 0.9, 0.1, 0.09),
    ),
}  # fmt: skip


def draw(pen: PIL.ImageDraw.ImageDraw, name: str, x: float, y: float, size: float, colour: str) -> None:
    """An emblem with its middle at (x, y) pixels, `size` pixels high."""
    for outline in EMBLEMS[name]:
        pen.polygon([(x + (px - 0.5) * size, y + (py - 0.5) * size) for px, py in outline], fill=colour)
