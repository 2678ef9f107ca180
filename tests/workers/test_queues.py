"""A person who waits for one picture does not wait for the thousands that were poured in."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import library
from app.ingest import receive, scan
from app.ingest.progress import Progress, progress
from app.jobs import Queue
from app.resources import Resources, open_resources
from tests import servers
from tests.conftest import make_settings, paint
from tests.program import SLOW, Program, wait_until

BULK, PERSON = "poured in", "of a person"
MANY, FEW = 30, 8


@pytest.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.soak)])
def site(request, tmp_path, encoders) -> Iterator[tuple[Program, Resources]]:
    """A home with two collections, and the program on it; no worker runs yet."""
    knobs: dict[str, object] = {"batch_images": 4, "model": SLOW}
    with contextlib.ExitStack() as stack:
        if request.param == "redis":
            knobs["broker_url"] = stack.enter_context(servers.redis(tmp_path))
            knobs["database_url"] = request.getfixturevalue("postgres_url")
        program = stack.enter_context(Program(tmp_path / "home", **knobs))
        resources = open_resources(make_settings(tmp_path / "home", **knobs))
        for name in (BULK, PERSON):
            library.create_collection(resources, name, encoders=encoders, model=SLOW)
        yield program, resources
        resources.catalog.dispose()


def pour_in(resources: Resources, folder: Path, count: int = MANY) -> None:
    for number in range(count):
        paint(folder / f"{number}.jpg", number)
    assert scan.ingest(resources, [folder], BULK).counts["added"] == count


def upload(resources: Resources, folder: Path, name: str) -> None:
    picture = paint(folder / "mine.jpg", 777)
    assert receive.upload(resources, name, picture.name, picture.read_bytes()).outcome is receive.Outcome.ADDED


def state(resources: Resources, name: str) -> Progress:
    return progress(resources, name)


@pytest.mark.parametrize("name", [BULK, pytest.param(PERSON, marks=pytest.mark.soak)])
def test_an_upload_is_searchable_while_what_was_poured_in_waits(site, tmp_path, name):
    program, resources = site
    pour_in(resources, tmp_path / "many")
    program.start("worker")
    wait_until(lambda: state(resources, BULK).ready, "the first batch of many")
    upload(resources, tmp_path, name)
    wait_until(lambda: _upload_is_ready(resources, name), "the upload")
    assert state(resources, BULK).waiting > 8
    wait_until(lambda: not state(resources, BULK).waiting, "all the others")


def _upload_is_ready(resources: Resources, name: str) -> bool:
    return any(facts.name == "mine.jpg" for facts in library.pictures(resources, name, 0, 100))


@pytest.mark.parametrize(
    ("queue", "left"), [(Queue.QUERIES, {BULK: FEW, PERSON: 0}), (Queue.BULK, {BULK: 0, PERSON: 1})]
)
def test_a_worker_of_one_queue_leaves_the_other_alone(site, tmp_path, queue, left):
    program, resources = site
    pour_in(resources, tmp_path / "few", FEW)
    upload(resources, tmp_path, PERSON)
    program.start("worker", "--queue", queue)
    done = next(name for name, waiting in left.items() if not waiting)
    wait_until(lambda: not state(resources, done).waiting, f"what was {done}")
    assert {name: state(resources, name).waiting for name in left} == left
