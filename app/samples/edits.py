"""Edited copies: what people and programs do to a picture, and where its objects lie afterwards."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageEnhance
import PIL.ImageFont
import PIL.ImageOps

ORIENTATION = 0x0112  # the EXIF tag
START_OF_SCAN = 0xDA  # the JPEG marker before the compressed pixels
Map = tuple[float, float, float, float, float, float]  # x' = a·x + b·y + c, y' = d·x + e·y + f, in shares
SAME: Map = (1, 0, 0, 0, 1, 0)
MIRROR: Map = (-1, 0, 1, 0, 1, 0)
TURN: Map = (0, -1, 1, 1, 0, 0)  # a quarter turn clockwise
Box = tuple[float, float, float, float]
Altered = tuple[PIL.Image.Image, Map]


@dataclass(frozen=True)
class Edit:
    """`tier` is what an audit should say: identical, same_pixels or edited."""

    tier: str
    alter: Callable[[PIL.Image.Image, np.random.Generator], Altered]
    ending: str  # of the file's stem
    suffix: str | None = None  # None: the original's
    folder: str | None = None  # None: beside the original
    quality: int = 90
    tag: int | None = None  # orientation to write

    def path(self, original: str, index: int) -> str:
        """Where the copy of `original` lies; `index` keeps names apart."""
        source = PurePosixPath(original)
        stem = f"IMG_{2000 + index * 7}" if self.folder == "phone" else f"{source.stem}{self.ending}-{index}"
        return f"{self.folder or source.parent}/{stem}.{self.suffix or source.suffix[1:]}"


def keep(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    return picture, SAME


def shrink(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    share = rng.uniform(0.4, 0.6)
    return picture.resize(
        (round(picture.width * share), round(picture.height * share)), PIL.Image.Resampling.LANCZOS
    ), SAME


def crop(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    """Keep 70 % of each side."""
    share = 0.7
    left, top = rng.uniform(0, 1 - share, 2)
    box = [round(left * picture.width), round(top * picture.height)]
    box += [box[0] + round(share * picture.width), box[1] + round(share * picture.height)]
    return picture.crop(tuple(box)), (1 / share, 0, -left / share, 0, 1 / share, -top / share)


def mirror(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    return PIL.ImageOps.mirror(picture), MIRROR


def turn(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    return picture.transpose(PIL.Image.Transpose.ROTATE_270), TURN


def tag_turn(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    """The pixels stay; the tag alone makes viewers show them turned."""
    return picture, TURN


def black_and_white(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    grey = PIL.ImageEnhance.Contrast(PIL.ImageOps.grayscale(picture)).enhance(1.15)
    return grey.convert("RGB"), SAME


def recolour(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    """A warm or a cool filter, with more or less colour."""
    gains = np.array([1.16, 1.0, 0.80] if rng.random() < 0.5 else [0.84, 1.0, 1.18], np.float32)
    tinted = np.clip(np.asarray(picture, np.float32) * gains + 6, 0, 255).astype(np.uint8)
    return PIL.ImageEnhance.Color(PIL.Image.fromarray(tinted)).enhance(rng.choice([0.6, 1.4])), SAME


def caption(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    """Words across the lower edge, as on a card."""
    words = str(rng.choice(["wish you were here", "greetings!", "summer 2023", "a day to remember", "for the album"]))
    written = picture.copy()
    pen = PIL.ImageDraw.Draw(written, "RGBA")
    font = PIL.ImageFont.load_default(picture.height // 13)
    middle = picture.width / 2, picture.height * 0.88
    pen.rectangle([0, picture.height * 0.81, picture.width, picture.height * 0.95], fill=(20, 20, 30, 110))
    pen.text(middle, words, font=font, fill=(255, 250, 235, 255), anchor="mm")
    return written, SAME


def pad(picture: PIL.Image.Image, rng: np.random.Generator) -> Altered:
    """A frame of white or black, as printed or posted."""
    margin = round(0.09 * min(picture.size))
    framed = PIL.ImageOps.expand(picture, margin, str(rng.choice(["white", "black", "#f3ead7"])))
    across, down = picture.width / framed.width, picture.height / framed.height
    return framed, (across, 0, margin / framed.width, 0, down, margin / framed.height)


EDITS: dict[str, Edit] = {
    "byte-copy": Edit("identical", keep, "", folder="backup"),
    "resized": Edit("edited", shrink, "-small"),
    "recompressed": Edit("edited", keep, "-web", suffix="jpg", quality=30, folder="shared"),
    "cropped": Edit("edited", crop, "-crop"),
    "mirrored": Edit("edited", mirror, "-flipped"),
    "rotated": Edit("edited", turn, "-turned"),
    "orientation-tag": Edit("edited", tag_turn, "", suffix="jpg", folder="phone", tag=6),
    "black-and-white": Edit("edited", black_and_white, "-bw"),
    "recoloured": Edit("edited", recolour, "-filter"),
    "captioned": Edit("edited", caption, "-card", folder="shared"),
    "padded": Edit("edited", pad, "-framed", folder="shared"),
    "same-pixels": Edit("same_pixels", keep, "-lossless", suffix="png"),
}


def copy_bytes(name: str, source: Path, suffix: str, rng: np.random.Generator) -> tuple[bytes, Map]:
    """The bytes of an edited copy of `source`, and how shares of the original move."""
    edit = EDITS[name]
    if edit.tier == "identical":
        return source.read_bytes(), SAME
    with PIL.Image.open(source) as opened:
        exif = opened.getexif()
        if edit.tag:
            exif[ORIENTATION] = edit.tag
        if edit.tag and opened.format == "JPEG":
            return _retagged(source.read_bytes(), exif), TURN
        altered, moved = edit.alter(opened.convert("RGB"), rng)
        return encoded(altered, suffix, edit.quality, exif), moved


def _retagged(jpeg: bytes, exif: PIL.Image.Exif) -> bytes:
    """The same compressed pixels under other EXIF: the old block is cut out, the new one put first."""
    payload = exif.tobytes()
    block = b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload
    at, kept = 2, b""
    while jpeg[at + 1] != START_OF_SCAN:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if not jpeg[at + 4 : end].startswith(b"Exif\x00"):
            kept += jpeg[at:end]
        at = end
    return jpeg[:2] + block + kept + jpeg[at:]


def encoded(picture: PIL.Image.Image, suffix: str, quality: int, exif: PIL.Image.Exif) -> bytes:
    """A file's bytes: JPEG, WebP or PNG by suffix; `quality` is for the lossy two."""
    options = {
        "jpg": {"format": "JPEG", "quality": quality, "optimize": True},
        "webp": {"format": "WEBP", "quality": quality, "method": 3},
        "png": {"format": "PNG", "compress_level": 6},
    }[suffix]
    out = io.BytesIO()
    picture.save(out, exif=exif, **options)
    return out.getvalue()


def moved_box(box: Box, move: Map) -> tuple[Box, float]:
    """Where a box lies after an edit, cut to the picture, and the area it had before the cut."""
    a, b, c, d, e, f = move
    x0, x1 = sorted((a * box[0] + b * box[1] + c, a * box[2] + b * box[3] + c))
    y0, y1 = sorted((d * box[0] + e * box[1] + f, d * box[2] + e * box[3] + f))
    clipped = np.clip([x0, y0, x1, y1], 0, 1)
    return tuple(float(edge) for edge in clipped), (x1 - x0) * (y1 - y0)
