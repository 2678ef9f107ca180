"""The same files again: what did not change is not read, what moved or was touched is not decoded anew."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from app import library
from app.catalog import images
from app.catalog.models import Image
from app.catalog.states import ImageStatus
from app.ingest import scan, walk
from app.ingest.recording import CHUNKS_AHEAD, FILES_PER_CHUNK
from app.ingest.report import IdRanges, ScanReport, Seen
from app.ingest.walk import Found
from tests.conftest import paint
from tests.ingest import reading
from tests.memory import peak_bytes
from tests.workshop import COLLECTION, fill, images_at, work

TINY_FILES = 3000
FILES_PER_S = 1500  # of tiny files, recorded; a third of what was measured


def ingest(resources, *paths: Path) -> ScanReport:
    return scan.ingest(resources, paths, COLLECTION)


def work_done(resources) -> list[tuple]:
    """How often each image was claimed, and by which number of its claim it was settled."""
    with resources.catalog.read() as session:
        columns = select(Image.id, Image.status, Image.attempts, Image.fence).order_by(Image.id)
        return [tuple(row) for row in session.execute(columns)]


@pytest.fixture
def statements(resources) -> list[str]:
    """What is said to the database from here on."""
    said: list[str] = []
    event.listen(resources.catalog.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    return said


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    source = paint(folder / "0" / "00000.jpg", 1, (64, 64)).read_bytes()
    for number in range(1, TINY_FILES):
        path = folder / f"{number // 500}" / f"{number:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source + number.to_bytes(4, "big"))
    return folder


def test_unchanged_touched_moved_and_copied_files_are_not_decoded_again(resources_on_both, shop_on_both, photos):
    fill(shop_on_both, photos)
    before = work_done(resources_on_both)
    assert before == [(id_, ImageStatus.READY, 1, 1) for id_ in range(1, 7)]
    ids = images_at(resources_on_both, *sorted(photos.glob("*.jpg")))
    os.utime(photos / "0.jpg")
    (photos / "1.jpg").rename(photos / "below" / "moved.jpg")
    shutil.copy(photos / "2.jpg", photos / "copy.jpg")
    assert fill(shop_on_both, photos).counts == {"seen": 7, "added": 0, "known": 7, "failed": 0, "skipped": 0}
    assert work_done(resources_on_both) == before
    places = [photos / "0.jpg", photos / "below" / "moved.jpg", photos / "copy.jpg", photos / "3.jpg"]
    assert images_at(resources_on_both, *places) == ids
    with resources_on_both.catalog.read() as session:
        assert images.paths_of(session, ids[2:3])[ids[2]] == [photos / "2.jpg", photos / "copy.jpg"]
        assert images.paths_of(session, ids[1:2])[ids[1]] == [photos / "below" / "moved.jpg"]


def test_a_chunk_costs_a_constant_number_of_statements(rows, statements, tiny):
    ingest(rows, tiny)
    first = len(statements)
    statements.clear()
    ingest(rows, tiny)
    chunks = 4 + -(-TINY_FILES // 400)  # the first four are smaller
    assert first < 14 * chunks + 30  # and not one per file
    assert len(statements) < 2 * chunks + 30


def test_a_failure_that_may_pass_is_tried_again_by_the_next_ingest(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, photos)
    (photos / "0.jpg").rename(photos / "away")
    work(shop)
    (photos / "away").rename(photos / "0.jpg")
    report = fill(shop, photos)
    assert (report.counts["known"], report.counts["failed"]) == (6, 0)


def test_what_is_refused_by_workers_is_taken_from_what_was_added_for_each_of_its_paths(shop, photos):
    (photos / "cut.jpg").write_bytes((photos / "0.jpg").read_bytes()[:900])
    shutil.copy(photos / "cut.jpg", photos / "cut twice.jpg")
    report = fill(shop, photos)
    assert report.counts == {"seen": 8, "added": 6, "known": 0, "failed": 2, "skipped": 0}
    assert sorted(Path(r.path).name for r in report.receipts) == ["cut twice.jpg", "cut.jpg"]
    assert fill(shop, photos).counts == {"seen": 8, "added": 0, "known": 6, "failed": 2, "skipped": 0}


def test_two_that_ingest_the_same_folder_at_once_add_each_picture_once(rows_on_both, tiny):
    reports: list[ScanReport] = []
    threads = [threading.Thread(target=lambda: reports.append(ingest(rows_on_both, tiny))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.counts["added"] for report in reports) == TINY_FILES
    assert [report.counts["seen"] for report in reports] == [TINY_FILES] * 2


def test_a_report_holds_no_receipt_for_what_was_added(rows, tiny):
    report = ingest(rows, tiny)
    assert (report.counts["added"], report.receipts) == (TINY_FILES, [])
    assert len(report.added._ranges) == 1


def test_files_are_listed_a_few_chunks_ahead_of_their_rows_and_never_all(rows, tiny):
    report, ahead = ScanReport(COLLECTION), []

    def listed() -> Iterator[Found]:
        for number, file in enumerate(walk.folder(tiny)):
            ahead.append(number - report.counts["seen"])
            yield file

    scan.read_found(rows, report, listed(), scan.Wishes())
    assert len(ahead) == report.counts["added"] == TINY_FILES
    assert max(ahead) < (CHUNKS_AHEAD + 1) * FILES_PER_CHUNK < TINY_FILES / 2


def test_a_folder_given_twice_or_within_another_is_read_once(rows, photos):
    (photos / "link").symlink_to(photos / "below")
    report = ingest(rows, photos / "below", photos, photos / "0.jpg", photos, photos / "link")
    assert report.counts["seen"] == 8  # the link was named: two of its own


def test_marks_of_addresses_tell_seen_from_unseen():
    seen = Seen()
    assert not seen.holds([b"a"])[0]
    for number in range(1000):
        seen.add(b"%d" % number)
    assert list(seen.holds([b"0", b"999", b"1000", b"x"])) == [True, True, False, False]


def test_ids_given_out_in_a_row_are_one_range():
    ids = IdRanges()
    ids.add([3, 4, 5, 9, 10])
    assert ids._ranges == [[3, 5], [9, 10]]
    assert [number in ids for number in (2, 3, 5, 6, 8, 9, 10, 11)] == [0, 1, 1, 0, 0, 1, 1, 0]


@pytest.mark.soak
def test_tiny_files_are_recorded_fast(rows_on_both, tiny):
    """In time of this process's own: neighbours on the machine make it no slower."""
    ingest(rows_on_both, tiny / "0")  # statements are compiled
    started = time.process_time()
    assert ingest(rows_on_both, tiny).counts["added"] == TINY_FILES - 500
    assert TINY_FILES / (time.process_time() - started) > FILES_PER_S


@pytest.mark.soak
def test_a_flat_folder_of_a_hundred_thousand_files_stays_small(rows, tmp_path):
    source = paint(tmp_path / "one.jpg", 1, (32, 32)).read_bytes()
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(100_000):
        (folder / f"{number:06}.jpg").write_bytes(source + number.to_bytes(4, "big"))
    peak, report = peak_bytes(reading.ingest, rows.settings, COLLECTION, folder)
    assert report.counts["added"] == 100_000
    assert peak < 40 * 2**20
