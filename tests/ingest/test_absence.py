"""Files that are missing: a few were deleted; a disk that is away loses nothing."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import doctor, library, whereabouts
from app.catalog.models import Image, Location, Source
from app.catalog.states import ImageStatus, SourceState
from app.errors import NotFound
from app.ingest import absence, failures, scan
from app.ingest.progress import progress
from app.ingest.report import ScanReport
from tests.conftest import paint
from tests.workshop import COLLECTION, images_at, work


def ingest(resources, *paths: Path, **wishes) -> ScanReport:
    return scan.ingest(resources, paths, COLLECTION, wishes=scan.Wishes(**wishes))


def statuses(resources) -> list[ImageStatus]:
    with resources.catalog.read() as session:
        return list(session.scalars(select(Image.status).order_by(Image.id)))


def states(resources) -> dict[str, SourceState]:
    with resources.catalog.read() as session:
        return {row.address: row.state for row in session.scalars(select(Source))}


@pytest.fixture
def many(tmp_path) -> Path:
    """A disk of 40 small pictures."""
    for number in range(40):
        paint(tmp_path / "disk" / f"{number % 4}" / f"{number:02}.jpg", number, (32, 32))
    return tmp_path / "disk"


def test_a_deleted_file_is_forgotten_and_its_picture_gone_until_it_returns(rows_on_both, many):
    ingest(rows_on_both, many)
    data = (many / "0" / "00.jpg").read_bytes()
    (many / "0" / "00.jpg").unlink()
    assert ingest(rows_on_both, many).away == []
    assert statuses(rows_on_both).count(ImageStatus.GONE) == 1
    (many / "back.jpg").write_bytes(data)
    assert ingest(rows_on_both, many).counts["added"] == 0
    assert statuses(rows_on_both).count(ImageStatus.GONE) == 0


def test_a_root_that_is_missing_is_away_and_hides_nothing(rows_on_both, many):
    ingest(rows_on_both, many)
    many.rename(many.with_name("unplugged"))
    report = ingest(rows_on_both, many)
    assert [absent.address for absent in report.away] == [str(many)]
    assert report.counts == {"seen": 0, "added": 0, "known": 0, "failed": 0, "skipped": 0}
    assert set(statuses(rows_on_both)) == {ImageStatus.PENDING}
    assert states(rows_on_both) == {str(many): SourceState.AWAY}
    many.with_name("unplugged").rename(many)
    assert ingest(rows_on_both, many).counts["known"] == 40
    assert states(rows_on_both) == {str(many): SourceState.HERE}


def test_a_mount_point_without_its_disk_is_away(rows, many):
    """The folder is there, and empty."""
    ingest(rows, many)
    many.rename(many.with_name("unplugged"))
    many.mkdir()
    (absent,) = ingest(rows, many).away
    assert "is a disk not mounted?" in absent.reason
    assert set(statuses(rows)) == {ImageStatus.PENDING}


def test_more_than_a_tenth_missing_is_away_and_a_persons_word_makes_it_so(rows, many):
    ingest(rows, many)
    for path in sorted(many.rglob("*.jpg"))[:11]:
        path.unlink()
    (absent,) = ingest(rows, many).away
    assert "11 of 40 known files are missing" in absent.reason
    assert "--forget-missing" in absent.reason
    assert set(statuses(rows)) == {ImageStatus.PENDING}
    assert ingest(rows, many, forget_missing=True).away == []
    assert statuses(rows).count(ImageStatus.GONE) == 11


def test_a_disk_that_went_before_its_first_reading_ended_is_away_too(rows, many):
    ingest(rows, many)
    with rows.catalog.begin() as session:
        session.execute(update(Source).values(files=0, last_scan=None))  # as after a kill in its middle
    many.rename(many.with_name("unplugged"))
    assert [absent.address for absent in ingest(rows, many).away] == [str(many)]
    assert set(statuses(rows)) == {ImageStatus.PENDING}


def test_a_folder_that_a_person_says_is_gone_for_good_is_forgotten_and_comes_back_with_its_bytes(rows, many):
    ingest(rows, many)
    many.rename(many.with_name("elsewhere"))
    assert ingest(rows, many, forget_missing=True).away == []
    assert set(statuses(rows)) == {ImageStatus.GONE}
    assert ingest(rows, many.with_name("elsewhere")).counts["known"] == 40
    assert set(statuses(rows)) == {ImageStatus.PENDING}


def test_a_handful_may_go_however_few_there_are(rows, photos):
    ingest(rows, photos)
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        (photos / name).unlink()
    assert ingest(rows, photos).away == []
    assert statuses(rows).count(ImageStatus.GONE) == 3


def test_a_renamed_folder_is_no_loss(rows, many):
    """Half of all paths are missing, and each of their pictures was seen elsewhere."""
    ingest(rows, many)
    (many / "0").rename(many / "Italy")
    (many / "1").rename(many / "Spain")
    report = ingest(rows, many)
    assert (report.counts["known"], report.away) == (40, [])
    assert set(statuses(rows)) == {ImageStatus.PENDING}
    with rows.catalog.read() as session:
        assert len(session.scalars(select(Location.id)).all()) == 40


def test_a_folder_that_cannot_be_listed_is_told_and_nothing_below_it_is_forgotten(rows, many, monkeypatch):
    ingest(rows, many)
    closed = os.fspath(many / "2")
    scandir, lstat = os.scandir, os.lstat

    def refuse(call, path):
        if os.fspath(path).startswith(closed if isinstance(path, str) else os.fsencode(closed)):
            raise PermissionError(13, "Permission denied")
        return call(path)

    monkeypatch.setattr(os, "scandir", lambda path: refuse(scandir, path))  # root may enter everywhere
    monkeypatch.setattr(os, "lstat", lambda path: refuse(lstat, path))
    report = ingest(rows, many)
    assert [(receipt.path, receipt.error) for receipt in report.receipts] == [(closed, "unreadable_folder")]
    assert (report.counts["known"], report.away) == (30, [])
    assert set(statuses(rows)) == {ImageStatus.PENDING}


def test_a_path_on_a_disk_that_is_away_is_kept_though_its_bytes_are_seen_elsewhere(rows, many, tmp_path):
    ingest(rows, many)
    copy = tmp_path / "laptop" / "copy.jpg"
    copy.parent.mkdir()
    copy.write_bytes((many / "0" / "00.jpg").read_bytes())
    many.rename(many.with_name("unplugged"))
    ingest(rows, copy)
    assert images_at(rows, many / "0" / "00.jpg") == images_at(rows, copy)


def test_copied_files_may_vanish(shop, many):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, many, copy=True)
    many.rename(many.with_name("gone for good"))
    work(shop)
    assert progress(shop.resources, COLLECTION).ready == 40
    assert whereabouts.original(shop.resources, 1).is_file()
    assert absence.survey(shop.resources, judged=True)[0].state == SourceState.HERE  # nobody need put it back


def test_copying_what_was_read_in_place_keeps_its_bytes_without_decoding(rows, photos):
    ingest(rows, photos)
    assert ingest(rows, photos, copy=True).counts["known"] == 6
    with rows.catalog.read() as session:
        assert set(session.scalars(select(Image.stored))) == {True}
    assert len(list((rows.settings.home / "originals").rglob("??????????????*"))) == 6


def test_work_waits_for_a_disk_that_is_away_and_goes_on_by_itself(shop, many):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, many)
    many.rename(many.with_name("unplugged"))
    work(shop)
    with shop.resources.catalog.read() as session:
        found = {tuple(row) for row in session.execute(select(Image.status, Image.attempts, Image.code))}
    assert found == {(ImageStatus.PENDING, 0, "away")}
    now = progress(shop.resources, COLLECTION)
    assert (now.waiting, now.resting, now.failed) == (40, 40, 0)
    assert states(shop.resources) == {str(many): SourceState.AWAY}
    many.with_name("unplugged").rename(many)
    shop.absences._look_again_at = 0.0  # half a minute later
    shop.absences._verdicts.clear()
    work(shop)
    assert progress(shop.resources, COLLECTION).ready == 40
    assert states(shop.resources) == {str(many): SourceState.HERE}


def test_a_mount_point_with_most_files_missing_convicts_no_picture(shop, many):
    """The root is there and not empty: a worker looks at a sample of its files."""
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, many)
    for path in sorted(many.rglob("*.jpg"))[5:]:
        path.unlink()
    work(shop)
    now = progress(shop.resources, COLLECTION)
    assert (now.ready, now.resting, now.failed) == (5, 35, 0)


def test_one_file_missing_from_a_disk_that_is_there_has_vanished(shop, many):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, many)
    (many / "0" / "00.jpg").unlink()
    work(shop)
    assert [failure.error for failure in failures.failures(shop.resources, COLLECTION)] == ["vanished"]


def test_a_disk_pulled_while_its_files_are_read_is_no_fault_of_theirs(shop, many, monkeypatch):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, many)
    submit = shop.decoder.submit

    def pull_then_submit(path: Path, **request):
        if many.exists():
            many.rename(many.with_name("unplugged"))
        return submit(path, **request)

    monkeypatch.setattr(shop.decoder, "submit", pull_then_submit)
    work(shop)
    now = progress(shop.resources, COLLECTION)
    assert (now.resting, now.failed) == (40, 0)


def test_what_was_never_there_is_refused_and_a_pipe_too(rows, tmp_path):
    with pytest.raises(NotFound, match="is not there: check the path"):
        ingest(rows, tmp_path / "nowhere")
    assert states(rows) == {}


def test_a_path_below_a_disk_that_is_away_is_that_disk(rows, many):
    ingest(rows, many)
    many.rename(many.with_name("unplugged"))
    assert [absent.address for absent in ingest(rows, many / "2").away] == [str(many)]


def test_a_mistyped_path_below_a_disk_that_is_here_is_refused(rows, many):
    ingest(rows, many)
    with pytest.raises(NotFound, match="is not there"):
        ingest(rows, many / "no such")


def test_the_doctor_says_which_source_is_away(rows, many):
    ingest(rows, many)
    assert doctor.CHECKS["sources"](rows)[0] == "ok"
    many.rename(many.with_name("unplugged"))
    state, finding, remedy = doctor.CHECKS["sources"](rows)
    assert state == "warning"
    assert str(many) in finding
    assert "put them back" in remedy
    many.with_name("unplugged").rename(many)
    assert doctor.CHECKS["sources"](rows)[0] == "ok"


def test_single_files_are_one_source_per_folder(rows, many):
    files = sorted((many / "1").iterdir())
    assert ingest(rows, *files).counts["added"] == 10
    assert states(rows) == {str(many / "1"): SourceState.HERE}
