"""How a picture of any shape becomes what the network sees, as one table. Geometry only: imports no Pillow, no torch.

A row's name is part of every vector's key: whatever changes pixels, here, in `colour` or in `pixels`, needs a new one.
Sizes are (height, width) in pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.errors import InvalidInput, NotFound
from app.vision.architectures import PATCH_PX

Size = tuple[int, int]

MOST_ELONGATED = 16  # long side over short; what is longer is squeezed to it: else it would have no height left
MOST_STRETCH = 1 / 16  # of a grid's aspect against the picture's; allows 14 x 18 patches for 3:4, not only 13 x 17
MOST_SIDE_PX = 2044  # 146 patches; attention over more takes longer than anybody waits
CROP_SHARE = 256 / 224  # the short side before the crop, over the square cut from it


class Placement(NamedTuple):
    """Scale the picture to `resized`, then lay its top left corner at (top, left) of a canvas.

    Negative: what hangs over is cut off. What of the canvas stays bare is BACKGROUND.
    """

    resized: Size
    canvas: Size  # multiples of PATCH_PX
    top: int = 0
    left: int = 0


@dataclass(frozen=True)
class Preprocessing:
    """One row: a name for keys, and what it stands for."""

    name: str
    fit: Callable[[Size, int], Placement]
    side_px: int  # of the square; a grid has at most as many patches as that square
    # Per side, what a JPEG is decoded to at least, over what it is scaled to then; none: in full. See `draft`.
    oversampling: float | None = None
    # Down to so many times what it is scaled to, a picture is reduced by whole numbers first; none: never.
    reducing_gap: float | None = None

    def place(self, size: Size) -> Placement:
        """For a picture, or a box's part of one, of this size."""
        return self.fit(size, self.side_px)

    def allows(self, canvas: Size) -> bool:
        """Could `place` give this canvas? Answers of a decode child are held against it."""
        height, width = canvas
        whole = height > 0 and width > 0 and height % PATCH_PX == 0 and width % PATCH_PX == 0
        return whole and height * width <= self.side_px**2


def squash(size: Size, side: int) -> Placement:
    """The whole picture, its aspect lost."""
    return Placement((side, side), (side, side))


def pad(size: Size, side: int) -> Placement:
    """The whole picture in its own aspect, centred on the background."""
    long = side
    short = max(PATCH_PX, round(side / _elongation(size)))
    resized = (long, short) if _is_tall(size) else (short, long)
    return Placement(resized, (side, side), *((side - length) // 2 for length in resized))


def crop(size: Size, side: int) -> Placement:
    """The square in the middle, as the published evaluation and Hugging Face's processor take it.

    Both the long side and the offset are rounded down, where others round to even and land a pixel off.
    """
    short = round(side * CROP_SHARE)
    long = min(short * max(size) // min(size), short * MOST_ELONGATED)
    resized = (long, short) if _is_tall(size) else (short, long)
    return Placement(resized, (side, side), *(-((length - side) // 2) for length in resized))


def grid(size: Size, side: int) -> Placement:
    """The whole picture in nearly its own aspect, on as many patches as a square of `side` has, or a few less."""
    patches, elongation = (side // PATCH_PX) ** 2, _elongation(size)
    choices = [(short, _longest(short, elongation, patches)) for short in range(1, side // PATCH_PX + 1)]
    near = [choice for choice in choices if _stretch(choice, elongation) <= MOST_STRETCH]
    short, long = max(near, key=lambda choice: (math.prod(choice), -_stretch(choice, elongation)))
    canvas = (long * PATCH_PX, short * PATCH_PX) if _is_tall(size) else (short * PATCH_PX, long * PATCH_PX)
    return Placement(canvas, canvas)


def inside(size: Size, side: int) -> Placement:
    """The whole picture in its own aspect to the nearest patch, its long side no longer than `side`; never enlarged."""
    share = min(1, side / max(size))
    short = share * max(min(size), max(size) / MOST_ELONGATED)
    lengths = (share * max(size), short) if _is_tall(size) else (short, share * max(size))
    height, width = (max(1, round(length / PATCH_PX)) * PATCH_PX for length in lengths)
    return Placement((height, width), (height, width))


# fmt: off
PREPROCESSINGS: tuple[Preprocessing, ...] = (
    #             name            fit     side oversampling gap
    Preprocessing("squash224-v2", squash, 224, 2.0,         3.0),
    Preprocessing("squash336-v1", squash, 336, 2.0,         3.0),
    Preprocessing("squash168-v1", squash, 168, 2.0,         3.0),  # what dinoseek_tiny14 sees
    Preprocessing("squash140-v1", squash, 140, 2.0,         3.0),
    Preprocessing("pad224-v1",    pad,    224, 2.0,         3.0),
    Preprocessing("grid224-v1",   grid,   224, 2.0,         3.0),
    Preprocessing("grid336-v1",   grid,   336, 2.0,         3.0),
    Preprocessing("inside224-v1", inside, 224),  # as protocols of retrieval do it
    Preprocessing("crop224-v1",   crop,   224),  # as others do it, to the byte
    Preprocessing("squash224-v1", squash, 224),  # of collections made before
)
# fmt: on
DEFAULT = "squash224-v2"
DETAILED = "grid336-v1"  # of collections that keep detail: in its own aspect, a thing is the same wherever it stands


def get_preprocessing(name: str) -> Preprocessing:
    """A row by its name, or by `NAME@SIDE` at another side. Raises NotFound, listing what is known, or InvalidInput."""
    base, at, side = name.partition("@")
    found = next((row for row in PREPROCESSINGS if row.name == base), None)
    if found is None or (at and not (side.isascii() and side.isdigit())):
        known = ", ".join(row.name for row in PREPROCESSINGS)
        raise NotFound(f"no preprocessing is called {name!r}: choose one of {known}")
    return _at_side(found, int(side[:9])) if at else found


def at_side(name: str, side_px: int) -> str:
    """The name of the same at another side. Raises as `get_preprocessing` does."""
    return get_preprocessing(f"{name.partition('@')[0]}@{side_px}").name


def _at_side(row: Preprocessing, side_px: int) -> Preprocessing:
    if side_px == row.side_px:
        return row
    if side_px % PATCH_PX or not PATCH_PX <= side_px <= MOST_SIDE_PX:
        below = min(max(side_px // PATCH_PX * PATCH_PX, PATCH_PX), MOST_SIDE_PX)
        raise InvalidInput(
            f"a side of {side_px} px: the network takes multiples of {PATCH_PX} up to {MOST_SIDE_PX}; choose {below}"
        )
    return replace(row, name=f"{row.name}@{side_px}", side_px=side_px)


def _is_tall(size: Size) -> bool:
    return size[0] > size[1]


def _elongation(size: Size) -> float:
    """Long side over short, 1 to MOST_ELONGATED."""
    return min(max(size) / min(size), MOST_ELONGATED)


def _longest(short: int, elongation: float, patches: int) -> int:
    """As many patches along the long side as the stretch and the number in all allow."""
    return min(math.floor(short * elongation * (1 + MOST_STRETCH)), patches // short)


def _stretch(choice: Size, elongation: float) -> float:
    short, long = choice
    ratio = long / short / elongation
    return max(ratio, 1 / ratio) - 1
