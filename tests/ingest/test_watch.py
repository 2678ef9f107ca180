"""`--watch`: files are taken in as they come, change, move and go; one that is being written is left alone."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.catalog.models import Image, Source
from app.catalog.states import ImageStatus, SourceState
from app.ingest import roots, scan, watch
from app.ingest.report import ScanReport
from app.ingest.scan import Wishes
from app.ingest.watch import Watcher
from app.resources import Resources
from tests.conftest import paint
from tests.program import PATIENCE_S, wait_until
from tests.workshop import COLLECTION, images_at

QUIET_S = 0.6
LONG_QUIET_S = 6.0  # where a test must be heard within it: a busy machine may stand still for seconds


class Watched:
    """A watcher at work in a thread."""

    def __init__(self, resources: Resources, *paths: Path) -> None:
        self.resources, self.report = resources, ScanReport(COLLECTION)
        self.report.roots = roots.given(resources, COLLECTION, paths)
        self.passes = 0
        self._stop = threading.Event()
        self.watcher = Watcher(resources, self.report, Wishes(), self._stop)
        self._thread = threading.Thread(target=self.watcher.run, args=(self._first,), daemon=True)

    def _first(self, wishes: Wishes) -> None:
        scan.read_roots(self.resources, self.report, self.report.roots, None, wishes)
        self.passes += 1

    def __enter__(self) -> "Watched":
        self._thread.start()
        wait_for(lambda: self.passes)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def wait_for(condition: Callable[[], object]) -> None:
    wait_until(condition, "what the watcher was to do")


def statuses(resources: Resources) -> list[ImageStatus]:
    with resources.catalog.read() as session:
        return list(session.scalars(select(Image.status).order_by(Image.id)))


def is_recorded(resources: Resources, path: Path) -> bool:
    try:
        return bool(images_at(resources, path))
    except KeyError:
        return False


@pytest.fixture
def watched(rows, photos) -> Iterator[Watched]:
    rows.settings.watch_quiet_s = QUIET_S
    time.sleep(QUIET_S)  # the photos are old
    with Watched(rows, photos) as opened:
        yield opened


def test_new_files_and_new_folders_are_taken_in(watched, photos):
    assert watched.report.counts["added"] == 6
    paint(photos / "new.jpg", 20)
    paint(photos / "trip" / "day 1" / "deep.jpg", 21)
    wait_for(lambda: len(statuses(watched.resources)) == 8)
    wait_for(lambda: watched.report.counts["added"] == 8)


def test_a_moved_file_keeps_its_picture_and_a_moved_folder_too(watched, photos):
    before = images_at(watched.resources, photos / "0.jpg", photos / "below" / "4.png")
    (photos / "0.jpg").rename(photos / "elsewhere.jpg")
    (photos / "below").rename(photos / "above")
    wait_for(lambda: is_recorded(watched.resources, photos / "elsewhere.jpg"))
    wait_for(lambda: is_recorded(watched.resources, photos / "above" / "4.png"))
    assert images_at(watched.resources, photos / "elsewhere.jpg", photos / "above" / "4.png") == before
    assert set(statuses(watched.resources)) == {ImageStatus.PENDING}


def test_a_deleted_file_is_gone_and_a_changed_one_another_picture(watched, photos):
    (photos / "1.jpg").unlink()
    paint(photos / "2.jpg", 99)
    wait_for(lambda: statuses(watched.resources).count(ImageStatus.GONE) == 2)
    wait_for(lambda: len(statuses(watched.resources)) == 7)


def test_a_file_that_is_being_written_is_left_until_it_is_quiet(rows, photos):
    rows.settings.watch_quiet_s = LONG_QUIET_S
    data = (photos / "3.jpg").read_bytes() + b"\0" * 50
    with Watched(rows, photos), (photos / "growing.jpg").open("wb") as file:
        for start in range(0, len(data), len(data) // 8):
            file.write(data[start : start + len(data) // 8])
            file.flush()
            time.sleep(LONG_QUIET_S / 7)
            assert not is_recorded(rows, photos / "growing.jpg")
        file.close()
        wait_for(lambda: is_recorded(rows, photos / "growing.jpg"))
    assert len(statuses(rows)) == 7  # the whole of it, and no part


def test_a_file_just_written_is_left_by_a_pass_too_and_taken_soon_after(rows, photos):
    rows.settings.watch_quiet_s = 3600
    paint(photos / "fresh.jpg", 33)
    with Watched(rows, photos):
        assert not is_recorded(rows, photos / "fresh.jpg")
        rows.settings.watch_quiet_s = QUIET_S
        wait_for(lambda: is_recorded(rows, photos / "fresh.jpg"))


def test_what_no_notice_told_of_is_found_by_the_next_full_pass(rows, photos, monkeypatch):
    rows.settings.watch_quiet_s, rows.settings.watch_full_pass_s = 0.1, 0.5
    monkeypatch.setattr(watch, "watch", lambda *paths, **options: _deaf(options["stop_event"]))
    with Watched(rows, photos):
        paint(photos / "unheard.jpg", 44)
        wait_for(lambda: is_recorded(rows, photos / "unheard.jpg"))


def _deaf(stop: threading.Event) -> Iterator[set]:
    while not stop.wait(0.1):
        yield set()


def test_a_disk_that_is_pulled_hides_nothing_and_is_taken_up_again(rows, photos):
    rows.settings.watch_quiet_s, rows.settings.watch_full_pass_s = 0.1, 0.5
    time.sleep(0.2)

    def state() -> SourceState:
        with rows.catalog.read() as session:
            return session.scalars(select(Source.state)).one()

    with Watched(rows, photos):
        photos.rename(photos.with_name("unplugged"))
        wait_for(lambda: state() is SourceState.AWAY)
        assert set(statuses(rows)) == {ImageStatus.PENDING}
        photos.with_name("unplugged").rename(photos)
        wait_for(lambda: state() is SourceState.HERE)


def test_hidden_folders_and_links_stay_nobodys_photos(watched, photos, tmp_path):
    outside = paint(tmp_path / "outside" / "x.jpg", 50)
    (photos / "link.jpg").symlink_to(outside)
    paint(photos / ".thumbnails" / "y.jpg", 51)
    paint(photos / "last.jpg", 52)
    wait_for(lambda: is_recorded(watched.resources, photos / "last.jpg"))
    assert len(statuses(watched.resources)) == 7


def test_a_stop_ends_a_pass_in_its_middle_and_forgets_nothing(rows, photos):
    report = ScanReport(COLLECTION, roots=roots.given(rows, COLLECTION, [photos]))
    scan.read_roots(rows, report, report.roots, None, Wishes())
    stop = threading.Event()
    watcher = Watcher(rows, report, Wishes(), stop)
    with rows.catalog.begin() as session:
        session.execute(update(Source).values(files=6))
    later = ScanReport(COLLECTION)
    stop.set()
    with pytest.raises(scan.Stopped):
        scan.read_roots(rows, later, report.roots, None, watcher._wishes)
    assert set(statuses(rows)) == {ImageStatus.PENDING}
