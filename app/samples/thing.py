"""Thing: one distinct object that recurs from scene to scene, always drawn the same."""

from collections.abc import Callable
from dataclasses import dataclass

from app.samples.sketch import Sketch


@dataclass(frozen=True)
class Thing:
    """One entry of the cast."""

    name: str
    habitat: str  # where it may stand: sky, water, landmark, road, table, wall, floor, sill, furniture
    size: float  # height relative to others of its habitat
    draw: Callable[[], Sketch]
    glow: tuple[float, float, float, str] | None = None  # (x, y, radius, colour) in shares of the sprite, after dark
