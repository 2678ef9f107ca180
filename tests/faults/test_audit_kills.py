"""kill -9 while files go into quarantine and come back: each is in its place, or in quarantine as a row says."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.catalog.audit_models import Move
from app.catalog.states import BatchStatus, MoveState
from app.faults import Point
from app.resources import open_resources
from tests.audits.tree import Held, Tree, held, shelved
from tests.conftest import make_settings
from tests.faults.crasher import report
from tests.faults.mover import VERBS
from tests.program import Program, wait_until

MOVING = (
    Point.BEFORE_LEDGER,
    Point.AFTER_LEDGER,
    Point.AFTER_JOURNAL,
    Point.BEFORE_MOVE,
    Point.AFTER_MOVE,
    Point.AFTER_MOVED,
)
LINKING = (*MOVING, Point.MID_LINK)
RETURNING = (Point.BEFORE_RETURN, Point.AFTER_RETURN, Point.AFTER_RETURNED)
UNLINKING = (*RETURNING, Point.MID_RETURN)
POINTS = {"move": MOVING, "link": LINKING}
BACK_POINTS = {"move": RETURNING, "link": UNLINKING}
CASES = [(verb, point) for verb in POINTS for point in POINTS[verb]]
BACK_CASES = [(verb, point) for verb in BACK_POINTS for point in BACK_POINTS[verb]]
PAIRS = 5
SOAK_FILES, SOAK_KILLS = 1000, 200
AT_A_POINT = 0.5  # of the kills; the others come at any moment
AWAY = (MoveState.PLANNED, MoveState.MOVED)


class Mover:
    """A tree, and processes that move its copies and may be killed. `prove` after each."""

    def __init__(self, folder: Path, database_url: str, files: int) -> None:
        self.program = Program(folder / "home", database_url=database_url)
        self.folder = folder
        self.tree = Tree(open_resources(make_settings(folder / "home", database_url=database_url)), folder / "photos")
        for number in range(files // 2):
            self.tree.pair(f"{number % 10}/{number}", f"picture {number}".encode() * (1 + number % 50))
        self.tree.known()
        self.before: Held = held(self.tree.root)
        self.ran = 0

    def close(self) -> None:
        self.program.close()
        self.tree.resources.catalog.dispose()

    def start(self, verb: str, point: Point | None = None) -> subprocess.Popen:
        """It has begun when this returns."""
        self.ran += 1
        armed = {} if point is None else {"DINOSEEK_FAULT": f"{point}:{self.folder / f'killed{self.ran}'}"}
        command = [sys.executable, "-m", "tests.faults.mover", verb, str(self.tree.audit_id)]
        environment = self.program.environment | armed
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begins\n", process.communicate()
        return process

    def finish(self, process: subprocess.Popen) -> bool:
        """False: it was killed. Where it came through, nothing was refused."""
        out, err = process.communicate(timeout=120)
        if process.returncode == -signal.SIGKILL:
            return False
        assert (process.returncode, out, err) == (0, "0\n", "")
        return True

    def kill(self, verb: str, point: Point) -> None:
        assert not self.finish(self.start(verb, point))

    def run(self, verb: str) -> None:
        """To its end, here: who goes on after a kill is another process in any case."""
        assert VERBS[verb](self.tree.resources, self.tree.audit_id) == 0

    def prove(self) -> None:
        """Every file is what it was, in its place or where a row says; and nothing lies there that no row knows."""
        rows = self.rows_away()
        there, aside = held(self.tree.root), shelved(self.tree.root)
        lost = [n for n, fact in self.before.items() if there.get(n) != fact and aside.get(rows.get(n)) != fact]
        assert lost == []
        assert {name for name in aside if name not in rows.values()} == set()
        assert there.keys() <= self.before.keys()

    def rows_away(self) -> dict[str, str]:
        """Where each file lies that is in quarantine, or may be, as its row says."""
        with self.tree.resources.catalog.read() as session:
            rows = session.scalars(select(Move).where(Move.state.in_(AWAY))).all()
        root = self.tree.root
        return {
            str(Path(row.path).relative_to(root)): os.fsdecode(row.quarantine_bytes).removeprefix(f"{root}/")
            for row in rows
        }

    def prove_all_moved(self, verb: str) -> None:
        assert len(self.rows_away()) == len(shelved(self.tree.root)) == len(self.before) // 2
        assert self.tree.marked() == set()
        places = len(self.before) if verb == "link" else len(self.before) // 2
        assert len(self.tree.shown()) == places

    def prove_all_back(self) -> None:
        assert held(self.tree.root) == self.before
        assert (shelved(self.tree.root), self.rows_away()) == ({}, {})
        assert self.tree.shown() == {self.tree.root / name for name in self.before}
        assert {batch.status for batch in self.tree.batches()} <= {BatchStatus.DONE, BatchStatus.RESTORED}


@pytest.fixture
def mover(tmp_path, catalogue_url, request) -> Iterator[Mover]:
    opened = Mover(tmp_path, catalogue_url, getattr(request, "param", 2 * PAIRS))
    yield opened
    opened.close()


@pytest.fixture
def small(tmp_path) -> Iterator[Mover]:
    opened = Mover(tmp_path, f"sqlite:///{tmp_path / 'catalogue.db'}", 2 * PAIRS)
    yield opened
    opened.close()


def kill_while_moving(mover: Mover, verb: str, point: Point) -> None:
    mover.kill(verb, point)
    mover.prove()
    mover.run(verb)
    mover.prove()
    mover.prove_all_moved(verb)
    mover.run("restore")
    mover.prove_all_back()


def kill_while_returning(mover: Mover, verb: str, point: Point) -> None:
    mover.run(verb)
    mover.kill("restore", point)
    mover.prove()
    mover.run("restore")
    mover.prove_all_back()


@pytest.mark.parametrize(("verb", "point"), [("move", Point.AFTER_MOVE), ("link", Point.MID_LINK)])
def test_a_quarantine_that_is_killed_loses_nothing(small, verb, point):
    kill_while_moving(small, verb, point)


@pytest.mark.parametrize(("verb", "point"), [("move", Point.AFTER_RETURN), ("link", Point.MID_RETURN)])
def test_a_restore_that_is_killed_loses_nothing(small, verb, point):
    kill_while_returning(small, verb, point)


@pytest.mark.parametrize("point", [Point.AFTER_MOVE, Point.MID_LINK])
def test_what_a_killed_quarantine_left_comes_back_at_once(small, point):
    """No second quarantine goes before."""
    small.kill("link" if point is Point.MID_LINK else "move", point)
    small.run("restore")
    small.prove_all_back()


def test_a_worker_finishes_the_rows_of_a_quarantine_that_was_killed(small):
    small.kill("move", Point.AFTER_MOVE)
    assert len(small.tree.shown()) == 2 * PAIRS
    small.program.start_logged(small.folder / "worker.log", "worker")
    wait_until(lambda: len(small.tree.shown()) == 2 * PAIRS - 1, "the file that moved to be shown no more")
    small.prove()
    assert [batch.status for batch in small.tree.batches()] == [BatchStatus.DONE]


@pytest.mark.soak
@pytest.mark.parametrize(("verb", "point"), CASES)
def test_a_quarantine_killed_at_each_point_loses_nothing(mover, verb, point):
    kill_while_moving(mover, verb, point)


@pytest.mark.soak
@pytest.mark.parametrize(("verb", "point"), BACK_CASES)
def test_a_restore_killed_at_each_point_loses_nothing(mover, verb, point):
    kill_while_returning(mover, verb, point)


class Killer:
    """Kills a mover at random until it came through; half of the time at a named point."""

    def __init__(self, mover: Mover, seed: int) -> None:
        self._mover, self._chance = mover, random.Random(seed)
        self.killed = {"at a point": 0, "at random": 0}
        self.took_s = {"move": 1.0, "link": 1.0, "restore": 1.0}

    @property
    def kills(self) -> int:
        return sum(self.killed.values())

    def harry(self, verb: str, points: tuple[Point, ...], most: int) -> None:
        """Until so many kills in all; then it may come through."""
        while self.kills < most:
            at_point = self._chance.random() < AT_A_POINT
            point = self._chance.choice(points) if at_point else None
            if self._strike(verb, point):
                return
            self.killed["at a point" if at_point else "at random"] += 1
            self._mover.prove()
        self._mover.run(verb)

    def _strike(self, verb: str, point: Point | None) -> bool:
        """Whether it came through."""
        process, began = self._mover.start(verb, point), time.monotonic()
        if point is None:
            time.sleep(self._chance.uniform(0, self.took_s[verb]))
            process.kill()
        through = self._mover.finish(process)
        if through and point is None:
            self.took_s[verb] = time.monotonic() - began
        return through


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mover", [SOAK_FILES], indirect=True)
def test_two_hundred_kills_lose_no_byte(mover):
    began, rounds = time.monotonic(), 0
    killer = Killer(mover, seed=7)
    for verb in itertools.cycle(POINTS):
        if killer.kills >= SOAK_KILLS:
            break
        killer.harry(verb, POINTS[verb], SOAK_KILLS)
        mover.prove()
        mover.prove_all_moved(verb)
        killer.harry("restore", BACK_POINTS[verb], SOAK_KILLS)
        mover.prove_all_back()
        rounds += 1
    assert killer.kills >= SOAK_KILLS
    states = [state for _, state in mover.tree.moves()]
    report(
        kind="audit kills",
        database=mover.tree.resources.catalog.url.get_backend_name(),
        killed=killer.killed,
        files=len(mover.before),
        rounds=rounds,
        batches=len(mover.tree.batches()),
        moves={state.value: states.count(state) for state in MoveState},
        seconds=round(time.monotonic() - began),
    )
