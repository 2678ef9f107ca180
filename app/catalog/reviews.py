"""What a person looks through: groups in pages that begin at a key, so that the last costs what the first does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.orm import Session

from app.catalog.audit_models import Group, Member, Pair
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import COPIES, Tier

Key = tuple[float, int]  # bytes or doubt of a group, and its id


@dataclass(frozen=True)
class Order:
    """By bytes the most come first, by doubt the weakest edge does. Ids settle what is equal."""

    column: str
    descending: bool

    def value(self) -> ColumnElement:
        return getattr(Group, self.column)

    def sorted(self, statement: Select, backwards: bool) -> Select:
        down = self.descending is not backwards
        return statement.order_by(*(column.desc() if down else column for column in (self.value(), Group.id)))

    def beyond(self, key: Key, backwards: bool) -> ColumnElement[bool]:
        here, there = tuple_(self.value(), Group.id), tuple_(*key)
        return here < there if self.descending is not backwards else here > there


BY_BYTES, BY_DOUBT = Order("reclaimable_bytes", descending=True), Order("weakest", descending=False)


def tallies(session: Session, audit_id: int) -> Sequence[Row]:
    """(tier, settled, groups, bytes), from an index alone."""
    sums = (func.count(), func.coalesce(func.sum(Group.reclaimable_bytes), 0))
    columns = select(Group.tier, Group.settled, *sums).where(Group.audit_id == audit_id)
    return session.execute(columns.group_by(Group.tier, Group.settled)).all()


def page(
    session: Session, audit_id: int, tier: Tier | None, settled: bool, order: Order, *, key: Key | None, limit: int
) -> Sequence[Group]:
    """The groups after `key`, or from the first. No tier: all that are copies."""
    return _page(session, (audit_id, tier, settled), order, key, limit, backwards=False)


def page_before(
    session: Session, audit_id: int, tier: Tier | None, settled: bool, order: Order, *, key: Key | None, limit: int
) -> Sequence[Group]:
    """The groups before `key`, or up to the last, in the same order as `page`."""
    return _page(session, (audit_id, tier, settled), order, key, limit, backwards=True)[::-1]


def count_before(session: Session, audit_id: int, tier: Tier | None, settled: bool, order: Order, key: Key) -> int:
    """How many groups come before the one at `key`."""
    ahead = select(func.count()).select_from(Group).where(*_among(audit_id, tier, settled))
    return session.scalar(ahead.where(order.beyond(key, backwards=True)))


def members(session: Session, group_ids: Sequence[int], first: int, last: int) -> Sequence[Row]:
    """(Member, Image, Location or None) of these groups at these places, in order."""
    rows = select(Member, Image, Location).join(Image, Image.id == Member.image_id)
    rows = rows.outerjoin(Location, Location.id == Member.location_id)
    chosen = (Member.group_id.in_(group_ids), Member.place >= first, Member.place <= last)
    return session.execute(rows.where(*chosen).order_by(Member.group_id, Member.place)).all()


def marked_in(session: Session, group_ids: Sequence[int]) -> dict[int, int]:
    """How many files are marked, by group; what has none is left out."""
    rows = select(Member.group_id, func.count()).where(Member.group_id.in_(group_ids), Member.marked.is_(True))
    return dict(session.execute(rows.group_by(Member.group_id)).all())


def marked(session: Session, audit_id: int) -> tuple[int, int, int]:
    """(files, bytes, sum of location ids) of what is marked in an audit."""
    totals = (func.coalesce(func.sum(column), 0) for column in (Image.size_bytes, Member.location_id))
    sums = select(func.count(), *totals).select_from(Member)
    rows = sums.join(Image, Image.id == Member.image_id).join(Group, Group.id == Member.group_id)
    return tuple(map(int, session.execute(rows.where(Group.audit_id == audit_id, Member.marked.is_(True))).one()))


def count_marked(session: Session, audit_id: int, most: int) -> int:
    """How many files are marked, up to `most`: a hundred thousand take longer to count than a page may."""
    some = select(Member.place).join(Group, Group.id == Member.group_id)
    some = some.where(Group.audit_id == audit_id, Member.marked.is_(True)).limit(most)
    return session.scalar(select(func.count()).select_from(some.subquery()))


def pairs(session: Session, audit_id: int, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Pair]:
    """Of these pairs of images, whichever of the two is the first; by (first_id, second_id)."""
    wanted = sorted({key for one, other in keys for key in ((one, other), (other, one)) if one != other})
    found: dict[tuple[int, int], Pair] = {}
    for chosen in portions(wanted):
        both = tuple_(Pair.first_id, Pair.second_id).in_(chosen)
        rows = session.scalars(select(Pair).where(Pair.audit_id == audit_id, both))
        found |= {(row.first_id, row.second_id): row for row in rows}
    return found


def _page(session: Session, among: tuple, order: Order, key: Key | None, limit: int, backwards: bool):
    statement = select(Group).where(*_among(*among))
    if key is not None:
        statement = statement.where(order.beyond(key, backwards))
    return session.scalars(order.sorted(statement, backwards).limit(limit)).all()


def _among(audit_id: int, tier: Tier | None, settled: bool) -> list[ColumnElement[bool]]:
    tiers = Group.tier.in_(COPIES) if tier is None else Group.tier == tier
    return [Group.audit_id == audit_id, Group.settled.is_(settled), tiers]
