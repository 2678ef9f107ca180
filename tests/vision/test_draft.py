"""JPEG at reduced scale: the same picture within a level or two, as upright, as exact, and no less careful."""

import io

import numpy as np
import PIL.Image
import pytest

from app.errors import InvalidInput, UnreadableImage
from app.vision import pixels
from app.vision.draft import Reduction
from app.vision.metadata import TURNS
from app.vision.preprocessing import DEFAULT, PREPROCESSINGS, get_preprocessing

ORIENTATION = 0x0112
SIDES = (1801, 2413)  # height, width: no multiples of 8, an odd part left over at every scale
UNDO = {6: 8, 8: 6}


@pytest.fixture(scope="module")
def photo() -> PIL.Image.Image:
    """Detail of every size, as a photo has it, different in every corner."""
    height, width = SIDES
    rng, field = np.random.default_rng(7), np.zeros((height, width, 3), np.float32)
    for octave in range(1, 10):
        cells = rng.standard_normal((height // 2**octave + 2, width // 2**octave + 2, 3)) * 2**octave
        bytes_ = (cells * 12 / 2**octave + 128).clip(0, 255).astype(np.uint8)
        layer = PIL.Image.fromarray(bytes_).resize((width, height), PIL.Image.Resampling.BICUBIC)
        field += (np.asarray(layer, np.float32) - 128) * 2 ** (octave / 2) / 4
    return PIL.Image.fromarray((field * 40 / field.std() + 128).clip(0, 255).astype(np.uint8))


def jpeg(image: PIL.Image.Image, orientation: int = 1, **options) -> bytes:
    """Stored so that this orientation brings it upright."""
    undo = UNDO.get(orientation, orientation)
    stored = image.transpose(TURNS[undo]) if undo in TURNS else image
    exif, out = PIL.Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    stored.save(out, "JPEG", exif=exif, quality=92, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def stored(photo) -> bytes:
    return jpeg(photo)


def decoded(data: bytes, preprocessing: str = DEFAULT, **wanted) -> pixels.Picture:
    return pixels.decode(data, least=lambda full: pixels.least_size(full, preprocessing, **wanted))


def worst(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in levels, in the worst of 14 px squares: what a shift at one edge can't hide in."""
    off = np.abs(one.astype(int) - other.astype(int))
    height, width, _ = off.shape
    return float(off.reshape(height // 14, 14, width // 14, 14, 3).mean(axis=(1, 3, 4)).max())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_is_the_full_one_in_every_orientation_and_at_every_edge(photo, orientation):
    data = jpeg(photo, orientation)
    reduced, full = decoded(data), pixels.decode(data)
    assert (reduced.full, full.full, full.image.size) == (SIDES, SIDES, SIDES[::-1])
    assert (reduced.reduction.scale, reduced.image.size) == (4, (604, 451))
    assert worst(pixels.prepare(reduced), pixels.prepare(full)) < 2


@pytest.mark.parametrize(("orientation", "left", "top"), [(1, 0, 0), (3, 0.75, 0.75), (6, 0.75, 0), (8, 0, 0.75)])
def test_what_a_far_edge_lacks_is_remembered_where_it_went(photo, orientation, left, top):
    """2413 / 4 = 603.25 of 604 pixels, 1801 / 4 = 450.25 of 451."""
    assert decoded(jpeg(photo, orientation)).reduction == (4, left, top)


@pytest.mark.parametrize("name", [row.name for row in PREPROCESSINGS])
@pytest.mark.parametrize("box", [None, (0.1, 0.2, 0.9, 0.8), (0.61, 0.5, 0.999, 0.95), (0.501, 0.502, 0.53, 0.55)])
def test_every_mode_and_box_sees_what_it_sees_of_the_full_picture(stored, name, box):
    reduced, full = decoded(stored, name, box=box), pixels.decode(stored)
    assert worst(pixels.prepare(reduced, box, name), pixels.prepare(full, box, name)) < 2.5


@pytest.mark.parametrize(
    ("box", "thumbnail_px", "scale"),
    [
        (None, 0, 4),  # 1801 / 4 >= 448
        (None, 600, 4),
        (None, 605, 2),  # the long side would have 604
        ((0, 0, 0.5, 0.5), 0, 2),  # 900 / 2 >= 448
        ((0.2, 0.2, 0.3, 0.9), 0, 1),  # 241 px wide: nothing to spare
    ],
)
def test_the_box_and_the_thumbnail_decide_how_far(stored, box, thumbnail_px, scale):
    assert decoded(stored, box=box, thumbnail_px=thumbnail_px).reduction.scale == scale


@pytest.mark.parametrize("name", ["crop224-v1", "squash224-v1"])
def test_a_mode_that_promises_the_full_picture_gets_it(stored, name):
    picture = decoded(stored, name)
    assert (picture.reduction, picture.image.size) == (Reduction(1), SIDES[::-1])


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "BMP"])
def test_other_formats_are_decoded_in_full(photo, format):
    out = io.BytesIO()
    small = photo.crop((0, 0, 960, 910))
    small.save(out, format)
    assert decoded(out.getvalue()).image.size == (960, 910)


def test_a_camera_s_multi_picture_file_is_reduced_too_and_read_in_full_where_its_index_is_broken(photo):
    out = io.BytesIO()
    photo.save(out, "MPO", save_all=True, append_images=[photo.crop((0, 0, 40, 30))], quality=92)
    picture = decoded(out.getvalue())
    assert (picture.format, picture.frames, picture.full, picture.reduction.scale) == ("MPO", 2, SIDES, 4)
    data = bytearray(out.getvalue())
    index = data.index(b"MPF\0")
    data[index + 4 : index + 12] = b"\xff" * 8
    broken = decoded(bytes(data))
    assert broken.full == SIDES
    assert worst(pixels.prepare(broken), pixels.prepare(picture)) < 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_print_colours_are_reduced_alike(photo, mode):
    data = jpeg(photo.convert(mode))
    assert decoded(data).reduction.scale == 4
    assert worst(pixels.prepare(decoded(data)), pixels.prepare(pixels.decode(data))) < 2


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 0.999])
def test_a_file_cut_short_is_refused_at_reduced_scale_too(photo, progressive, share):
    data = jpeg(photo, progressive=progressive)
    with pytest.raises(UnreadableImage) as refused:
        decoded(data[: int(len(data) * share)])
    assert refused.value.code == "truncated"


def test_the_pixel_limit_counts_the_file_s_pixels(stored):
    with pytest.raises(UnreadableImage, match="4,345,813 pixels are over the limit of 4,345,812"):
        pixels.decode(stored, max_pixels=SIDES[0] * SIDES[1] - 1, least=lambda full: (1, 1))


def test_a_box_that_is_none_stays_the_caller_s_mistake(stored):
    with pytest.raises(InvalidInput, match="covers no pixel"):
        decoded(stored, box=(0.5, 0.5, 0.5, 0.9))


def test_a_thumbnail_of_a_reduced_picture_is_that_of_the_full_one(photo):
    data = jpeg(photo, 6)
    small, large = (
        PIL.Image.open(io.BytesIO(pixels.thumbnail(picture, 448)))
        for picture in (decoded(data, thumbnail_px=448), pixels.decode(data))
    )
    assert small.size == large.size == (448, round(448 * SIDES[0] / SIDES[1]))
    assert np.abs(np.asarray(small).astype(int) - np.asarray(large)).mean() < 4  # of which WebP makes 2


def test_a_picture_smaller_than_it_is_wanted_stays_whole():
    tiny = jpeg(PIL.Image.new("RGB", (3, 2), (200, 10, 30)))
    picture = decoded(tiny, thumbnail_px=512)
    assert (picture.image.size, picture.reduction.scale) == ((3, 2), 1)
    assert get_preprocessing(DEFAULT).allows(pixels.prepare(picture).shape[:2])
