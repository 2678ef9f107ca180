"""What the supervisor of a worker sees: how it died, and that it can be started again."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app.catalog import claims, workers
from app.catalog.models import Image, Worker
from app.catalog.states import ImageStatus
from app.cli.supervisor import Supervisor
from tests.catalog.rows import make_collection, make_images
from tests.program import wait_until


class Keeper(Supervisor):
    """Keeps a program that does nothing: what is asked here is about its end."""

    spawned = 0

    def _spawn(self, output):
        self.spawned += 1
        return subprocess.Popen(["sleep", "600"], stdout=output, stderr=output)


@pytest.fixture
def keeper(resources) -> Iterator[Keeper]:
    opened = Keeper(resources.settings, resources.settings.home / "logs" / "worker.log")
    yield opened
    opened.stop()


def hold_one(resources, pid: int) -> int:
    """A picture alone in the hands of the worker that is this process; its id."""
    with resources.catalog.begin() as session:
        collection = make_collection(session)
        make_images(session, collection, 1)
        workers.announce(session, "held", "cpu")
        session.execute(update(Worker).values(pid=pid))
        (claimed,) = claims.claim(session, collection.id, owner="held", limit=1, lease_s=60)
    return claimed.image_id


def row(resources, image_id: int) -> Image:
    with resources.catalog.read() as session:
        return session.get_one(Image, image_id)


def die(keeper: Keeper, resources, how: signal.Signals) -> Image:
    """The picture that the worker held alone, after its end and the next one's start."""
    keeper.start()
    pid = wait_until(lambda: keeper._child and keeper._child.pid, "a child")
    image_id = hold_one(resources, pid)
    os.kill(pid, how)
    wait_until(lambda: keeper.spawned == 2, "it started again")
    return row(resources, image_id)


def test_a_worker_killed_from_outside_convicts_no_picture(keeper, resources):
    held = die(keeper, resources, signal.SIGKILL)
    assert (held.status, held.attempts, held.code) == (ImageStatus.PENDING, 0, "worker_died")


def test_a_worker_that_crashed_is_evidence(keeper, resources):
    held = die(keeper, resources, signal.SIGSEGV)
    assert (held.status, held.attempts) == (ImageStatus.WORKING, 1)  # until its lease runs out, or the next one starts


def test_a_worker_killed_for_want_of_memory_is_evidence(keeper, resources, monkeypatch):
    shortages = iter(range(100))
    monkeypatch.setattr("app.cli.supervisor._memory_shortages", lambda: next(shortages))
    held = die(keeper, resources, signal.SIGKILL)
    assert (held.status, held.attempts) == (ImageStatus.WORKING, 1)


def test_a_log_that_can_not_be_written_does_not_end_the_keeping(keeper, resources):
    """As on a full disk: when there is room the worker starts."""
    blocked = resources.settings.home / "logs"
    blocked.write_text("no folder")
    keeper.start()
    with pytest.raises(TimeoutError):
        wait_until(lambda: keeper.spawned, "a child", 1)
    blocked.unlink()
    assert wait_until(lambda: keeper.spawned, "a child")
