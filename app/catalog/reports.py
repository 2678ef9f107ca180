"""An audit as a report goes through it: group by group in a lasting order, a page at a time whatever its size."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.catalog import decisions
from app.catalog.audit_models import Audit, Batch, Decision, Group, Member, Move
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import Tier, Word

FILE = (
    Member.group_id,
    Member.image_id,
    Member.role,
    Member.tier,
    Member.score,
    Member.relations,
    Member.reason,
    Member.loses,
    Member.marked,
    Member.linked,
    Image.digest,
    Image.width_px,
    Image.height_px,
    Image.format,
    Image.taken_at,
)


class Tally(NamedTuple):
    """Of one tier."""

    tier: Tier
    groups: int
    files: int
    reclaimable_bytes: int


def tallies(session: Session, audit_id: int) -> list[Tally]:
    """In the order of the tiers, without those that have no groups."""
    sums = (func.count(), func.sum(Group.members), func.sum(Group.reclaimable_bytes))
    rows = session.execute(select(Group.tier, *sums).where(Group.audit_id == audit_id).group_by(Group.tier))
    found = {tier: Tally(tier, groups, int(files), int(bytes_)) for tier, groups, files, bytes_ in rows}
    return [found[tier] for tier in Tier if tier in found]


def group_ids(session: Session, audit_id: int, tier: Tier) -> Sequence[int]:
    """Of a tier, those that free most first."""
    mine = select(Group.id).where(Group.audit_id == audit_id, Group.tier == tier)
    return session.scalars(mine.order_by(Group.reclaimable_bytes.desc(), Group.id)).all()


def groups(session: Session, ids: Sequence[int]) -> list[Group]:
    """In this order, as far as they are still there."""
    found = {row.id: row for row in session.scalars(select(Group).where(Group.id.in_(ids)))}
    return [found[group_id] for group_id in ids if group_id in found]


def files(session: Session, group_ids: Sequence[int]) -> dict[int, list[Row]]:
    """Members by group, the keeper first, each with what is known of its picture, and its file where that is there.

    A row has FILE, and path, size_bytes: both None for a file that was moved or deleted since.
    """
    found: dict[int, list[Row]] = {group_id: [] for group_id in group_ids}
    place = (Location.path, Location.size_bytes)
    rows = select(*FILE, *place).join(Image, Image.id == Member.image_id)
    located = rows.outerjoin(Location, Location.id == Member.location_id)
    for chosen in portions(list(group_ids)):
        mine = located.where(Member.group_id.in_(chosen)).order_by(Member.group_id, Member.place)
        for row in session.execute(mine):
            found[row.group_id].append(row)
    return found


def decided(session: Session, audit: Audit) -> dict[Word, int]:
    """How many pairs of pictures of the audit's collections each word was said of."""
    both = decisions.seen_in([audit.collection_id, audit.against_id or audit.collection_id])
    rows = session.execute(select(Decision.word, func.count()).where(*both).group_by(Decision.word))
    found = dict(rows.all())
    return {word: found[word] for word in Word if word in found}


def moves(session: Session, audit_id: int, after_id: int, limit: int) -> Sequence[Move]:
    """The ledger of the audit's batches, in the order in which it was written."""
    mine = select(Move).join(Batch, Batch.id == Move.batch_id).where(Batch.audit_id == audit_id, Move.id > after_id)
    return session.scalars(mine.order_by(Move.id).limit(limit)).all()
