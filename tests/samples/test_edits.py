"""Copies are related to their originals as the truth says."""

import numpy as np
import PIL.Image
import PIL.ImageChops
import PIL.ImageOps
import pytest

from app.samples.edits import EDITS, MIRROR, SAME, TURN, copy_bytes, moved_box


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A JPEG of a ramp with a red square in the upper left."""
    path = tmp_path_factory.mktemp("edits") / "original.jpg"
    ramp = np.linspace(0, 255, 300).astype(np.uint8)
    picture = PIL.Image.fromarray(np.stack([np.tile(ramp, (200, 1))] * 3, axis=-1))
    picture.paste((220, 20, 20), (30, 20, 90, 60))
    exif = PIL.Image.Exif()
    exif[0x0131] = "a painter"
    picture.save(path, quality=92, exif=exif)
    return path


def made(name, original, tmp_path, suffix=None):
    suffix = suffix or EDITS[name].suffix or "jpg"
    data, move = copy_bytes(name, original, suffix, np.random.default_rng(3))
    path = tmp_path / f"copy.{suffix}"
    path.write_bytes(data)
    return path, move


def same_pixels(first, second):
    return PIL.ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getbbox() is None


def test_a_byte_copy_is_identical(original, tmp_path):
    path, move = made("byte-copy", original, tmp_path)
    assert path.read_bytes() == original.read_bytes()
    assert move == SAME


def test_a_lossless_copy_has_the_same_pixels(original, tmp_path):
    path, _ = made("same-pixels", original, tmp_path)
    assert path.suffix == ".png"
    assert same_pixels(PIL.Image.open(path), PIL.Image.open(original))


def test_an_orientation_tag_turns_the_picture_without_touching_its_pixels(original, tmp_path):
    path, move = made("orientation-tag", original, tmp_path)
    copy, source = PIL.Image.open(path), PIL.Image.open(original)
    assert same_pixels(copy, source)
    assert copy.getexif()[0x0112] == 6
    assert copy.getexif()[0x0131] == "a painter"
    assert same_pixels(PIL.ImageOps.exif_transpose(copy), source.transpose(PIL.Image.Transpose.ROTATE_270))
    assert move == TURN


def test_a_recompressed_copy_is_smaller(original, tmp_path):
    path, _ = made("recompressed", original, tmp_path)
    assert path.stat().st_size < original.stat().st_size


def test_black_and_white_has_no_colour(original, tmp_path):
    path, _ = made("black-and-white", original, tmp_path, "png")
    red, _, blue = PIL.Image.open(path).convert("RGB").split()
    assert PIL.ImageChops.difference(red, blue).getbbox() is None


@pytest.mark.parametrize("name", sorted(set(EDITS) - {"cropped", "black-and-white"}))  # cut away, grey
def test_the_box_of_an_object_moves_with_its_pixels(name, original, tmp_path):
    path, move = made(name, original, tmp_path)
    picture = PIL.ImageOps.exif_transpose(PIL.Image.open(path)).convert("RGB")
    (x0, y0, x1, y1), _ = moved_box((0.1, 0.1, 0.3, 0.3), move)
    middle = picture.getpixel((round((x0 + x1) / 2 * picture.width), round((y0 + y1) / 2 * picture.height)))
    assert middle[0] > 150 and middle[1] < 90, middle


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (SAME, (0.1, 0.2, 0.4, 0.6)),
        (MIRROR, (0.6, 0.2, 0.9, 0.6)),
        (TURN, (0.4, 0.1, 0.8, 0.4)),
        ((2, 0, -0.4, 0, 2, -0.2), (0.0, 0.2, 0.4, 1.0)),
    ],
)
def test_boxes_are_carried_and_cut(move, expected):
    box, _ = moved_box((0.1, 0.2, 0.4, 0.6), move)
    assert box == pytest.approx(expected)


def test_the_area_before_the_cut_is_told():
    assert moved_box((0.1, 0.2, 0.4, 0.6), (2, 0, -0.4, 0, 2, -0.2))[1] == pytest.approx(0.48)
