"""A picture as audits compare it: upright, small, and with the digest of all its pixels where that is asked for."""

import io

import numpy as np
import PIL.Image
import pytest

from app.errors import UnreadableImage
from app.vision.decoder import Decoder
from tests.conftest import make_settings


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    with Decoder(make_settings(tmp_path_factory.mktemp("home"))) as opened:
        yield opened


def encoded(picture: PIL.Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def scene() -> PIL.Image.Image:
    rows = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)
    return PIL.Image.fromarray(rows).resize((800, 600), PIL.Image.Resampling.BICUBIC)


def test_a_view_fits_its_side_and_is_never_larger_than_the_picture(decoder, scene):
    assert decoder.view(encoded(scene, "PNG"), 400).result().pixels.shape == (300, 400, 3)
    assert decoder.view(encoded(scene, "PNG"), 4000).result().pixels.shape == (600, 800, 3)


def test_the_same_pixels_in_another_container_have_the_same_digest_and_turned_ones_another(decoder, scene):
    files = [encoded(scene, "PNG"), encoded(scene, "TIFF"), encoded(scene.rotate(180), "PNG")]
    png, tiff, turned = (decoder.view(file, 100, whole=True).result().pixels_sha256 for file in files)
    assert png == tiff != turned


def test_an_orientation_tag_is_applied_before_pixels_are_compared(decoder, scene):
    exif = PIL.Image.Exif()
    exif[0x0112] = 3  # upside down
    tagged = encoded(scene.rotate(180), "PNG", exif=exif)
    plain = decoder.view(encoded(scene, "PNG"), 100, whole=True).result()
    assert decoder.view(tagged, 100, whole=True).result().pixels_sha256 == plain.pixels_sha256


def test_what_would_be_lost_with_a_copy_is_told(decoder, scene):
    exif = PIL.Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 1"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}
    seen = decoder.view(encoded(scene, "JPEG", exif=exif), 100).result()
    assert (seen.camera, seen.located, seen.pixels_sha256) == ("Maker Model 1", True, None)


def test_bytes_that_are_no_picture_are_refused(decoder):
    with pytest.raises(UnreadableImage):
        decoder.view(b"no picture", 100).result()
