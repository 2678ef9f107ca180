"""What a picture says about itself: which way is up, when it was taken. All of it may lie."""

from datetime import datetime
from typing import NamedTuple

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


class Metadata(NamedTuple):
    orientation: int = 1  # EXIF's, 1 to 8
    taken_at: datetime | None = None
    camera: str = ""  # maker and model
    located: bool = False  # it says where it was taken
    notes: tuple[str, ...] = ()


DAMAGED = Metadata(notes=("its EXIF data is damaged and was ignored: it may lie on its side",))


def read(image: PIL.Image.Image) -> Metadata:
    """From EXIF; for PNG and AVIF the orientation from XMP too.

    The picture must be loaded, unless it is a JPEG: PNG tells at its end, and Pillow turns a TIFF while loading, after
    which it no longer names the tag.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation)
        orientation = orientation if orientation in TURNS else 1
        taken_at = _time(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal))
        camera = " ".join(filter(None, (_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))))
        located = ExifTags.GPS.GPSLatitude in exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # noqa: BLE001 - a third of damaged EXIF blocks raise, by any name; the pixels are fine
        return DAMAGED
    return Metadata(orientation, taken_at, camera, located)


def upright(image: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Not ImageOps.exif_transpose: that also rewrites the EXIF block, and raises where it can't."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _text(value: object) -> str:
    """What a camera wrote, as text that any database and page takes."""
    letters = value if isinstance(value, str) else ""
    return "".join(letter for letter in letters[:60] if letter.isprintable() and letter.isascii()).strip()


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), EXIF_TIME)
    except ValueError:
        return None
