"""Folders into rows: what each file becomes, and that nothing is done twice."""

import os
import shutil
from pathlib import Path

import pytest

from app import library, whereabouts
from app.catalog import images
from app.catalog.models import Image
from app.catalog.states import ImageStatus
from app.errors import NotFound
from app.ingest import scan
from app.ingest.receive import Outcome
from tests.conftest import paint
from tests.workshop import COLLECTION, fill, images_at


@pytest.fixture
def collection(resources, encoders):
    return library.create_collection(resources, COLLECTION, encoders=encoders)


def ingest(resources, *paths: Path) -> scan.ScanReport:
    return scan.ingest(resources, paths, COLLECTION)


def outcomes(report: scan.ScanReport) -> dict[str, str]:
    """Of those that were refused or passed over."""
    return {Path(receipt.path).name: receipt.outcome.value for receipt in report.receipts}


def test_every_file_is_counted_once(resources, collection, photos):
    (photos / "notes.csv").write_text("a,b\n")
    (photos / "empty.jpg").touch()
    shutil.copy(photos / "0.jpg", photos / "copy of 0.jpg")
    report = ingest(resources, photos, photos / "0.jpg")
    assert report.counts == {"seen": 9, "added": 6, "known": 1, "failed": 1, "skipped": 1}
    assert outcomes(report)["empty.jpg"] == Outcome.FAILED
    assert outcomes(report)["notes.csv"] == Outcome.SKIPPED


def test_a_second_run_knows_everything_without_reading_it(resources, collection, photos, monkeypatch):
    ingest(resources, photos)
    monkeypatch.setattr(scan, "read_file", lambda found, **_: pytest.fail(f"{found} was read again"))
    assert ingest(resources, photos).counts["known"] == 6


def test_a_moved_file_keeps_its_identity(resources, collection, photos):
    ingest(resources, photos)
    before = images_at(resources, photos / "0.jpg")
    (photos / "0.jpg").rename(photos / "elsewhere.jpg")
    report = ingest(resources, photos)
    assert report.counts["known"] == 6
    assert images_at(resources, photos / "elsewhere.jpg") == before
    assert library.picture(resources, *before).path == str(photos / "elsewhere.jpg")


def test_a_copy_is_a_second_path_of_one_picture(resources, collection, photos):
    ingest(resources, photos)
    shutil.copy(photos / "0.jpg", photos / "copy.jpg")
    ingest(resources, photos)
    (image_id,) = images_at(resources, photos / "0.jpg")
    with resources.catalog.read() as session:
        assert images.paths_of(session, [image_id])[image_id] == [photos / "0.jpg", photos / "copy.jpg"]


def test_a_path_with_other_bytes_hides_the_old_picture_and_its_return_brings_it_back(shop, photos):
    resources = shop.resources
    original = (photos / "0.jpg").read_bytes()
    fill(shop, photos)
    (old,) = images_at(resources, photos / "0.jpg")
    paint(photos / "0.jpg", 77)
    report = fill(shop, photos)
    assert report.counts["added"] == 1
    with resources.catalog.read() as session:
        assert session.get_one(Image, old).status is ImageStatus.GONE
    (photos / "0.jpg").write_bytes(original)
    os.utime(photos / "0.jpg", ns=(1, 1))
    fill(shop, photos)
    with resources.catalog.read() as session:
        assert session.get_one(Image, old).status is ImageStatus.READY  # without being embedded again


def test_links_are_not_followed_out_of_the_folder_nor_round_and_round(resources, collection, photos, tmp_path):
    outside = paint(tmp_path / "outside" / "secret.jpg", 9)
    (photos / "loop").symlink_to(photos, target_is_directory=True)
    (photos / "link.jpg").symlink_to(outside)
    assert ingest(resources, photos).counts == {"seen": 6, "added": 6, "known": 0, "failed": 0, "skipped": 0}


def test_names_that_are_no_utf8_are_kept_as_bytes(shop, photos):
    raw = os.fsencode(photos) + b"/caf\xe9 \xff.jpg"
    shutil.copy(photos / "1.jpg", os.fsdecode(raw))
    paint(Path(os.fsdecode(raw)), 31)
    report = fill(shop, photos)
    assert report.counts["failed"] == 0
    with shop.resources.catalog.read() as session:
        (image_id,) = images_at(shop.resources, Path(os.fsdecode(raw)))
        assert images.paths_of(session, [image_id])[image_id] == [Path(os.fsdecode(raw))]
        assert images.shown_paths(session, [image_id])[image_id].endswith("caf� �.jpg")
        assert images.get(session, image_id).status is ImageStatus.READY


def test_a_file_that_cannot_be_read_says_so_and_the_rest_go_on(resources, collection, photos, monkeypatch):
    listed = [*sorted(photos.glob("*.jpg")), photos / "gone before it was read.jpg"]
    monkeypatch.setattr(scan.walk, "folder", lambda _: scan.walk.named(os.fsencode(path) for path in listed))
    report = ingest(resources, photos)
    assert report.counts == {"seen": 5, "added": 4, "known": 0, "failed": 1, "skipped": 0}
    assert (report.receipts[-1].error, report.receipts[-1].outcome) == ("unreadable_file", Outcome.FAILED)


def test_a_path_that_is_not_there_is_one_line(resources, collection, tmp_path):
    with pytest.raises(NotFound, match="is not there: check the path"):
        ingest(resources, tmp_path / "nowhere")


def test_a_pipe_is_refused_and_not_waited_for(resources, collection, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotFound, match="neither a file nor a folder"):
        ingest(resources, tmp_path / "pipe")


def test_a_path_that_cannot_even_be_looked_at_counts_as_absent(photos):
    assert whereabouts.first_present([photos / ("x" * 300), photos / "0.jpg"]) == photos / "0.jpg"


def test_hidden_folders_are_nobodys_photos(resources, collection, photos):
    paint(photos / ".thumbnails" / "x.jpg", 40)
    assert ingest(resources, photos).counts["seen"] == 6
