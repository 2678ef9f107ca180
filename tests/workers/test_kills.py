"""kill -9 the worker in the middle of its work: every photo ends searchable, exactly once, by nobody's hand."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import library
from app.catalog.models import Image
from app.catalog.states import ImageStatus
from app.resources import Resources, open_resources
from tests.conftest import SHARED, make_settings, paint
from tests.program import SLOW, Program, wait_until
from tests.vision.processes import has_ended
from tests.workers.watching import assert_each_searchable_once, worker_at_work
from tests.workshop import COLLECTION


def kill_workers(resources: Resources, ingest: subprocess.Popen, times: int) -> set[int]:
    """Kill the worker each time it has pictures in its hands; the killed process numbers."""
    dead: set[int] = set()
    while len(dead) < times and ingest.poll() is None:
        pid = wait_until(lambda: worker_at_work(resources, dead) or ingest.poll() is not None, "a worker at work")
        if pid is True:
            break
        os.kill(pid, signal.SIGKILL)
        dead.add(pid)
    return dead


def killing_spree(tmp_path: Path, folder: Path, count: int, kills: int) -> None:
    with Program(tmp_path / "home", batch_images=8, model=SLOW) as program:
        resources = open_resources(make_settings(program.home))
        ingest = program.start("ingest", folder, "-c", COLLECTION, "--json")
        dead = kill_workers(resources, ingest, kills)
        out, err = ingest.communicate(timeout=600)
        assert ingest.returncode == 0, err
        assert len(dead) == kills
        assert json.loads(out)["added"] == count
        assert_each_searchable_once(resources, count)
        resources.catalog.dispose()


@pytest.mark.soak
def test_three_kills_lose_nothing(tmp_path, many):
    killing_spree(tmp_path, many, 60, 3)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_kills_in_an_ingest_of_500_photos_lose_nothing(tmp_path):
    killing_spree(tmp_path, five_hundred(tmp_path / "five hundred"), 500, 10)


def five_hundred(folder: Path) -> Path:
    """Real photos where there are some, painted ones elsewhere."""
    folder.mkdir()
    real = sorted(path for path in (SHARED / "photos" / "distractors").rglob("*") if path.is_file())
    for path in real[:500]:
        shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
    for number in range(len(real), 500):
        paint(folder / f"{number}.jpg", number, size=(640, 480))
    return folder


def test_a_worker_whose_supervisor_was_killed_ends_by_itself(tmp_path, many, encoders):
    with Program(tmp_path / "home", batch_images=4, model=SLOW) as program:
        resources = open_resources(make_settings(program.home))
        library.create_collection(resources, COLLECTION, SLOW, encoders=encoders)
        ingest = program.start("ingest", many, "-c", COLLECTION)
        pid = wait_until(lambda: worker_at_work(resources, set()), "a worker at work")
        ingest.kill()
        wait_until(lambda: has_ended(pid), "the worker's end")
        held = select(func.count()).where(Image.status == ImageStatus.WORKING)
        with resources.catalog.read() as session:
            assert session.scalar(held) == 0  # an orderly end: nothing is held, nothing counted against a picture
        done = program.json("ingest", many, "-c", COLLECTION)
        assert (done["known"], done["failed"]) == (60, 0)
        assert_each_searchable_once(resources, 60)
        resources.catalog.dispose()
