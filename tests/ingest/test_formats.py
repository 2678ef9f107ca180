"""What is read ends searchable through ingest; what is not says what to install."""

import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

from app import library
from app.ingest.progress import progress
from app.ingest.workshop import Workshop
from app.vision.decoder import Decoder
from tests.conftest import paint
from tests.workshop import COLLECTION, fill, images_at

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "avif": "AVIF"}

# a decode child that finds no pillow-heif, as where the extra is not installed
WITHOUT_HEIF = """
import sys
from importlib import metadata
found = metadata.version
def version(name):
    if name == "pillow-heif":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
from app.vision.decode_child import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def of_each_format(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    for number, suffix in enumerate(FORMATS):
        paint(folder / f"picture.{suffix}", number)
    return folder


def heic(path: Path) -> Path:
    heif = pytest.importorskip("pillow_heif", reason="pip install 'dinoseek[heif]'")
    picture = PIL.Image.effect_noise((160, 120), 60).convert("RGB")
    heif.from_pillow(picture).save(path)
    return path


def test_every_format_ends_searchable(shop, of_each_format, tmp_path):
    report = fill(shop, of_each_format, heic(tmp_path / "phone.heic"))
    assert report.counts == {"seen": 8, "added": 8, "known": 0, "failed": 0, "skipped": 0}
    assert progress(shop.resources, COLLECTION).ready == 8
    found = {Path(picture.path).suffix[1:]: picture.format for picture in library.pictures(shop.resources, COLLECTION)}
    assert found == FORMATS | {"heic": "HEIF"}


def test_heic_without_its_extra_says_what_to_install_and_the_rest_go_on(resources, encoders, photos, tmp_path):
    heic(photos / "phone.heic")
    child = tmp_path / "without_heif.py"
    child.write_text(WITHOUT_HEIF)
    with Decoder(resources.settings, (sys.executable, str(child))) as decoder:
        report = fill(Workshop(resources, encoders, decoder, "test"), photos)
    (refused,) = report.receipts
    assert (refused.path, refused.error) == (str(photos / "phone.heic"), "unsupported_format")
    assert "pip install 'dinoseek[heif]'" in refused.reason
    assert (report.counts["added"], refused.image_id) == (6, *images_at(resources, photos / "phone.heic"))


def test_sidecars_beside_pictures_are_passed_over(shop, of_each_format):
    fill(shop, of_each_format)
    (of_each_format / "picture.jpg.json").write_text("{}")
    (of_each_format / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    report = fill(shop, of_each_format)
    assert report.counts == {"seen": 9, "added": 0, "known": 7, "failed": 0, "skipped": 2}


def test_pipes_sockets_and_files_that_change_do_not_hold_up_a_folder(shop, photos):
    subprocess.run(["mkfifo", str(photos / "pipe.jpg")], check=True)
    assert fill(shop, photos).counts == {"seen": 6, "added": 6, "known": 0, "failed": 0, "skipped": 0}
