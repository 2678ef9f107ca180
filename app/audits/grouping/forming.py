"""Groups while the check still goes on: of what is settled so far, for a person who looks through it meanwhile.

They are made around the pictures that were touched since. What is left out here, `regroup_all` makes in the end.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf

from sqlalchemy.orm import Session

from app.audits.finding.lease import Hold
from app.audits.grouping.regrouping import Flood, regroup_around
from app.catalog import audits, files, groups, pairs
from app.catalog.states import LOOSER
from app.faults import Point, reach

EVERY_S = 2.0  # no oftener: a page is drawn again every few seconds
MOST_SHARE = 0.1  # of the time that passes
SEEDS = 100  # pictures whose groups are made in one transaction
MOST_TOGETHER = 2000  # pictures that hang together; more are a flood of frames, and would hold the database for seconds


class Pace:
    """When there is time for it: now and then, and never for more than a share of all that passes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._over = clock, clock(), -inf
        self._spent = self._last = 0.0

    def is_due(self) -> bool:
        return self._clock() - self._over >= EVERY_S

    def allows(self) -> bool:
        """Whether there is time for one more, if it takes as long as the last."""
        return self._spent + self._last <= MOST_SHARE * (self._clock() - self._began)

    @contextmanager
    def spent(self) -> Iterator[None]:
        started = self._clock()
        yield
        self._over = self._clock()
        self._last = self._over - started
        self._spent += self._last


class Forming:
    """The pictures whose groups are to be made. They are lost with the process: the next one asks the rows."""

    def __init__(self, hold: Hold) -> None:
        self._hold, self._pace = hold, Pace()
        self._touched: dict[int, None] = {}
        self._flooded: set[int] = set()
        with hold.resources.catalog.read() as session:
            self._rests = groups.await_check(session, hold.audit_id)
            self._touch(_ungrouped(session, hold.audit_id))

    def note(self, verdicts: Iterable[dict]) -> None:
        """What was settled, as values for the pairs' rows."""
        joined = (row for row in verdicts if row["tier"] in LOOSER)
        self._touch(row[end] for row in joined for end in ("first_id", "second_id"))

    def form(self) -> None:
        """As many groups as there is time for. Raises AuditLost."""
        if not self._pace.is_due():
            return
        while self._touched and self._pace.allows():
            with self._pace.spent():
                self._form(list(self._touched)[:SEEDS])

    def _touch(self, image_ids: Iterable[int]) -> None:
        """Not while groups of an earlier check wait for this one: half of them checked, they would fall apart."""
        if not self._rests:
            self._touched |= dict.fromkeys(image_id for image_id in image_ids if image_id not in self._flooded)

    def _form(self, seeds: Sequence[int]) -> None:
        """A flood among them is left for the end, and found by halves."""
        try:
            self._regroup(seeds)
        except Flood as flood:
            if len(seeds) > 1:
                self._form(seeds[: len(seeds) // 2])
                self._form(seeds[len(seeds) // 2 :])
                return
            self._flooded |= flood.image_ids
        for image_id in seeds:
            del self._touched[image_id]

    def _regroup(self, seeds: Sequence[int]) -> None:
        with self._hold.resources.catalog.begin() as session:
            self._hold.write(session)
            regroup_around(session, audits.get(session, self._hold.audit_id), seeds, MOST_TOGETHER)
            reach(Point.MID_FORMING)


def _ungrouped(session: Session, audit_id: int) -> list[int]:
    """Pictures that have copies by what is settled, and are in no group: a run was killed, or files are the same."""
    audit = audits.get(session, audit_id)
    copied = {image_id for edge in pairs.edges(session, audit_id) for image_id in edge[:2]}
    if audit.against_id is None:
        copied |= set(files.at_several_places(session, audit.collection_id))
    return sorted(copied - groups.grouped(session, audit_id))
