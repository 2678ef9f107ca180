"""A full disk under each store: nothing is acknowledged that isn't there, no file is damaged, and room is enough.

Each test fills the disk, sees one line that says so, makes room, and touches nothing else.
"""

import hashlib
import io
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest

from app import upkeep
from app.index import snapshot
from app.ingest.outage import AWAY_S
from app.storage import Storage
from tests.faults.crasher import Crasher, report
from tests.faults.disk import SmallDisk, small_disk
from tests.program import wait_until
from tests.workshop import COLLECTION

FULL = ("No space left on device", "database or disk is full", "that its disk has room")
PICTURES = 40
FULL_FOR_S = 25.0  # longer than a refused task's pause: it is tried on the full disk again and again
BACK_S = 120.0

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture
def crasher(tmp_path) -> Iterator[Crasher]:
    opened = Crasher(tmp_path, batch_images=8)
    yield opened
    opened.close()


def tells_of_a_full_disk(line: str) -> bool:
    return any(words in line for words in FULL) and "\n" not in line


def assert_nothing_is_held_against(crasher: Crasher) -> None:
    assert {row.attempts for row in crasher.rows()} <= {0, 1}
    assert {row.code for row in crasher.rows()} == {None}


def stay_full(crasher: Crasher) -> str:
    """The one line that a worker tells, of a disk that stays full for a while."""
    (told,) = wait_until(crasher.troubles, "the worker's reason")
    assert tells_of_a_full_disk(told), told
    time.sleep(FULL_FOR_S)
    assert_nothing_is_held_against(crasher)
    return told


def make_room(disk: SmallDisk, crasher: Crasher) -> float:
    """Seconds until all that waited is done."""
    disk.make_room()
    since = time.monotonic()
    crasher.wait_until_done(BACK_S)
    return round(time.monotonic() - since, 1)


def test_thumbnails(crasher):
    with small_disk(crasher.program.home / "thumbs", 1) as disk:
        disk.fill(free_bytes=40_000)
        crasher.ingest(crasher.paint(PICTURES), "--no-wait")
        crasher.hire()
        told = stay_full(crasher)
        took_s = make_room(disk, crasher)
        crasher.prove()
        storage = Storage(crasher.program.home)
        for digest in crasher.acknowledged:
            PIL.Image.open(io.BytesIO(storage.thumbnail(digest).read_bytes())).load()
        report(kind="disk", store="thumbs", told=told, done_after_s=took_s)


def test_originals(crasher):
    """Uploads are refused with the reason while the disk is full, and taken when there is room."""
    folder = crasher.paint(PICTURES)
    with small_disk(crasher.program.home / "originals", 1) as disk:
        disk.fill(free_bytes=60_000)
        crasher.hire()
        taken, refusals = upload_on_full_disk(crasher, disk, folder)
        assert 0 < taken < PICTURES
        crasher.acknowledge(folder)
        took_s = make_room(disk, crasher)
        crasher.prove()
        assert_originals_are_whole(crasher)
        report(kind="disk", store="originals", taken_before_full=taken, told=refusals[0], done_after_s=took_s)


def upload_on_full_disk(crasher: Crasher, disk: SmallDisk, folder: Path) -> tuple[int, list[str]]:
    """How many uploads were acknowledged until the disk was full, and what the others were told."""
    log = crasher.folder / "uploads.log"
    uploader = crasher.program.start_module(log, "tests.faults.uploader", folder)
    wait_until(lambda: any(map(tells_of_a_full_disk, lines(log))), "a refusal")
    time.sleep(2)
    said = lines(log)
    acknowledged = [line for line in said if line[0].isdigit()]
    assert len(crasher.rows()) == len(acknowledged)
    assert_originals_are_whole(crasher)
    disk.make_room()
    assert uploader.wait(timeout=BACK_S) == 0
    return len(acknowledged), [line for line in said if tells_of_a_full_disk(line)]


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def assert_originals_are_whole(crasher: Crasher) -> None:
    storage = Storage(crasher.program.home)
    for row in crasher.rows():
        assert hashlib.sha256(storage.original(row.digest).read_bytes()).hexdigest() == row.digest
    kept = [path for path in (crasher.program.home / "originals").rglob("*") if path.is_file()]
    assert {path.name for path in kept} - {".filler"} == {row.digest for row in crasher.rows()}


def test_snapshots(crasher):
    """The rows answer until there is room for an index."""
    with small_disk(crasher.program.home / "snapshots", 1) as disk:
        disk.fill()
        crasher.ingest(crasher.paint(upkeep.LEAST_TAIL + 20), "--no-wait")
        crasher.hire()
        crasher.wait_until_done(300)
        (told,) = wait_until(crasher.troubles, "the worker's reason")
        assert tells_of_a_full_disk(told), told
        crasher.prove()
        assert upkeep.status(crasher.resources, COLLECTION).snapshot is None
        disk.make_room()
        wait_until(lambda: upkeep.status(crasher.resources, COLLECTION).snapshot, "a snapshot", BACK_S)
        crasher.prove()
        (folder,) = (disk.folder / "1").iterdir()
        assert len(snapshot.open(folder)) == upkeep.LEAST_TAIL + 20
        report(kind="disk", store="snapshots", told=told)


@pytest.fixture
def database_on_small_disk(tmp_path) -> Iterator[tuple[Crasher, SmallDisk]]:
    with small_disk(tmp_path / "disk", 16) as disk:
        opened = Crasher(tmp_path, batch_images=8, database_url=f"sqlite:///{disk.folder}/catalogue.db")
        yield opened, disk
        opened.close()


def test_the_database(database_on_small_disk):
    """A waiting `ingest` and a worker stand still, and go on when there is room: the same processes."""
    crasher, disk = database_on_small_disk
    crasher.ingest(crasher.paint(PICTURES), "--no-wait")
    supervisor = crasher.hire()[0]
    wait_until(crasher.workers, "a worker")
    disk.fill()
    folder = crasher.paint(200)
    log = crasher.folder / "ingest.log"
    ingest = crasher.program.start_logged(log, "ingest", folder, "-c", COLLECTION)
    wait_until(lambda: any(map(tells_of_a_full_disk, lines(log))), "its word")
    time.sleep(min(FULL_FOR_S, AWAY_S / 2))
    assert (ingest.poll(), supervisor.poll()) == (None, None)
    disk.make_room()
    since = time.monotonic()
    assert ingest.wait(timeout=BACK_S) == 0
    crasher.acknowledge(folder)
    took_s = time.monotonic() - since
    crasher.prove()
    with sqlite3.connect(f"file:{disk.folder}/catalogue.db?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    told = next(line for line in lines(log) if tells_of_a_full_disk(line))
    report(kind="disk", store="database", told=told, done_after_s=round(took_s, 1))


def test_the_whole_home(tmp_path):
    """Logs, thumbnails, database and all: a waiting `ingest` says why in one line, and ends when there is room."""
    with small_disk(tmp_path / "home", 16) as disk:
        crasher = Crasher(tmp_path, batch_images=8)
        supervisor = crasher.hire()[0]
        crasher.ingest(crasher.paint(8))
        disk.fill()
        folder, log = crasher.paint(PICTURES), crasher.folder / "ingest.log"
        ingest = crasher.program.start_logged(log, "ingest", folder, "-c", COLLECTION)
        wait_until(lambda: any(map(tells_of_a_full_disk, lines(log))), "its word")
        time.sleep(FULL_FOR_S)
        assert (ingest.poll(), supervisor.poll()) == (None, None)
        disk.make_room()
        assert ingest.wait(timeout=BACK_S) == 0
        crasher.acknowledge(folder)
        crasher.prove()
        report(kind="disk", store="home", told=lines(log)[0])
        crasher.close()


def test_a_home_that_is_full_from_the_start_is_one_line(tmp_path):
    with small_disk(tmp_path / "home", 16) as disk:
        crasher = Crasher(tmp_path)
        crasher.close()
        disk.fill()
        refused = crasher.program.run("ingest", crasher.paint(8), "-c", COLLECTION)
        (told,) = refused.stderr.splitlines()
        assert refused.returncode == 1
        assert tells_of_a_full_disk(told), told


def test_temporary_files(crasher):
    """Nothing on a picture's way in needs them."""
    with small_disk(crasher.folder / "temporary", 1) as disk:
        disk.fill()
        crasher.program.environment["TMPDIR"] = str(disk.folder)
        crasher.hire()
        document = crasher.ingest(crasher.paint(PICTURES))
        assert (document["added"], document["failed"]) == (PICTURES, 0)
        crasher.prove()
        report(kind="disk", store="temporary files", told="nothing: they are not needed")
