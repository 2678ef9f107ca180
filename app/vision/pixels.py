"""Bytes to an upright RGB picture, and from there to what the network sees and what people see. Imports no torch.

Nothing here trusts its input: Pillow's plugins raise anything, and all of it leaves as UnreadableImage.
"""

import contextlib
import io
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
from PIL import JpegImagePlugin

from app.errors import InvalidInput, UnreadableImage
from app.vision import metadata
from app.vision.colour import BACKGROUND, to_srgb
from app.vision.contents import HEAD_BYTES, Contents, identify, sniff
from app.vision.heif import register_heif
from app.vision.preprocessing import DEFAULT, get_preprocessing

__all__ = ["Picture", "decode", "prepare", "sniff", "thumbnail"]

MAX_PIXELS = 64_000_000
THUMBNAIL_QUALITY = 80
THUMBNAIL_METHOD = 2  # of 0 to 6: half the time of the usual 4, for 3 % more bytes
TOO_MUCH_MEMORY = "decoding takes more memory than a picture may have: make it smaller or re-save it"
CUT_SHORT = re.compile(r"truncat|expected to read|unexpected end", re.IGNORECASE)
AGAIN = "copy it again from the source"
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """Decoded: upright, 8-bit sRGB, first frame."""

    image: PIL.Image.Image
    format: str
    frames: int
    taken_at: datetime | None  # by the camera's clock, whose zone nobody knows
    notes: tuple[str, ...]  # what had to be ignored to show it


def decode(source: Path | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS, name: str = "") -> Picture:
    """`name` only helps to say what a refused file is. Raises UnreadableImage for anything that goes wrong.

    One at a time in a process: Pillow's limits and Python's warnings are global. `app.vision.decoder` sees to that.
    """
    data, name = _bytes(source), name or (str(source) if isinstance(source, Path) else "")
    contents = identify(data[:HEAD_BYTES], Path(name).suffix.lower())
    if contents.kind != "picture":
        raise UnreadableImage(contents.reason, contents.code)
    with _refusals(contents, max_pixels):
        return _decode(data, contents, max_pixels)


def prepare(picture: Picture | PIL.Image.Image, box: Box | None = None, preprocessing: str = DEFAULT) -> np.ndarray:
    """What the network sees of the picture, or of the box's part of it: uint8 (H, W, 3), sides multiples of 14.

    Raises InvalidInput for the box, NotFound for the name of the preprocessing.
    """
    image = _image(picture)
    if box is not None:  # cut, not resize(box=...): that would let the surroundings shine in at the edges
        image = image.crop(box_px(box, image.size))
    placement = get_preprocessing(preprocessing).place((image.height, image.width))
    scaled = image.resize(placement.resized[::-1], PIL.Image.Resampling.BICUBIC)
    if placement.resized == placement.canvas:
        return np.asarray(scaled)
    canvas = PIL.Image.new("RGB", placement.canvas[::-1], BACKGROUND)
    canvas.paste(scaled, (placement.left, placement.top))
    return np.asarray(canvas)


def thumbnail(picture: Picture | PIL.Image.Image, long_side_px: int) -> bytes:
    """WebP without metadata, never larger than the picture, at least 1 px on the short side."""
    image = _image(picture)
    scale = min(1, long_side_px / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0)
    small.info = {}  # or Pillow would write the profile and EXIF into every thumbnail
    out = io.BytesIO()
    small.save(out, "WEBP", quality=THUMBNAIL_QUALITY, method=THUMBNAIL_METHOD)
    return out.getvalue()


def box_px(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Shares (x0, y0, x1, y1) of a picture of (width, height) -> whole pixels. Raises InvalidInput."""
    width, height = size
    if len(box) != 4 or not all(math.isfinite(side) and 0 <= side <= 1 for side in box):
        raise InvalidInput(f"box {box}: expected x0, y0, x1, y1 as shares from 0 to 1 of the upright picture")
    left, top, right, bottom = (round(side * length) for side, length in zip(box, (width, height) * 2, strict=True))
    if right <= left or bottom <= top:
        raise InvalidInput(
            f"box {box} covers no pixel of a picture {width} px wide and {height} px high: draw it larger"
        )
    return left, top, right, bottom


def _decode(data: bytes, contents: Contents, max_pixels: int) -> Picture:
    image = _open(data, contents, max_pixels)
    try:
        image.load()
    except Exception:
        if image.format != "MPO":
            raise
        image = _as_plain_jpeg(data)
    orientation, taken_at, notes = metadata.read(image)
    format, frames = image.format or contents.what, metadata.count_frames(data, image)
    upright = metadata.upright(image, orientation)
    image, ignored = to_srgb(upright)
    return Picture(image, format, frames, taken_at, (*notes, *ignored))


def _open(data: bytes, contents: Contents, max_pixels: int) -> PIL.Image.Image:
    if contents.what == "HEIF":
        register_heif()
    image = PIL.Image.open(io.BytesIO(data), formats=[contents.what])  # no other of Pillow's 43 plugins is tried
    if image.width * image.height > max_pixels:  # before load: nothing of that size was made yet
        raise _too_large(image.width * image.height, max_pixels)
    return image


def _as_plain_jpeg(data: bytes) -> PIL.Image.Image:
    """A camera's multi-picture file whose index is broken still begins with a whole JPEG."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.load()
    return image


@contextlib.contextmanager
def _refusals(contents: Contents, max_pixels: int) -> Iterator[None]:
    """Whatever happens inside leaves as UnreadableImage, in words."""
    try:
        with _pillow_set(max_pixels):
            yield
    except UnreadableImage:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as bomb:
        claimed = re.search(r"\((\d+) pixels\)", str(bomb))
        raise _too_large(int(claimed[1]) if claimed else None, max_pixels) from None
    except MemoryError:
        raise UnreadableImage(TOO_MUCH_MEMORY, "decoder_memory") from None
    except Exception as trouble:  # noqa: BLE001 - OSError, ValueError, SyntaxError, struct.error, ... by plugin
        raise _damaged(trouble, contents) from None


@contextlib.contextmanager
def _pillow_set(max_pixels: int) -> Iterator[None]:
    """Pillow's own limit, for what our look at the first frame's size does not see. Holds for the whole process."""
    usual = PIL.Image.MAX_IMAGE_PIXELS
    PIL.Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata we do without
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = usual


def _too_large(pixels: int | None, max_pixels: int) -> UnreadableImage:
    claimed = f"{pixels:,} pixels are" if pixels else "this is"
    return UnreadableImage(
        f"{claimed} over the limit of {max_pixels:,}: make the picture smaller or raise DINOSEEK_MAX_PIXELS",
        "too_large",
    )


def _damaged(trouble: Exception, contents: Contents) -> UnreadableImage:
    if isinstance(trouble, PIL.UnidentifiedImageError):
        return UnreadableImage(f"a damaged {contents.what}, its header can't be read: {AGAIN}", "damaged")
    detail = str(trouble).strip().split("\n", 1)[0][:120].rstrip(".") or type(trouble).__name__
    if isinstance(trouble, EOFError) or CUT_SHORT.search(detail):
        return UnreadableImage(f"this {contents.what} is cut short ({detail}): {AGAIN}", "truncated")
    return UnreadableImage(f"a damaged {contents.what} ({detail}): {AGAIN}", "damaged")


def _bytes(source: Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes() if isinstance(source, Path) else source.read()
    except OSError as refusal:
        raise UnreadableImage(f"the file can't be read: {refusal.strerror or refusal}", "unreadable") from None


def _image(picture: Picture | PIL.Image.Image) -> PIL.Image.Image:
    return picture.image if isinstance(picture, Picture) else picture
