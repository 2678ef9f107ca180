"""An audit's groups as a person looks through them: page by page, whatever their number, while it runs and after."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.audits.showing import members
from app.audits.showing.members import MemberFacts
from app.catalog import audits, groups, reviews
from app.catalog.audit_models import Group
from app.catalog.states import COPIES, Tier
from app.resources import Resources

GROUPS_PER_PAGE = 20
MEMBERS_SHOWN = 12  # of each group on a page; a group's own page has all
MEMBERS_PER_PAGE = 120
MOST_COUNTED = 1000


class Sort(enum.StrEnum):
    BYTES = "bytes"  # what frees most first
    DOUBT = "doubt"  # the weakest edge first


ORDERS = {Sort.BYTES: reviews.BY_BYTES, Sort.DOUBT: reviews.BY_DOUBT}


class Cursor(NamedTuple):
    """Where a page begins: after a group's key, or before it; before none is the last page."""

    key: reviews.Key | None
    backwards: bool = False


FIRST, LAST = Cursor(None), Cursor(None, backwards=True)


@dataclass(frozen=True)
class Tally:
    number: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Tallies:
    """How many groups of each tier there are, and what they would free."""

    open: Mapping[Tier, Tally] = field(default_factory=dict)  # what a person still has to look through
    settled: Mapping[Tier, Tally] = field(default_factory=dict)

    def of(self, tier: Tier | None, settled: bool = False) -> Tally:
        """Of one tier; of all that are copies if there is none."""
        counted = self.settled if settled else self.open
        chosen = [counted.get(one, Tally()) for one in (COPIES if tier is None else (tier,))]
        return Tally(sum(tally.number for tally in chosen), sum(tally.bytes for tally in chosen))


@dataclass(frozen=True)
class Marked:
    """Files that are marked for quarantine."""

    files: int
    bytes: int
    stamp: int  # of the very files: others have another


@dataclass(frozen=True)
class GroupFacts:
    id: int
    tier: Tier
    weakest: float
    files: int
    reclaimable_bytes: int
    settled: bool
    marked: int
    members: tuple[MemberFacts, ...]  # the keeper first

    @property
    def more(self) -> int:
        """Files that the page leaves out."""
        return max(0, self.files - len(self.members))


@dataclass(frozen=True)
class GroupPage:
    groups: tuple[GroupFacts, ...]
    number: int  # of the first group, from 1
    total: int
    before: Cursor | None  # of the page before, if there is one
    after: Cursor | None


def tallies(resources: Resources, audit_id: int) -> Tallies:
    counted: dict[bool, dict[Tier, Tally]] = {False: {}, True: {}}
    with resources.catalog.read() as session:
        for tier, settled, number, size in reviews.tallies(session, audit_id):
            counted[bool(settled)][tier] = Tally(number, int(size))
    return Tallies(counted[False], counted[True])


def page(
    resources: Resources,
    audit_id: int,
    counted: Tallies,
    tier: Tier | None = None,
    settled: bool = False,
    sort: Sort = Sort.BYTES,
    cursor: Cursor = FIRST,
    limit: int = GROUPS_PER_PAGE,
) -> GroupPage:
    """Groups of one tier, or of all that are copies, with their first members."""
    order, among = ORDERS[sort], (audit_id, tier, settled)
    total = counted.of(tier, settled).number
    with resources.catalog.read() as session:
        rows, ahead = _rows(session, among, order, cursor, total, limit)
        found = _groups(session, audit_id, rows, 0, MEMBERS_SHOWN - 1)
    behind = ahead + len(rows)
    return GroupPage(
        found,
        number=ahead + 1 if rows else 0,
        total=max(total, behind),
        before=Cursor(_key(rows[0], order), backwards=True) if rows and ahead else None,
        after=Cursor(_key(rows[-1], order)) if rows and behind < total else None,
    )


def group(resources: Resources, audit_id: int, group_id: int, first: int = 1) -> GroupFacts:
    """One group with its keeper and up to `MEMBERS_PER_PAGE` others, from place `first` on. Raises NotFound."""
    with resources.catalog.read() as session:
        row = groups.get(session, audit_id, group_id)
        return _groups(session, audit_id, [row], max(1, first), max(1, first) + MEMBERS_PER_PAGE - 1)[0]


def marked(resources: Resources, audit_id: int) -> Marked:
    with resources.catalog.read() as session:
        return Marked(*reviews.marked(session, audit_id))


def count_marked(resources: Resources, audit_id: int) -> int:
    """How many files are marked for quarantine; no more than `MOST_COUNTED`."""
    with resources.catalog.read() as session:
        return reviews.count_marked(session, audit_id, MOST_COUNTED)


def _rows(session: Session, among: tuple, order: reviews.Order, cursor: Cursor, total: int, limit: int):
    """The groups of a page, and how many come before them."""
    if not cursor.backwards:
        rows = reviews.page(session, *among, order, key=cursor.key, limit=limit)
    else:
        # the last page has what is over from full ones, so that going back from it meets the same pages
        wanted = limit if cursor.key else (total % limit or limit)
        rows = reviews.page_before(session, *among, order, key=cursor.key, limit=wanted)
    if cursor.key is None:  # the first page or the last one: no need to count half of the groups
        return rows, (total - len(rows) if cursor.backwards else 0)
    return rows, reviews.count_before(session, *among, order, _key(rows[0], order)) if rows else 0


def _key(row: Group, order: reviews.Order) -> reviews.Key:
    return getattr(row, order.column), row.id


def _groups(session: Session, audit_id: int, rows: Sequence[Group], first: int, last: int) -> tuple[GroupFacts, ...]:
    ids = [row.id for row in rows]
    found = list(reviews.members(session, ids, first, last))
    if first:
        found = [*reviews.members(session, ids, 0, 0), *found]
    keepers = {row.id: row.keeper_id for row in rows}
    pairs = reviews.pairs(session, audit_id, {(keepers[row[0].group_id], row[0].image_id) for row in found})
    facts = members.of_rows(audits.get(session, audit_id), found, pairs, keepers)
    counted = reviews.marked_in(session, ids)
    return tuple(_group(row, facts, counted.get(row.id, 0)) for row in rows)


def _group(row: Group, found: Sequence[MemberFacts], marked_files: int) -> GroupFacts:
    return GroupFacts(
        id=row.id,
        tier=row.tier,
        weakest=row.weakest,
        files=row.members,
        reclaimable_bytes=row.reclaimable_bytes,
        settled=row.settled,
        marked=marked_files,
        members=tuple(member for member in found if member.group_id == row.id),
    )
