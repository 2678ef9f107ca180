"""From bytes to an upright sRGB picture: what each kind of picture must become, with values to check by hand."""

import io
import struct
import warnings
import zlib
from datetime import datetime

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms, ImageFile

from app.errors import InvalidInput, UnreadableImage
from app.vision import pixels
from app.vision.colour import to_srgb
from app.vision.metadata import TURNS

ORIENTATION, EXIF_IFD, TAKEN = 0x0112, 0x8769, 0x9003


def encoded(image: PIL.Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def first_pixel(data: bytes) -> tuple[int, int, int]:
    picture = pixels.decode(data)
    assert picture.image.mode == "RGB"
    return picture.image.getpixel((0, 0))


def refusal(data: bytes, **options) -> tuple[str, str]:
    with pytest.raises(UnreadableImage) as refused:
        pixels.decode(data, **options)
    assert "\n" not in str(refused.value)
    return refused.value.code, str(refused.value)


@pytest.fixture
def photo() -> PIL.Image.Image:
    """Smooth, and different in every corner."""
    y, x = np.mgrid[0:60, 0:90]
    return PIL.Image.fromarray(np.stack([x * 2, y * 4, 255 - x - y], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM"])
def test_every_allowed_format_opens_as_itself(photo, format):
    picture = pixels.decode(encoded(photo, format))
    assert (picture.format, picture.image.size, picture.image.mode, picture.frames) == (format, (90, 60), "RGB", 1)
    assert np.abs(np.asarray(picture.image).astype(int) - np.asarray(photo)).mean() < 12


@pytest.mark.parametrize("format", ["TGA", "ICO", "PCX", "SGI", "DDS", "EPS", "PDF"])
def test_pillow_s_other_formats_are_refused(photo, format):
    assert refusal(encoded(photo, format))[0] in ("unsupported_format", "not_a_picture")


# -- depth, transparency, colour ------------------------------------------------------------------------------------


def grey16(value: int, format: str, mode: str = "I;16") -> bytes:
    values = np.full((4, 4), value, ">u2" if mode == "I;16B" else "<u2")
    return encoded(PIL.Image.frombytes(mode, (4, 4), values.tobytes()), format)


def test_16_bit_grey_is_scaled_not_clipped():
    assert first_pixel(grey16(40_000, "PNG")) == (156,) * 3  # 40,000 / 257
    assert first_pixel(grey16(65_535, "PNG")) == (255,) * 3
    assert first_pixel(grey16(1_000, "PNG")) == (4,) * 3
    assert first_pixel(grey16(40_000, "TIFF")) == (156,) * 3
    assert first_pixel(grey16(40_000, "TIFF", "I;16B")) == (156,) * 3


def test_12_bits_in_16_use_their_own_range():
    values = np.array([[0, 2048], [4095, 1]], "<u2")
    data = encoded(PIL.Image.frombytes("I;16", (2, 2), values.tobytes()), "TIFF")
    assert np.asarray(pixels.decode(data).image)[..., 0].tolist() == [[0, 128], [255, 0]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
        ([[0.0, 51.0, 255.0]], [[0, 51, 255]]),
        ([[-1.0, 0.0, 1.0]], [[0, 128, 255]]),
        ([[0.0, 5e8, 1e9]], [[0, 128, 255]]),
        ([[-3.0, -3.0, -3.0]], [[0, 0, 0]]),
        ([[np.nan, np.inf, 1.0]], [[0, 0, 255]]),
    ],
)
def test_float_is_scaled_by_the_range_it_uses(values, expected):
    data = encoded(PIL.Image.fromarray(np.array(values, np.float32)), "TIFF")
    assert np.asarray(pixels.decode(data).image)[..., 0].tolist() == expected


def test_32_bit_integers_are_scaled_too():
    data = encoded(PIL.Image.fromarray(np.array([[0, 128, 255]], np.int32)), "TIFF")
    assert np.asarray(pixels.decode(data).image)[..., 0].tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF"])
def test_what_is_transparent_is_white_whatever_colour_it_hides(format):
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    data = encoded(PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 0)), format, **options)
    assert first_pixel(data) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("LA", (0, 128), (127, 127, 127)),
        ("PA", None, None),
        ("La", (0, 128), (127, 127, 127)),
        ("RGBa", (128, 0, 0, 128), (255, 127, 127)),
    ],
)
def test_half_transparent_lies_on_white(mode, colour, expected):
    if mode == "PA":
        image, expected = PIL.Image.new("RGBA", (8, 8), (255, 0, 0, 128)).convert("PA"), (255, 127, 127)
    else:
        image = PIL.Image.new(mode, (8, 8), colour)
    assert to_srgb(image)[0].getpixel((0, 0)) == expected


def test_a_palette_with_one_transparent_entry_lies_on_white():
    image = PIL.Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((7, 7), 1)
    picture = pixels.decode(encoded(image, "PNG", transparency=0)).image
    assert (picture.getpixel((0, 0)), picture.getpixel((7, 7))) == ((255, 255, 255), (0, 0, 255))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F"])
def test_every_mode_becomes_rgb_and_keeps_black_and_white_apart(mode):
    ramp = PIL.Image.linear_gradient("L")
    image = ramp.convert("RGB").convert(mode) if mode not in "IF" else ramp.convert(mode)
    column = np.asarray(pixels.decode(encoded(image, "TIFF")).image)[:, 0].mean(axis=-1)
    assert column[0] < 30
    assert column[-1] > 225


def test_a_wide_profile_is_brought_to_srgb_and_a_broken_one_only_noted(photo):
    assert pixels.decode(encoded(photo, "PNG", icc_profile=b"nonsense")).notes == (
        "its colour profile is damaged or does not fit, and was ignored",
    )
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert pixels.decode(encoded(photo, "PNG", icc_profile=lab)).notes
    swapped = swapped_primaries()
    converted = pixels.decode(encoded(PIL.Image.new("RGB", (4, 4), (255, 0, 0)), "PNG", icc_profile=swapped))
    assert converted.notes == ()
    assert converted.image.getpixel((0, 0))[1] > 200  # its red is our green


def swapped_primaries() -> bytes:
    """An sRGB profile whose red and green primaries changed places, and that calls itself otherwise."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


# -- metadata -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_turned_picture_is_shown_upright(photo, orientation, format):
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    stored = photo.transpose(TURNS[undo]) if undo in TURNS else photo
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    if format == "TIFF":
        data = encoded(stored, format, tiffinfo={ORIENTATION: orientation})
    else:
        data = encoded(stored, format, exif=exif, quality=95)
    upright = pixels.decode(data).image
    assert upright.size == (90, 60)
    assert np.abs(np.asarray(upright).astype(int) - np.asarray(photo)).mean() < 6


@pytest.mark.parametrize(
    "told", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_picture_with_a_damaged_exif_block_is_shown_without(photo, told):
    picture = pixels.decode(encoded(photo, "JPEG", exif=told))
    assert picture.image.size == (90, 60)
    assert picture.taken_at is None


def test_an_exif_block_that_raises_is_noted(photo):
    broken = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0"
    notes = pixels.decode(encoded(photo, "JPEG", exif=broken + b"\6")).notes
    assert notes in ((), ("its EXIF data is damaged and was ignored: it may lie on its side",))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2019:07:14 12:34:56", datetime(2019, 7, 14, 12, 34, 56)),
        ("2019:07:14 12:34:56\0", datetime(2019, 7, 14, 12, 34, 56)),
        ("0000:00:00 00:00:00", None),
        ("2019:02:30 12:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_time_taken_is_read_where_it_is_one(photo, written, read):
    exif = PIL.Image.Exif()
    exif.get_ifd(EXIF_IFD)[TAKEN] = written
    assert pixels.decode(encoded(photo, "JPEG", exif=exif)).taken_at == read


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "PNG", "AVIF"])
def test_of_several_frames_the_first_is_shown_and_all_are_counted(format):
    frames = [PIL.Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    picture = pixels.decode(encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100))
    assert picture.frames == 3
    red, green, blue = picture.image.getpixel((8, 8))
    assert red > 240 and green < 20 and blue < 20


# -- refusals -------------------------------------------------------------------------------------------------------


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 14_000, 60_000])
def test_too_many_pixels_are_refused_before_they_are_made(side):
    code, said = refusal(png(side, side))
    assert code == "too_large"
    assert said.startswith(
        f"{side * side:,} pixels are over the limit of 64,000,000: make the picture smaller or raise"
    )


def test_a_raised_limit_is_honoured_past_pillow_s_own():
    assert refusal(png(14_000, 14_000), max_pixels=200_000_000)[0] in ("truncated", "damaged")


def test_the_limit_is_counted_in_pixels_and_inclusive(photo):
    assert pixels.decode(encoded(photo, "PNG"), max_pixels=90 * 60)
    assert refusal(encoded(photo, "PNG"), max_pixels=90 * 60 - 1)[0] == "too_large"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_file_cut_short_is_refused(format, share):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = encoded(PIL.Image.fromarray(noise), format)
    code, said = refusal(data[: int(len(data) * share)])
    assert code in ("truncated", "damaged"), said


def test_nothing_fills_what_is_missing():
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_damaged_files_are_decoded_or_refused_in_words(photo):
    """Bits flipped all over ten formats: every one ends as a picture or as a sentence."""
    rng = np.random.default_rng(5)
    for format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM"):
        data = np.frombuffer(encoded(photo, format), np.uint8)
        for _ in range(40):
            mutated = data.copy()
            mutated[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4, dtype=np.uint8)
            try:
                assert pixels.decode(mutated.tobytes(), max_pixels=2**20).image.mode == "RGB"
            except UnreadableImage as refused:
                assert refused.code
                assert 10 < len(str(refused)) < 300


def test_warnings_stay_inside(photo):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels.decode(encoded(photo, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))


def test_a_multi_picture_file_whose_index_is_broken_is_read_as_the_jpeg_it_begins_with(photo):
    data = bytearray(encoded(photo, "MPO", save_all=True, append_images=[photo]))
    index = data.index(b"MPF\0")
    data[index + 4 : index + 12] = b"\xff" * 8
    assert pixels.decode(bytes(data)).image.size == (90, 60)


def test_heif_names_what_to_install_where_it_is_not():
    heic = b"\0\0\0\x20ftypheic\0\0\0\0mif1heicmiaf" + bytes(64)
    code, said = refusal(heic)
    assert code in ("unsupported_format", "damaged")
    assert code == "damaged" or "dinoseek[heif]" in said


# -- prepare and thumbnail ------------------------------------------------------------------------------------------


def test_the_whole_picture_is_squashed_borders_and_all():
    wide = PIL.Image.new("RGB", (1000, 100), "black")
    wide.paste("white", (900, 0, 1000, 100))
    square = pixels.prepare(wide)
    assert square.shape == (224, 224, 3)
    assert square.dtype == np.uint8
    assert square[:, :190].max() < 20  # a centre crop would have cut the white away
    assert square[:, 210:].min() > 235


def test_a_box_is_that_part_alone():
    halves = PIL.Image.new("RGB", (100, 50), "black")
    halves.paste("white", (50, 0, 100, 50))
    assert pixels.prepare(halves, (0, 0, 0.5, 1)).max() == 0
    assert pixels.prepare(halves, (0.5, 0, 1, 1)).min() == 255


def test_a_picture_of_one_pixel_is_a_picture():
    assert (pixels.prepare(PIL.Image.new("RGB", (1, 1), (10, 20, 30))) == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0.2, 0.2, 0.2, 0.8), "covers no pixel"),
        ((0.9, 0, 0.1, 1), "covers no pixel"),
        ((0.500, 0, 0.501, 1), "covers no pixel of a picture 100 px wide and 50 px high"),
        ((-0.1, 0, 1, 1), "shares from 0 to 1"),
        ((0, 0, 1.1, 1), "shares from 0 to 1"),
        ((0, 0, float("nan"), 1), "shares from 0 to 1"),
        ((0, 0, 1), "shares from 0 to 1"),
    ],
)
def test_a_box_that_is_none_is_the_caller_s_mistake(box, words):
    with pytest.raises(InvalidInput, match=words):
        pixels.prepare(PIL.Image.new("RGB", (100, 50)), box)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 500), (256, 128)),
        ((500, 1000), (128, 256)),
        ((100, 50), (100, 50)),
        ((30_000, 3), (256, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_thumbnail_keeps_the_shape_and_never_grows(size, expected):
    small = PIL.Image.open(io.BytesIO(pixels.thumbnail(PIL.Image.new("RGB", size), 256)))
    assert (small.format, small.size) == ("WEBP", expected)


def test_a_thumbnail_carries_no_metadata(photo):
    exif = PIL.Image.Exif()
    exif[0x010F] = "secret maker"
    data = encoded(photo, "JPEG", exif=exif, icc_profile=swapped_primaries(), comment=b"secret comment")
    thumbnail = pixels.thumbnail(pixels.decode(data), 64)
    assert not PIL.Image.open(io.BytesIO(thumbnail)).info.keys() & {"exif", "icc_profile", "xmp", "comment"}
    assert b"secret" not in thumbnail
