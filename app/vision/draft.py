"""JPEG at a half, a quarter or an eighth of its sides, straight from the decoder's transform: no full picture is made.

All bits are read all the same, so a file cut short is still refused.
"""

from collections.abc import Callable
from typing import NamedTuple

from PIL.JpegImagePlugin import JpegImageFile

from app.vision import metadata
from app.vision.preprocessing import Size

Least = Callable[[Size], Size]  # a file's upright size -> the size it must be decoded at, at least
# EXIF orientations by what brings a stored picture upright: transpose it, then mirror it left to right, top to bottom
TRANSPOSED, MIRRORED_X, MIRRORED_Y = frozenset((5, 6, 7, 8)), frozenset((2, 3, 6, 7)), frozenset((3, 4, 7, 8))


class Reduction(NamedTuple):
    """Where a point of the full picture lies on the one that was decoded.

    The pixels at the far edges stand for less than `scale` of the file's, unless its sides are multiples of it. Taken
    for whole, they would stretch the picture: cosine 0.991 to the full one, where this keeps 0.9998.
    """

    scale: int  # of the file's pixels a side, in one of ours
    left: float = 0.0  # where the picture begins: past 0 when the far edge was mirrored to the front
    top: float = 0.0

    def locate(self, part: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels of the full picture -> in those of the decoded one."""
        left, top, right, bottom = (edge / self.scale for edge in part)
        return self.left + left, self.top + top, self.left + right, self.top + bottom


WHOLE_SCALE = Reduction(1)


def draft(image: JpegImageFile, least: Least) -> tuple[Size, Reduction]:
    """Have a picture that is not loaded yet decoded at the smallest scale that keeps both sides at `least`.

    Returns the file's upright size too, which the picture itself no longer tells.
    """
    orientation = metadata.read(image).orientation
    turned = -1 if orientation in TRANSPOSED else 1
    width, height = image.size[::turned]
    wanted = least((height, width))[::-1]
    drafted = image.draft(None, wanted[::turned])
    if drafted is None:  # not laid out as a JPEG of our own plugin is
        return (height, width), WHOLE_SCALE
    exact_width, exact_height = drafted[1][2:][::turned]
    decoded_width, decoded_height = image.size[::turned]
    left = decoded_width - exact_width if orientation in MIRRORED_X else 0.0
    top = decoded_height - exact_height if orientation in MIRRORED_Y else 0.0
    return (height, width), Reduction(round(width / exact_width), left, top)
