"""kill -9 at each named point of an ingest, on both backends: what was acknowledged is there, once."""

import hashlib
import signal
from pathlib import Path

import pytest

from app.faults import Point
from app.storage import Storage
from tests.faults.crasher import Crasher
from tests.faults.test_audit_kills import LINKING, UNLINKING
from tests.faults.test_audit_run_kills import FORMING
from tests.program import wait_until
from tests.workshop import COLLECTION

PICTURES = 24
SCANNING = (Point.BEFORE_RECORD, Point.AFTER_RECORD, Point.BEFORE_ENQUEUE)
UPLOADING = (Point.MID_STORE, Point.AFTER_STORE, Point.AFTER_RECORD, Point.BEFORE_ENQUEUE)
WORKING = (
    Point.BEFORE_CLAIM,
    Point.AFTER_CLAIM,
    Point.MID_DECODE,
    Point.AFTER_DECODE,
    Point.AFTER_EMBED,
    Point.AFTER_DETAILS,
    Point.MID_STORE,
    Point.AFTER_THUMBNAIL,
    Point.BEFORE_COMMIT,
    Point.AFTER_COMMIT,
    Point.BEFORE_ENQUEUE,
)


def test_every_point_is_killed_at_somewhere():
    assert set(SCANNING + UPLOADING + WORKING + FORMING + LINKING + UNLINKING) == set(Point)


def armed(crasher: Crasher, point: Point) -> dict[str, str]:
    return {"DINOSEEK_FAULT": f"{point}:{marker(crasher)}"}


def marker(crasher: Crasher) -> Path:
    return crasher.folder / "killed"


def kill_while_working(crasher: Crasher, point: Point) -> None:
    """One worker, killed there once; its supervisor starts it again and it does the rest."""
    folder = crasher.paint(PICTURES)
    crasher.ingest(folder, "--no-wait")
    crasher.hire(**armed(crasher, point))
    wait_until(marker(crasher).exists, f"a kill at {point}")
    crasher.wait_until_done(crasher.settings.lease_s + 60)
    crasher.prove()


def kill_while_scanning(crasher: Crasher, point: Point) -> None:
    """The first `ingest` dies; the second one, told the same, does what is left, and a worker what is there."""
    folder = crasher.paint(PICTURES)
    log = crasher.folder / "ingest.log"
    ingest = crasher.program.start_logged(log, "ingest", folder, "-c", COLLECTION, **armed(crasher, point))
    assert ingest.wait(timeout=120) == -signal.SIGKILL
    crasher.hire()
    document = crasher.ingest(folder)
    assert (document["added"] + document["known"], document["failed"]) == (PICTURES, 0)
    crasher.prove()


def kill_while_uploading(crasher: Crasher, point: Point) -> None:
    """What was said to be there before the kill is; the rest comes with a second try."""
    folder = crasher.paint(PICTURES)
    log, uploader = crasher.folder / "uploads.log", "tests.faults.uploader"
    first = crasher.program.start_module(log, uploader, folder, **armed(crasher, point))
    assert first.wait(timeout=120) == -signal.SIGKILL
    assert_acknowledged_is_kept(crasher, log)
    assert crasher.program.start_module(log, uploader, folder).wait(timeout=120) == 0
    crasher.acknowledge(folder)
    assert_acknowledged_is_kept(crasher, log)
    crasher.hire()
    crasher.wait_until_done(60)
    crasher.prove()


def assert_acknowledged_is_kept(crasher: Crasher, log: Path) -> None:
    """Its row is there and its own copy is whole; under no digest lie other bytes."""
    storage, digests = Storage(crasher.program.home), {row.id: row.digest for row in crasher.rows()}
    for line in log.read_text().splitlines():
        image_id, path = line.split(" ", 1)
        assert storage.original(digests[int(image_id)]).read_bytes() == Path(path).read_bytes()
    for kept in (crasher.program.home / "originals").rglob("*"):
        if kept.is_file() and kept.suffix != ".part":
            assert hashlib.sha256(kept.read_bytes()).hexdigest() == kept.name


@pytest.mark.soak
@pytest.mark.parametrize("point", WORKING)
def test_a_worker_killed_at_each_point_loses_nothing(crasher, point):
    kill_while_working(crasher, point)


@pytest.mark.soak
@pytest.mark.parametrize("point", SCANNING)
def test_an_ingest_killed_at_each_point_loses_nothing(crasher, point):
    kill_while_scanning(crasher, point)


@pytest.mark.soak
@pytest.mark.parametrize("point", UPLOADING)
def test_an_upload_killed_at_each_point_was_acknowledged_truly_or_not_at_all(crasher, point):
    kill_while_uploading(crasher, point)


def test_a_worker_killed_before_its_commit_loses_nothing(embedded):
    kill_while_working(embedded, Point.BEFORE_COMMIT)


@pytest.mark.parametrize("point", [Point.AFTER_DETAILS, pytest.param(Point.BEFORE_COMMIT, marks=pytest.mark.soak)])
def test_a_worker_killed_between_details_and_rows_leaves_each_picture_both(detailed, point):
    kill_while_working(detailed, point)
