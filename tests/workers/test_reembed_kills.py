"""kill -9 the worker while it embeds a collection anew: it goes on by itself, nothing lost, nothing twice."""

import json
import os
import signal
import subprocess

import pytest
import redis
from sqlalchemy import func, select

from app import library
from app.catalog.models import Change, Collection, Embedding, Image, Reembedding, Worker
from app.catalog.states import ImageStatus
from app.resources import Resources, open_resources
from tests import servers
from tests.conftest import make_settings
from tests.program import SLOW, Program, wait_until
from tests.workers.test_kills import five_hundred
from tests.workshop import COLLECTION

OLD, NEW = "dinoseek_tiny14", SLOW


def worker_at_it(resources: Resources, dead: set[int]) -> int | None:
    """The process number of a worker that holds pictures to embed anew and was not killed yet."""
    holds = select(Reembedding.owner).where(Reembedding.status == ImageStatus.WORKING)
    with resources.catalog.read() as session:
        alive = session.scalars(select(Worker.pid).where(Worker.name.in_(holds))).all()
    return next((pid for pid in alive if pid not in dead), None)


def kill_workers(resources: Resources, switch: subprocess.Popen, times: int) -> set[int]:
    dead: set[int] = set()
    while len(dead) < times:
        pid = wait_until(lambda: worker_at_it(resources, dead) or switch.poll() is not None, "a worker at it")
        assert pid is not True, switch.communicate()
        os.kill(pid, signal.SIGKILL)
        dead.add(pid)
    return dead


def assert_gone_over_whole(resources: Resources, count: int) -> None:
    with resources.catalog.read() as session:
        vectors = session.execute(select(Embedding.model_key_id, func.count()).group_by(Embedding.model_key_id)).all()
        states = session.execute(select(Image.status, func.count()).group_by(Image.status)).all()
        answering = session.scalar(select(Collection.model_key_id))
        left = [session.scalar(select(func.count()).select_from(table)) for table in (Change, Reembedding)]
    assert sorted(map(tuple, vectors)) == [(1, count), (2, count)]  # its primary key is picture and model: none twice
    assert list(map(tuple, states)) == [(ImageStatus.READY, count)]
    assert (answering, left) == (2, [0, 0])


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_ten_kills_in_a_change_of_500_pictures_lose_nothing(tmp_path):
    folder = five_hundred(tmp_path / "five hundred")
    with Program(tmp_path / "home", batch_images=4, model=OLD) as program:
        program.json("ingest", folder, "-c", COLLECTION)
        resources = open_resources(make_settings(program.home))
        switch = program.start("collections", "switch", COLLECTION, "--model", NEW, "--json")
        kill_workers(resources, switch, 10)
        out, err = switch.communicate(timeout=900)
        assert switch.returncode == 0, err
        assert (json.loads(out)["model"], json.loads(out)["state"]) == (NEW, "done")
        assert_gone_over_whole(resources, 500)
        resources.catalog.dispose()


@pytest.mark.soak
def test_with_a_broker_that_forgets_and_postgresql_the_same(tmp_path, many, postgres_url):
    with servers.redis(tmp_path) as broker:
        knobs = {"database_url": postgres_url, "broker_url": broker, "sweep_s": 2, "batch_images": 4, "model": OLD}
        with Program(tmp_path / "home", **knobs) as program:
            program.start("worker")
            program.json("ingest", many, "-c", COLLECTION)
            resources = open_resources(make_settings(program.home, database_url=postgres_url))
            switch = program.start("collections", "switch", COLLECTION, "--model", NEW, "--json")
            kill_workers(resources, switch, 1)
            redis.Redis.from_url(broker).flushall()
            out, err = switch.communicate(timeout=300)
            assert switch.returncode == 0, err
            assert json.loads(out)["model"] == NEW
            assert_gone_over_whole(resources, 60)
            resources.catalog.dispose()


@pytest.mark.soak
def test_a_change_whose_command_was_killed_too_is_made_by_any_worker(tmp_path, many):
    """Nobody says it again: the next worker finds the change in the rows, and ends it with the switch."""
    with Program(tmp_path / "home", batch_images=4, model=OLD) as program:
        program.json("ingest", many, "-c", COLLECTION)
        resources = open_resources(make_settings(program.home))
        switch = program.start("collections", "switch", COLLECTION, "--model", NEW)
        pid = wait_until(lambda: worker_at_it(resources, set()), "a worker at it")
        switch.kill()
        os.kill(pid, signal.SIGKILL)
        assert library.collection(resources, COLLECTION).model == OLD
        program.start("worker")
        wait_until(lambda: library.collection(resources, COLLECTION).model == NEW, "the switch")
        assert_gone_over_whole(resources, 60)
        resources.catalog.dispose()
