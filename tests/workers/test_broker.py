"""A broker that loses everything, or is given garbage: the ledger finds the work again."""

import os
import signal

import pytest
import redis

from app.resources import open_resources
from tests import servers
from tests.conftest import make_settings
from tests.program import SLOW, Program, wait_until
from tests.workers.watching import assert_each_searchable_once, worker_at_work
from tests.workshop import COLLECTION

GARBAGE = (b"", b"{", b"\x80\x04]\x94.", b'{"body": "", "headers": {}}')


@pytest.mark.soak
def test_a_flushed_broker_costs_a_sweep_and_no_picture(tmp_path, many, postgres_url):
    with servers.redis(tmp_path) as broker:
        knobs = {"database_url": postgres_url, "broker_url": broker, "sweep_s": 2, "batch_images": 4, "model": SLOW}
        with Program(tmp_path / "home", **knobs) as program:
            queued = program.json("ingest", many, "-c", COLLECTION, "--no-wait")
            assert queued["added"] == 60
            redis.Redis.from_url(broker).flushall()
            resources = open_resources(make_settings(program.home, database_url=postgres_url))
            program.start("worker")
            pid = wait_until(lambda: worker_at_work(resources, set()), "a worker at work")
            redis.Redis.from_url(broker).flushall()
            os.kill(pid, signal.SIGKILL)
            assert program.json("ingest", many, "-c", COLLECTION)["known"] == 60
            assert_each_searchable_once(resources, 60)
            resources.catalog.dispose()


@pytest.mark.soak
def test_a_worker_is_back_after_garbage_messages(tmp_path, many, postgres_url):
    with servers.redis(tmp_path) as broker:
        knobs = {"database_url": postgres_url, "broker_url": broker, "sweep_s": 1}
        with Program(tmp_path / "home", **knobs) as program:
            redis.Redis.from_url(broker).lpush("bulk", *GARBAGE)
            program.start("worker")
            assert program.json("ingest", many, "-c", COLLECTION)["failed"] == 0
