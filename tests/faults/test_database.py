"""PostgreSQL restarted in the middle of batches, in order and not: nobody who waits for it dies."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests import servers
from tests.faults.crasher import Crasher, report, runs
from tests.program import wait_until

WORKERS = 2
FEED = 300
MODES = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}  # the second one is recovered from as from a crash


class Database:
    """A PostgreSQL server that can be restarted with the very command it was started with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        with self._engine.connect() as connection:
            self._data = Path(connection.scalar(text("SHOW data_directory")))
        self._started: list[subprocess.Popen] = []

    def restart(self, mode: str) -> None:
        pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        subprocess.run(["kill", f"-{MODES[mode].value}", str(pid)], check=True)
        wait_until(lambda: not runs(pid), "PostgreSQL down")
        server = subprocess.Popen(servers.as_postgres(command), stderr=subprocess.DEVNULL)
        self._started.append(server)
        place = make_url(self.url)
        ready = [str(servers.postgres_programs() / "pg_isready"), "-q", "-h", place.host, "-p", str(place.port)]
        servers.wait_until_accepting(ready, server)

    def close(self) -> None:
        self._engine.dispose()
        for server in self._started:
            servers.stop_group(server)


@pytest.fixture
def database() -> Iterator[Database]:
    with servers.postgres() as url:
        opened = Database(url)
        yield opened
        opened.close()


@pytest.fixture
def crasher(tmp_path, database) -> Iterator[Crasher]:
    with servers.redis(tmp_path) as broker:
        opened = Crasher(tmp_path, database_url=database.url, broker_url=broker, sweep_s=2, batch_images=8)
        yield opened
        opened.close()


def survive_restarts(crasher: Crasher, database: Database, rounds: int, feed: int) -> None:
    first = crasher.paint(feed)
    supervisors = crasher.hire(WORKERS)
    ingest = crasher.start_ingest(first)
    wait_until(lambda: crasher.ready() > 0, "the first pictures")
    workers = set(crasher.workers().values())
    for number in range(rounds):
        crasher.keep_busy(feed)
        before = crasher.ready()
        wait_until(lambda before=before: crasher.ready() > before, "work again")
        wait_until(crasher.holders, "a batch under way")
        database.restart(list(MODES)[number % 2])
    assert all(supervisor.poll() is None for supervisor in supervisors)
    document = crasher.finish(ingest, first)
    assert (document["added"] + document["known"], document["failed"]) == (feed, 0)
    crasher.prove()
    rows = crasher.rows()
    report(
        kind="database",
        restarts=rounds,
        pictures=len(rows),
        claimed_again=sum(row.fence > 1 for row in rows),
        workers_never_restarted=sum(map(runs, workers)),
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_database_restarted_twenty_times_in_mid_batch_loses_nothing(crasher, database):
    survive_restarts(crasher, database, rounds=20, feed=FEED)


def test_a_database_restarted_twice_is_outlasted_by_workers_and_a_waiting_ingest(crasher, database):
    survive_restarts(crasher, database, rounds=2, feed=60)
