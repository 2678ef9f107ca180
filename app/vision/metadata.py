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
CAMERA_CHARS = 100  # what a picture says of itself may be as long as it likes


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


def origin(image: PIL.Image.Image) -> tuple[str | None, bool]:
    """The camera by make and model, and whether a GPS position is told. The picture must be loaded, as for `read`."""
    try:
        exif = image.getexif()
        told = [str(exif.get(tag) or "").strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
        camera = " ".join(dict.fromkeys(part for part in told if part))
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        located = ExifTags.GPS.GPSLatitude in gps and ExifTags.GPS.GPSLongitude in gps
    except Exception:  # noqa: BLE001 - as in `read`
        return None, False
    return "".join(letter if letter.isprintable() else " " for letter in camera)[:CAMERA_CHARS] or None, located


def upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Not ImageOps.exif_transpose: that also rewrites the EXIF block, and raises where it can't."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), EXIF_TIME)
    except ValueError:
        return None
