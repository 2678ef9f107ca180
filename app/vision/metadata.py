"""What a picture says about itself: which way is up, when it was taken. All of it may lie."""

from datetime import datetime

import PIL.Image
from PIL import ExifTags
from PIL.Image import Transpose

TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
EXIF_TIME = "%Y:%m:%d %H:%M:%S"


def read(image: PIL.Image.Image) -> tuple[int, datetime | None, list[str]]:
    """EXIF orientation 1 to 8 (for PNG and AVIF from XMP too), time taken, notes.

    The picture must be loaded, unless it is a JPEG: PNG tells at its end, and Pillow turns a TIFF while loading, after
    which it no longer names the tag.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation)
        orientation = orientation if orientation in TURNS else 1
        taken_at = _time(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal))
    except Exception:  # noqa: BLE001 - a third of damaged EXIF blocks raise, by any name; the pixels are fine
        return 1, None, ["its EXIF data is damaged and was ignored: it may lie on its side"]
    return orientation, taken_at, []


def upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Not ImageOps.exif_transpose: that also rewrites the EXIF block, and raises where it can't."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), EXIF_TIME)
    except ValueError:
        return None
