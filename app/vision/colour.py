"""Any Pillow mode -> 8-bit sRGB on a white background. Each step is a rule that has to hold for years: vectors
are only comparable while it does, so a change here is a new preprocessing version."""

import functools
import io

import numpy as np
import PIL.Image
from PIL import ImageCms

BACKGROUND = (255, 255, 255)  # behind transparent pixels, whose hidden colours nobody is meant to see
DEEP_MODES = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
FULL_16_BIT = 65535
# In TIFF nothing says how many of the bits a camera used: the smallest depth that holds the brightest value
INTEGER_CEILINGS = (255, 1023, 4095, 16383, FULL_16_BIT)
REAL_CEILINGS = (1.0, 255.0, 65535.0)
PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # ICC colour space -> Pillow mode


def to_srgb(image: PIL.Image.Image) -> tuple[PIL.Image.Image, list[str]]:
    """The loaded picture as RGB, and notes on what had to be ignored."""
    profile = image.info.get("icc_profile")
    image = _flat(_eight_bits(image))
    if not profile or image.mode == "LAB":  # Lab is absolute: Pillow converts it as such
        return _as_mode(image, "RGB"), []
    try:
        return _as_mode(_converted(image, profile), "RGB"), []
    except (ImageCms.PyCMSError, KeyError, ValueError, OSError, TypeError):
        return _as_mode(image, "RGB"), ["its colour profile is damaged or does not fit, and was ignored"]


def _eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """Pillow's own conversion clips: a 16-bit grey of 40,000 would turn white, a float of 0.5 black."""
    if image.mode not in DEEP_MODES:
        return image
    values = np.asarray(image).astype(np.float32)
    values[~np.isfinite(values)] = 0
    low, high = _range(image, float(values.min()), float(values.max()))
    values -= low
    values *= 255 / ((high - low) or 1)  # a constant picture has no range
    return PIL.Image.fromarray(np.rint(values, out=values).clip(0, 255, out=values).astype(np.uint8))


def _range(image: PIL.Image.Image, darkest: float, brightest: float) -> tuple[float, float]:
    """What shall become black and white."""
    if image.mode != "F" and image.format != "TIFF" and darkest >= 0 and brightest <= FULL_16_BIT:
        return 0, FULL_16_BIT  # PNG and PPM define their full range
    ceilings = REAL_CEILINGS if image.mode == "F" else INTEGER_CEILINGS
    if darkest < 0 or brightest > ceilings[-1]:
        return darkest, brightest
    return 0, next(ceiling for ceiling in ceilings if brightest <= ceiling)


def _flat(image: PIL.Image.Image) -> PIL.Image.Image:
    """Without transparency: on the background."""
    if image.mode == "La":
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image
    image = _as_mode(image, "RGBA")
    ground = PIL.Image.new("RGB", image.size, BACKGROUND)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _converted(image: PIL.Image.Image, profile: bytes) -> PIL.Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if "srgb" in ImageCms.getProfileDescription(source).lower():
        return image  # most pictures: nothing to do, and no rounding
    mode = PROFILE_MODES[source.profile.xcolor_space.strip()]
    return ImageCms.profileToProfile(_as_mode(image, mode), source, _srgb(), outputMode="RGB")


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _as_mode(image: PIL.Image.Image, mode: str) -> PIL.Image.Image:
    return image if image.mode == mode else image.convert(mode)
