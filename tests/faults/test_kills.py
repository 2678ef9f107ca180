"""kill -9 at random, by the hundred: workers, now and then their supervisors and decode children."""

import os
import random
import signal
import subprocess
import time

import pytest

from tests.faults.crasher import Crasher, children, report
from tests.program import wait_until

WORKERS = 3
MOST_BETWEEN = 12  # pictures done between two kills: a worker that never works has nothing to lose
JITTER_S = 0.3
FEED = 400  # pictures at a time
FEW = 60  # pictures; with so few left the killing ends, and the clock of the recovery starts
CHILD_SHARE, SUPERVISOR_SHARE = 0.15, 0.05
RECOVERY_S = 60.0  # beyond a lease


class Killer:
    """Kills whoever runs, at random; who starts a killed supervisor again is the system's service manager: here us."""

    def __init__(self, crasher: Crasher, seed: int) -> None:
        self._crasher = crasher
        self._chance = random.Random(seed)
        self._supervisors = crasher.hire(WORKERS)
        self.killed = {"worker": 0, "child": 0, "supervisor": 0}

    def strike(self) -> None:
        self._let_some_work_be_done()
        pids = list(self._crasher.workers().values())
        draw = self._chance.random()
        if draw < SUPERVISOR_SHARE:
            self._kill_supervisor()
        elif pids and draw < SUPERVISOR_SHARE + CHILD_SHARE:
            self._kill("child", children(self._chance.choice(pids)))
        else:
            self._kill("worker", pids)

    def _let_some_work_be_done(self) -> None:
        target = self._crasher.ready() + self._chance.randint(0, MOST_BETWEEN)
        wait_until(lambda: self._crasher.ready() >= target or not self._crasher.waiting(), "work between kills")
        time.sleep(self._chance.uniform(0, JITTER_S))

    def _kill(self, kind: str, pids: list[int]) -> None:
        if not pids:
            return
        try:
            os.kill(self._chance.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed[kind] += 1

    def _kill_supervisor(self) -> None:
        victim: subprocess.Popen = self._supervisors.pop(0)
        victim.kill()
        victim.wait()
        self.killed["supervisor"] += 1
        self._supervisors += self._crasher.hire()


def killing_spree(crasher: Crasher, kills: int, feed: int, seed: int = 7) -> None:
    first = crasher.paint(feed)
    killer = Killer(crasher, seed)
    wait_until(crasher.workers, "a worker")
    ingest = crasher.start_ingest(first)
    wait_until(lambda: crasher.rows(), "the first pictures")
    while killer.killed["worker"] < kills or crasher.waiting() > FEW:
        if killer.killed["worker"] < kills:
            crasher.keep_busy(feed // 2)
        killer.strike()
    last, left = time.monotonic(), crasher.waiting()
    crasher.wait_until_done(crasher.settings.lease_s + RECOVERY_S)
    took_s = time.monotonic() - last
    document = crasher.finish(ingest, first)
    assert (document["added"], document["failed"]) == (feed, 0)
    crasher.prove()
    assert killer.killed["worker"] >= kills
    fences = [row.fence for row in crasher.rows()]
    report(
        kind="kills",
        database=crasher.resources.catalog.url.get_backend_name(),
        killed=killer.killed,
        pictures=len(fences),
        claimed_again=sum(fence > 1 for fence in fences),
        most_claims=max(fences),
        left_at_last_kill=left,
        done_after_last_kill_s=round(took_s, 1),
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing_and_do_nothing_twice(crasher):
    killing_spree(crasher, kills=200, feed=FEED)
