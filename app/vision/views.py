"""A decoded picture as an audit looks at it: the whole of it, small; and the digest of all its pixels."""

import hashlib

import numpy as np

from app.vision.pixels import Picture, box_px, scaled
from app.vision.preprocessing import Size

WHOLE = (0, 0, 1, 1)
VIEW_GAP = 3.0  # as of a thumbnail
DIGEST_ROWS = 64


def view(picture: Picture, long_side_px: int) -> np.ndarray:
    """The whole picture, uint8 (H, W, 3), its aspect kept: never larger than it is, at least 1 px on the short side."""
    size = view_size(picture.full, long_side_px)
    return np.asarray(scaled(picture, box_px(WHOLE, picture.full), size, VIEW_GAP))


def view_size(full: Size, long_side_px: int, oversampling: float = 1.0) -> Size:
    share = min(1, oversampling * long_side_px / max(full))
    height, width = (max(1, round(side * share)) for side in full)
    return height, width


def pixels_digest(picture: Picture) -> str:
    """SHA-256 of size and pixels, upright: the same for the same picture in whatever lossless container.

    Only of a picture that was decoded in full. Strip by strip: its bytes are never there twice.
    """
    image = picture.image
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    for top in range(0, image.height, DIGEST_ROWS):
        digest.update(image.crop((0, top, image.width, min(top + DIGEST_ROWS, image.height))).tobytes())
    return digest.hexdigest()
