"""`dinoseek ingest` as a person runs it: its answer, a disk that is away, watching until it is told to end."""

import json
import signal
import sqlite3
import time
import zipfile

import pytest

from tests.conftest import paint
from tests.program import PATIENCE_S, Program

CONTRACT = {"collection", "seen", "added", "known", "failed", "skipped", "seconds", "failures"}


@pytest.fixture
def program(tmp_path):
    with Program(tmp_path / "home", watch_quiet_s=0.5, away_retry_s=1) as opened:
        yield opened


def rows(program: Program, statement: str) -> list[tuple]:
    with sqlite3.connect(program.home / "dinoseek.db", timeout=30) as catalogue:
        return catalogue.execute(statement).fetchall()


def wait_for(program: Program, statement: str, wanted: list[tuple]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (found := rows_or_none(program, statement)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def rows_or_none(program: Program, statement: str) -> list[tuple] | None:
    try:
        return rows(program, statement)
    except sqlite3.OperationalError:
        return None


def test_folders_files_and_archives_in_one_answer(ask, photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(paint(tmp_path / "elsewhere" / "7.jpg", 7), "trip/7.jpg")
        archive.writestr("trip/broken.jpg", b"\xff\xd8\xff nonsense")
    answer = ask("ingest", photos, photos / "0.jpg", tmp_path / "more.zip", "-c", "photos")
    assert answer.keys() >= CONTRACT
    counts = {name: answer[name] for name in ("seen", "added", "known", "failed", "skipped")}
    assert counts == {"seen": 8, "added": 7, "known": 0, "failed": 1, "skipped": 0}
    assert [failure["path"] for failure in answer["failures"]] == [f"{tmp_path}/more.zip/trip/broken.jpg"]
    hits = ask("search", tmp_path / "elsewhere" / "7.jpg", "-c", "photos", "-k", "1")["hits"]
    assert hits[0]["path"] == f"{tmp_path}/more.zip/trip/7.jpg"


def test_a_disk_that_is_away_is_an_answer_and_no_error(program, here, ask, photos):
    ask("ingest", photos, "-c", "photos", "--no-wait")
    photos.rename(photos.with_name("unplugged"))
    done = here("ingest", photos, "-c", "photos", "--json")  # and does not wait for the disk for ever
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert [absent["address"] for absent in answer["away"]] == [str(photos)]
    assert f"{photos} is away, nothing of it is forgotten" in done.stderr.replace("\n", " ")
    assert rows(program, "SELECT status, count(*) FROM images GROUP BY status") == [("pending", 6)]
    photos.with_name("unplugged").rename(photos)
    assert ask("ingest", photos, "-c", "photos")["known"] == 6
    assert rows(program, "SELECT status, count(*) FROM images GROUP BY status") == [("ready", 6)]


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_watching_makes_new_files_searchable_and_ends_in_order(program, ask, photos, number):
    ask("collections", "create", "photos")
    watching = program.start("ingest", photos, "-c", "photos", "--watch", "--json")
    ready = "SELECT count(*) FROM images WHERE status = 'ready'"
    wait_for(program, ready, [(6,)])
    paint(photos / "new.jpg", 60)
    wait_for(program, ready, [(7,)])
    watching.send_signal(number)
    out, err = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(out)["added"] == 7
    assert rows(program, "SELECT count(*) FROM workers") == [(0,)]  # its worker was stopped, too


def test_an_address_whose_library_is_missing_is_one_line_and_makes_no_collection(here, ask):
    done = here("ingest", "gs://bucket/photos", "-c", "photos")
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install gcsfs" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert ask("collections", "list") == []
