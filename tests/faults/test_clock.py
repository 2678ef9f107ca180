"""Workers whose clocks are ten minutes apart: no lease that lives is taken, and a dead one's is, in its time.

On servers: leases are told by PostgreSQL's clock. SQLite is one host's, whose processes share a clock.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from tests import servers
from tests.faults.crasher import Crasher, children, report
from tests.program import wait_until

LEASE_S = 15.0  # beaten every five seconds
SKEWS = ("+10m", "-10m", "+0m")


@pytest.fixture
def crasher(tmp_path, postgres_url):
    with servers.redis(tmp_path) as broker:
        opened = Crasher(
            tmp_path, database_url=postgres_url, broker_url=broker, sweep_s=2, lease_s=LEASE_S, batch_images=8
        )
        yield opened
        opened.close()


def work_with_wrong_clocks(crasher: Crasher, feed: int) -> None:
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    library = servers.need(found and str(found), "libfaketime", "install the package faketime")
    crasher.record(crasher.paint(feed))
    # the library itself: the program `faketime` would stand between us and the supervisor, as a parent of its own
    # dates alone are wrong on such a host: with a faked monotonic clock Python's timed waits would never end
    wrong = {"LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    supervisors = [crasher.hire(FAKETIME=skew, **wrong)[0] for skew in SKEWS]
    wait_until(lambda: len(crasher.holders()) == len(SKEWS), "all three at work")
    assert {row.fence for row in crasher.rows() if row.owner} == {1}
    crasher.wait_until_done(300)
    assert {(row.fence, row.attempts) for row in crasher.rows()} == {(1, 1)}  # no lease was taken from who lived
    took_s = [inherit(crasher, supervisor) for supervisor in supervisors[:2]]
    crasher.prove()
    report(kind="clock", skews=SKEWS, pictures=len(crasher.rows()), stolen=0, inherited_after_s=took_s)


def inherit(crasher: Crasher, supervisor) -> float:
    """Seconds until others have done what a worker held whose host is gone: its supervisor dies, it stands still."""
    worker = worker_of(supervisor)

    def is_at_work() -> bool:
        crasher.keep_busy(60)  # the others may have done all before it looks
        return worker in crasher.holders()

    wait_until(is_at_work, "it at work")
    supervisor.kill()
    os.kill(worker, signal.SIGSTOP)
    stood = time.monotonic()
    crasher.wait_until_done(LEASE_S + 60)
    took_s = time.monotonic() - stood
    os.kill(worker, signal.SIGKILL)
    return round(took_s, 1)


def worker_of(supervisor) -> int:
    (worker,) = children(supervisor.pid)
    return worker


@pytest.mark.soak
def test_clocks_ten_minutes_apart_steal_no_lease(crasher):
    work_with_wrong_clocks(crasher, feed=300)
