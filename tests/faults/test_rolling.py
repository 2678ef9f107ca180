"""Workers stopped in order and started again, under load: each ends its batch, and none is done twice."""

import time

import pytest

from app.cli.supervisor import STOP_S
from app.ingest.embed import LEAST_BATCH
from tests.faults.crasher import Crasher, report, stop
from tests.program import wait_until

FEED = 300


def roll(crasher: Crasher, stops: int, feed: int) -> None:
    crasher.record(crasher.paint(feed))
    workers = crasher.hire(2)
    took_s = []
    for _ in range(stops):
        wait_until(lambda: both_at_work(crasher, feed), "both workers at work")
        asked, oldest = time.monotonic(), workers.pop(0)
        stop(oldest, 2 * STOP_S)
        took_s.append(round(time.monotonic() - asked, 2))
        workers += crasher.hire()
    crasher.wait_until_done(300)
    crasher.prove()
    repeated = sum(row.fence - 1 for row in crasher.rows())
    report(kind="rolling", stops=stops, longest_stop_s=max(took_s), pictures=len(crasher.rows()), repeated=repeated)
    assert len(took_s) == stops
    assert max(took_s) <= STOP_S
    assert repeated <= stops * LEAST_BATCH


def both_at_work(crasher: Crasher, feed: int) -> bool:
    """A worker that starts while the other works needs seconds: there must be work left."""
    crasher.keep_busy(feed)
    return len(crasher.holders()) == 2


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_twenty_rolling_restarts_lose_nothing_and_repeat_no_more_than_a_batch_each(crasher):
    roll(crasher, stops=20, feed=FEED)
