"""What a comparison found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """Of a first picture and a second one. Shares are 0..1."""

    score: float = 0.0  # how far the aligned pictures agree: what a threshold is set on
    area: float = 0.0  # share of the smaller picture that is in the other
    warp: tuple[float, ...] | None = None  # 2 x 3 by rows, from shares of the first to shares of the second
    scene: bool = False  # the same thing or place, in another shot
    map: tuple[float, ...] | None = None  # the same in pixels of the two views
    sizes: tuple[int, int, int, int] = (1, 1, 1, 1)  # height and width of the first view and of the second
    inside: float = 1.0  # share of the first that is within the second
    filled: float = 1.0  # share of the second that the first fills
    bordered: bool = False  # what the first does not fill is of one colour
    covered: float = 0.0  # share of the overlap where something else lies upon it
    blur: float = 0.0  # by how much the second is blurrier, in pixels of the frame; below 0, the first
    recoloured: float = 0.0  # grey levels by which colours differ, the finest detail left out
    residue: float = 0.0  # grey levels that remain after the colours are made alike
