"""Bytes to an upright RGB picture, and from there to what the network sees and what people see. Imports no torch.

Nothing here trusts its input: Pillow's plugins raise anything, and all of it leaves as UnreadableImage.
"""

import contextlib
import io
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
from PIL import JpegImagePlugin

from app.errors import AppError, InvalidInput, UnreadableImage
from app.vision import metadata
from app.vision.colour import BACKGROUND, to_srgb
from app.vision.contents import HEAD_BYTES, Contents, identify, sniff
from app.vision.draft import WHOLE_SCALE, Least, Reduction, draft
from app.vision.frames import count_frames
from app.vision.heif import register_heif
from app.vision.preprocessing import DEFAULT, Size, get_preprocessing
from app.vision.wholeness import refuse_filled

__all__ = ["Picture", "cut", "decode", "fitted", "least_size", "prepare", "sniff", "thumbnail", "view"]

MAX_PIXELS = 64_000_000
THUMBNAIL_QUALITY = 75
THUMBNAIL_GAP = 3.0  # reduced by whole numbers while three times larger than wanted, then scaled
THUMBNAIL_FILTER = PIL.Image.Resampling.HAMMING  # nearly as sharp as bicubic, in three fifths of its time
THUMBNAIL_METHOD = 0  # of 0 to 6: with 75, as many bytes as 80 has with 2 in half the time, at 1 dB less
TOO_MUCH_MEMORY = "decoding takes more memory than a picture may have: make it smaller or re-save it"
CUT_SHORT = re.compile(r"truncat|expected to read|unexpected end", re.IGNORECASE)
AGAIN = "copy it again from the source"
Box = tuple[float, float, float, float]
WHOLE: Box = (0, 0, 1, 1)


@dataclass(frozen=True)
class Picture:
    """Decoded: upright, 8-bit sRGB, first frame."""

    image: PIL.Image.Image
    full: Size  # of the file, upright; `image` is smaller where it was decoded at reduced scale
    reduction: Reduction = WHOLE_SCALE
    format: str = ""
    frames: int = 1
    taken_at: datetime | None = None  # by the camera's clock, whose zone nobody knows
    camera: str = ""
    located: bool = False  # it says where it was taken
    notes: tuple[str, ...] = ()  # what had to be ignored to show it


def decode(
    source: Path | bytes | BinaryIO,
    *,
    max_pixels: int = MAX_PIXELS,
    name: str = "",
    least: Least | None = None,
    upright: bool = True,
) -> Picture:
    """`name` only helps to say what a refused file is. Raises UnreadableImage for anything that goes wrong.

    `least` tells for the file's upright size at what size it must be decoded at least; without it, in full.
    `upright` is not asked for where others measured in the pixels of the file as it is stored.
    One at a time in a process: Pillow's limits and Python's warnings are global. `app.vision.decoder` sees to that.
    """
    data, name = _bytes(source), name or (str(source) if isinstance(source, Path) else "")
    contents = identify(data[:HEAD_BYTES], Path(name).suffix.lower())
    if contents.kind != "picture":
        raise UnreadableImage(contents.reason, contents.code)
    with _refusals(contents, max_pixels):
        return _decode(data, contents, max_pixels, least, upright)


def prepare(picture: Picture | PIL.Image.Image, box: Box | None = None, preprocessing: str = DEFAULT) -> np.ndarray:
    """What the network sees of the picture, or of the box's part of it: uint8 (H, W, 3), sides multiples of 14.

    Raises InvalidInput for the box, NotFound for the name of the preprocessing.
    """
    picture, row = _as_picture(picture), get_preprocessing(preprocessing)
    part = box_px(box or WHOLE, picture.full)
    placement = row.place(_size(part))
    scaled = _scaled(picture, part, placement.resized, row.reducing_gap)
    if placement.resized == placement.canvas:
        return np.asarray(scaled)
    canvas = PIL.Image.new("RGB", placement.canvas[::-1], BACKGROUND)
    canvas.paste(scaled, (placement.left, placement.top))
    return np.asarray(canvas)


def cut(picture: Picture, box: Box) -> Picture:
    """What lies within (left, top, right, bottom) in pixels, of a picture decoded in full.

    Sides are rounded, and what lies beyond the picture is black: so Pillow crops, and protocols with it. Raises
    InvalidInput for a box beside the picture, or one that is twice as long or more.
    """
    height, width = picture.full
    left, top, right, bottom = map(round, box)
    beside = right <= max(left, 0) or bottom <= max(top, 0) or left >= width or top >= height
    if beside or right - left >= 2 * width or bottom - top >= 2 * height:
        raise InvalidInput(f"box {box} in pixels is no part of a picture {width} px wide and {height} px high")
    part = picture.image.crop((left, top, right, bottom))
    return replace(picture, image=part, full=(part.height, part.width))


def thumbnail(picture: Picture | PIL.Image.Image, long_side_px: int) -> bytes:
    """WebP without metadata, never larger than the picture, at least 1 px on the short side."""
    picture = _as_picture(picture)
    size = fitted(picture.full, long_side_px)
    small = _scaled(picture, box_px(WHOLE, picture.full), size, THUMBNAIL_GAP, THUMBNAIL_FILTER)
    small.info = {}  # or Pillow would write the profile and EXIF into every thumbnail
    out = io.BytesIO()
    small.save(out, "WEBP", quality=THUMBNAIL_QUALITY, method=THUMBNAIL_METHOD)
    return out.getvalue()


def view(picture: Picture, long_side_px: int) -> np.ndarray:
    """The upright picture for comparison with others: uint8 (H, W, 3), never larger than the picture."""
    size = fitted(picture.full, long_side_px)
    return np.asarray(_scaled(picture, box_px(WHOLE, picture.full), size, THUMBNAIL_GAP))


def fitted(full: Size, long_side_px: int) -> Size:
    """The size that fits, at least 1 px on the short side, never larger than `full`."""
    share = min(1, long_side_px / max(full))
    height, width = (max(1, round(side * share)) for side in full)
    return height, width


def least_size(full: Size, preprocessing: str = DEFAULT, box: Box | None = None, thumbnail_px: int = 0) -> Size:
    """What `decode` must keep of a picture so that `prepare` and `thumbnail` lose nothing. Raises as `prepare` does."""
    row = get_preprocessing(preprocessing)
    if row.oversampling is None:
        return full
    part = _size(box_px(box or WHOLE, full))
    wanted = [row.oversampling * seen / there for seen, there in zip(row.place(part).resized, part, strict=True)]
    shares = [min(1, max(share, thumbnail_px / max(full))) for share in wanted]
    height, width = (math.ceil(side * share) for side, share in zip(full, shares, strict=True))
    return height, width


def box_px(box: Box, size: Size) -> tuple[int, int, int, int]:
    """Shares (x0, y0, x1, y1) of a picture -> whole pixels. Raises InvalidInput."""
    height, width = size
    if len(box) != 4 or not all(math.isfinite(side) and 0 <= side <= 1 for side in box):
        raise InvalidInput(f"box {box}: expected x0, y0, x1, y1 as shares from 0 to 1 of the upright picture")
    left, top, right, bottom = (round(side * length) for side, length in zip(box, (width, height) * 2, strict=True))
    if right <= left or bottom <= top:
        raise InvalidInput(
            f"box {box} covers no pixel of a picture {width} px wide and {height} px high: draw it larger"
        )
    return left, top, right, bottom


def _decode(data: bytes, contents: Contents, max_pixels: int, least: Least | None, turn: bool) -> Picture:
    image = _open(data, contents, max_pixels)
    drafted = draft(image, least) if least and isinstance(image, JpegImagePlugin.JpegImageFile) else None
    try:
        image.load()
    except Exception:
        if image.format != "MPO":
            raise
        image, drafted = _as_plain_jpeg(data), None
    refuse_filled(data, image)
    told = metadata.read(image)
    format, frames = image.format or contents.what, count_frames(data, image)
    upright = metadata.upright(image, told.orientation) if turn else image
    full, reduction = drafted or ((upright.height, upright.width), WHOLE_SCALE)
    image, ignored = to_srgb(upright)
    said = (told.taken_at, told.camera, told.located, (*told.notes, *ignored))
    return Picture(image, full, reduction, format, frames, *said)


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
    except AppError:
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
    said = "".join(letter if letter.isprintable() else " " for letter in str(trouble).strip().split("\n", 1)[0][:120])
    detail = said.rstrip(". ") or type(trouble).__name__  # NUL and half characters are none that a database keeps
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


def _as_picture(picture: Picture | PIL.Image.Image) -> Picture:
    return picture if isinstance(picture, Picture) else Picture(picture, (picture.height, picture.width))


def _size(part: tuple[int, int, int, int]) -> Size:
    left, top, right, bottom = part
    return bottom - top, right - left


def _scaled(
    picture: Picture,
    part: tuple[int, int, int, int],
    size: Size,
    gap: float | None,
    filter: PIL.Image.Resampling = PIL.Image.Resampling.BICUBIC,
) -> PIL.Image.Image:
    """A part of the full picture, in its pixels, scaled from what was decoded of it.

    Cut out first: `resize(box=...)` alone would let the surroundings shine in at the edges.
    """
    image, (left, top, right, bottom) = picture.image, picture.reduction.locate(part)
    cut = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
    if cut != (0, 0, *image.size):
        image = image.crop(cut)
    within = (left - cut[0], top - cut[1], right - cut[0], bottom - cut[1])
    return image.resize(size[::-1], filter, within, gap)
