"""HEIF, the format of iPhones, through the optional pillow-heif."""

import functools
from importlib import metadata

from app.errors import UnreadableImage

SAFE_VERSION = (1, 7, 0)  # older ones bundle a libheif with code execution (CVE-2026-84383)


@functools.cache
def register_heif() -> None:
    """Make PIL.Image.open know the format. Raises UnreadableImage naming what to install."""
    try:
        version = metadata.version("pillow-heif")
    except metadata.PackageNotFoundError:
        raise _refusal("a HEIF picture (iPhone)") from None
    if tuple(int(part) for part in version.split(".")[:3] if part.isdigit()) < SAFE_VERSION:
        raise _refusal(f"a HEIF picture, and pillow-heif {version} is too old to be safe")
    import pillow_heif  # optional

    pillow_heif.register_heif_opener()


def _refusal(what: str) -> UnreadableImage:
    return UnreadableImage(f"{what}: run `pip install 'dinoseek[heif]'`, or save it as JPEG", "unsupported_format")
