"""A picture, or a part of it in its own pixels, in several sizes at once: what protocols ask for."""

import hashlib
import json

import numpy as np
import PIL.Image
import pytest

from app.errors import InvalidInput, NotFound, UnreadableImage
from app.vision.answers import understood
from app.vision.decoder import Decoder
from app.vision.pixels import Picture, cut, decode, prepare
from tests.conftest import make_settings, paint

NAMES = ("crop224-v1", "inside224-v1@112", "inside224-v1@56")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Decoder(make_settings(tmp_path_factory.mktemp("home"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    return paint(tmp_path_factory.mktemp("pictures") / "one.jpg", 1, (160, 120))


def test_each_view_is_what_the_picture_gives_by_itself(desk, picture):
    seen = desk.views(picture, NAMES).result()
    assert seen.digest == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert [view.shape for view in seen.pixels] == [(224, 224, 3), (84, 112, 3), (42, 56, 3)]
    for view, name in zip(seen.pixels, NAMES, strict=True):
        assert (view == prepare(decode(picture), None, name)).all()


def test_a_view_is_the_same_whichever_others_are_asked_for(desk, tmp_path):
    large = paint(tmp_path / "large.jpg", 3, (2400, 1800))
    alone = desk.views(large, ["squash224-v2@56"]).result().pixels[0]
    assert (alone == desk.views(large, ["squash224-v2@448", "squash224-v2@56"]).result().pixels[1]).all()


def test_a_cut_is_pillow_s_crop_before_anything_else(desk, picture):
    box = (10.5, 20.4, 97.5, 131.6)  # to even, and twelve rows beyond the picture: those are black
    with PIL.Image.open(picture) as whole:
        part = whole.convert("RGB").crop(box)
    assert part.size == (88, 112)
    assert np.asarray(part)[-5:].max() == 0
    for view, name in zip(desk.views(picture, NAMES, box).result().pixels, NAMES, strict=True):
        assert (view == prepare(part, None, name)).all()


@pytest.mark.parametrize(
    "box",
    [(160, 0, 170, 9), (0, 120, 9, 130), (-9, 0, 0, 9), (0, -9, 9, 0), (5, 5, 5.4, 9), (0, 0, 320, 9), (9, 9, 0, 0)],
)
def test_a_cut_beside_the_picture_or_far_beyond_it_is_the_caller_s(desk, picture, box):
    with pytest.raises(InvalidInput, match="is no part of a picture 160 px wide and 120 px high"):
        desk.views(picture, NAMES, box).result()


def test_a_cut_at_the_limits_is_one():
    whole = Picture(PIL.Image.new("RGB", (160, 120)), (120, 160))
    assert cut(whole, (-159, -119, 160, 120)).full == (239, 319)
    assert cut(whole, (159, 119, 160.4, 120)).full == (1, 1)


def test_what_the_file_stores_is_seen_and_not_turned(desk, tmp_path):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    paint(tmp_path / "plain.png", 2)
    with PIL.Image.open(tmp_path / "plain.png") as plain:
        plain.save(tmp_path / "turned.png", exif=exif)
    plain, turned = (desk.views(tmp_path / f"{name}.png", NAMES).result().pixels for name in ("plain", "turned"))
    assert all((a == b).all() for a, b in zip(plain, turned, strict=True))


def test_a_broken_file_and_a_name_nobody_knows_are_refused(desk, picture, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(picture.read_bytes()[:900])
    with pytest.raises(UnreadableImage, match="cut short"):
        desk.views(tmp_path / "broken.jpg", NAMES).result()
    with pytest.raises(NotFound, match="no preprocessing is called"):
        desk.views(picture, ["stretch"])
    with pytest.raises(InvalidInput, match="multiples of 14"):
        desk.views(picture, ["crop224-v1@225"])


@pytest.mark.parametrize(
    ("shapes", "count"),
    [([[14, 28]], 3 * 14 * 28), ([[14, 14]], 3), ([[14, 14]], 999), ([], 0), ([[14, 14]] * 2, 1176)],
)
def test_an_answer_that_is_not_what_was_asked_for_is_none(shapes, count):
    request = {"job": "views", "preprocessings": ["squash224-v2@14"]}
    answer = json.dumps({"digest": "d", "shapes": shapes}).encode()
    with pytest.raises(ValueError):
        understood(request, answer, b"\0" * count, b"")
