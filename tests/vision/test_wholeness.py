"""A picture that a decoder would fill up is refused; a whole one is taken, grey or black as it may be."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from app.errors import UnreadableImage
from app.vision import pixels
from app.vision.decoder import Decoder
from tests.conftest import make_settings
from tests.damage.sources import interlaced_png, picture, png_chunk, saved_as

EOI, SOS = b"\xff\xd9", b"\xff\xda"
JPEGS = {
    "plain": {},
    "large": {"size": (800, 600)},
    "restarts": {"restart_marker_rows": 1},
    "restarts_everywhere": {"restart_marker_blocks": 1},
    "grey": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
    "optimised": {"optimize": True, "subsampling": 0},
}


def jpeg(**options) -> bytes:
    return saved_as("JPEG", **options)(3)


def grey(**options) -> bytes:
    """Its lower half is exactly what libjpeg paints where it has nothing."""
    image = picture(3)
    image.paste((128, 128, 128), (0, 32, *image.size))
    out = io.BytesIO()
    image.convert(options.pop("mode", "RGB")).save(out, "JPEG", **options)
    return out.getvalue()


def cut(data: bytes, share: float) -> bytes:
    """Without the rest of its scan, and with an end all the same."""
    start = data.index(SOS)
    return data[: start + int((len(data) - start) * share)] + EOI


def code(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as refused:
        pixels.decode(data)
    return refused.value.code


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_ends_early_is_refused_though_it_has_an_end(name, share):
    assert code(cut(jpeg(**JPEGS[name]), share)) == "truncated"


def test_so_it_is_when_decoded_at_reduced_scale_or_followed_by_another():
    early = cut(jpeg(size=(800, 600)), 0.4)
    with pytest.raises(UnreadableImage, match="rest of the picture is missing"):
        pixels.decode(early, least=pixels.least_size)
    assert code(early + jpeg()) == "truncated"


def test_a_marker_astray_in_a_scan_is_an_early_end():
    data = jpeg(size=(800, 600))
    middle = len(data) // 2
    for stray in (b"\0\xff\xd4", b"\0\xff\xff\xd4"):
        assert code(data[:middle] + stray + data[middle:]) == "truncated"


def test_a_progressive_one_that_ends_in_its_first_scan_is_refused():
    assert code(cut(jpeg(progressive=True), 0.02)) == "truncated"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"mode": "L"}])
def test_a_picture_that_is_grey_itself_is_taken(options):
    whole = grey(**options)
    padded = whole.replace(EOI, b"\xff\xff\xff" + EOI)
    for data in (whole, padded, whole + b"a tail of something else"):
        assert_grey(pixels.decode(data))


def assert_grey(decoded: pixels.Picture) -> None:
    assert np.abs(np.asarray(decoded.image)[-1, -1].astype(int) - 128).max() <= 1


def test_a_jpeg_within_a_tiff_is_looked_at_too():
    whole = saved_as("TIFF", compression="jpeg")(3)
    middle = (whole.index(SOS) + whole.rindex(EOI)) // 2
    assert pixels.decode(whole).format == "TIFF"
    assert code(whole[:middle] + EOI + whole[middle + 2 :]) == "truncated"


def test_a_png_whose_pixels_do_not_match_their_checksum_is_refused():
    whole = saved_as("PNG")(3)
    for at in (200, len(whole) // 2):
        assert code(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]) == "damaged"
    assert code(whole[:143] + bytes(len(whole) - 143)) in ("damaged", "truncated")  # a copy that was broken off


def png(lines: bytes, *before: bytes, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", 96, 72, 8, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), *before, png_chunk(b"IDAT", zlib.compress(lines)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_png_with_too_few_lines_is_refused_and_a_black_one_is_not():
    lines = b"".join(b"\0" + line.tobytes() for line in np.asarray(picture(3)))
    assert code(png(lines[: len(lines) // 3])) == "truncated"
    assert pixels.decode(png(bytes(len(lines)))).image.getbbox() is None


@pytest.mark.parametrize("mode", ["RGB", "1"])
def test_a_black_interlaced_png_of_odd_size_is_taken(mode):
    image = PIL.Image.new(mode, (13, 3))
    whole = interlaced_png(image) if mode == "RGB" else saved_as("PNG", "1")(3)
    assert pixels.decode(whole).image.size in ((13, 3), (96, 72))


def test_a_png_without_its_palette_is_refused():
    assert code(png(bytes(97 * 72), colour=3)) == "damaged"
    assert pixels.decode(png(bytes(97 * 72), png_chunk(b"PLTE", b"\x10\x20\x30"), colour=3)).full == (72, 96)


def test_a_fax_whose_code_is_broken_is_refused_and_the_next_picture_is_not(tmp_path):
    whole = saved_as("TIFF", "1", compression="group4")(3)
    broken = whole[:400] + b"\xff" * 60 + whole[460:]
    with Decoder(make_settings(tmp_path, decode_processes=1)) as decoder:
        outcomes = [decoder.submit(data).exception() for data in (whole, broken, whole)]
    assert [getattr(outcome, "code", None) for outcome in outcomes] == [None, "damaged", None]
    assert str(outcomes[1]).startswith("a damaged TIFF (")
