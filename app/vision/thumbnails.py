"""Smaller copies of thumbnails that dinoseek made."""

import io

import PIL.Image

from app.vision import pixels


def smaller(webp: bytes, long_side_px: int) -> bytes:
    """A thumbnail's WebP, made to fit. Raises OSError when it is damaged."""
    with PIL.Image.open(io.BytesIO(webp), formats=["WEBP"]) as kept:
        return pixels.thumbnail(kept, long_side_px)
