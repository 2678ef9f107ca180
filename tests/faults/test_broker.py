"""Redis killed -9 or emptied in the middle of an ingest, twenty times: the work goes on by itself."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests import servers
from tests.faults.crasher import Crasher, report, runs
from tests.program import wait_until

WORKERS = 2
FEED = 400
AWAY_S = (0.0, 8.0)  # how long a killed Redis is gone
RESUMED_S = 90.0


class Broker:
    """A Redis that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, servers.free_port()
        self._running = contextlib.ExitStack()
        self.url = self.start()

    def start(self) -> str:
        return self._running.enter_context(servers.redis(self._folder, self._port))

    def kill(self) -> None:
        pid = self._client().info()["process_id"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not runs(pid), "Redis dead")

    def empty(self) -> None:
        self._client().flushall()

    def close(self) -> None:
        self._running.close()

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    opened = Broker(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def crasher(tmp_path, postgres_url, broker) -> Iterator[Crasher]:
    # sweeping as often as by default
    opened = Crasher(tmp_path, database_url=postgres_url, broker_url=broker.url, batch_images=8)
    yield opened
    opened.close()


def lose(broker: Broker, kind: str, away_s: float) -> None:
    if kind == "emptied":
        return broker.empty()
    broker.kill()
    time.sleep(away_s)
    broker.start()
    return None


def kill_holders(crasher: Crasher) -> None:
    """So that what a worker still had in its hands does not carry it over the loss."""
    for pid in crasher.holders():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def survive_losses(crasher: Crasher, broker: Broker, rounds: int, feed: int) -> None:
    chance, resumed_s, killed = random.Random(3), {"killed": [], "emptied": []}, 0
    first = crasher.paint(feed)
    crasher.hire(WORKERS)
    ingest = crasher.start_ingest(first)
    wait_until(lambda: crasher.ready() > 0, "the first pictures")
    for number in range(rounds):
        kind = ("killed", "emptied")[number % 2]
        crasher.keep_busy(feed)
        wait_until(crasher.holders, "a worker at work", RESUMED_S)
        if number % 4 > 1:
            kill_holders(crasher)
            killed += 1
        lose(broker, kind, chance.uniform(*AWAY_S))
        before, back = crasher.ready(), time.monotonic()
        wait_until(lambda before=before: crasher.ready() > before, "work again", RESUMED_S)
        resumed_s[kind].append(round(time.monotonic() - back, 1))
    document = crasher.finish(ingest, first)
    assert (document["added"], document["failed"]) == (feed, 0)
    crasher.prove()
    assert sum(map(len, resumed_s.values())) == rounds
    longest = {kind: max(times) for kind, times in resumed_s.items() if times}
    report(kind="broker", rounds=rounds, with_workers_killed_too=killed, resumed_s=resumed_s, longest_s=longest)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_broker_lost_twenty_times_costs_seconds_and_no_picture(crasher, broker):
    survive_losses(crasher, broker, rounds=20, feed=FEED)
