"""Snapshots: one builder at a time under a lease, published by compare-and-set."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Snapshot
from app.catalog.states import Kind, SnapshotStatus

PUBLISHED = {Kind.WHOLE: "snapshot_id", Kind.REGIONS: "regions_snapshot_id"}  # where a collection says which one is


def start_build(
    session: Session,
    collection_id: int,
    model_key_id: int,
    owner: str,
    lease_s: float,
    kind: Kind = Kind.WHOLE,
) -> Snapshot | None:
    """A BUILDING row, or None while somebody else's build of the collection, of whatever kind, is alive."""
    if is_building(session, collection_id):
        return None
    row = Snapshot(
        collection_id=collection_id,
        model_key_id=model_key_id,
        kind=kind,
        owner=owner,
        lease_until=session.scalar(select(db_now() + lease_s)),
    )
    session.add(row)
    session.flush()
    return row


def is_building(session: Session, collection_id: int) -> bool:
    alive = (Snapshot.status == SnapshotStatus.BUILDING, Snapshot.lease_until > db_now())
    here = select(Snapshot.id).where(Snapshot.collection_id == collection_id, *alive)
    return session.scalar(here.limit(1)) is not None


def renew(session: Session, snapshot_id: int, lease_s: float) -> None:
    """Its builder is alive and at it."""
    building = (Snapshot.id == snapshot_id, Snapshot.status == SnapshotStatus.BUILDING)
    session.execute(update(Snapshot).where(*building).values(lease_until=db_now() + lease_s))


def mark_verified(session: Session, snapshot_id: int, **facts) -> None:
    """Its files are whole on disk and were read back; `facts` say what is in them."""
    row = session.get_one(Snapshot, snapshot_id)
    for name, value in facts.items():
        setattr(row, name, value)
    row.status, row.built_at = SnapshotStatus.VERIFIED, session.scalar(select(db_now()))


def publish(session: Session, snapshot_id: int, replaces: int | None) -> bool:
    """Make a verified snapshot the one readers use, unless another was published meanwhile or the model switched."""
    row = session.get_one(Snapshot, snapshot_id)
    pointer = PUBLISHED[row.kind]
    same = getattr(Collection, pointer).is_not_distinct_from(replaces)
    here = (Collection.id == row.collection_id, Collection.model_key_id == row.model_key_id)
    swap = update(Collection).where(*here, same).values({pointer: snapshot_id})
    won = session.execute(swap).rowcount == 1
    row.status = SnapshotStatus.PUBLISHED if won else SnapshotStatus.RETIRED
    row.lease_until = None
    if won and replaces is not None:
        session.get_one(Snapshot, replaces).status = SnapshotStatus.RETIRED
    return won


def go_over(session: Session, collection: Collection, chosen: Mapping[Kind, int]) -> None:
    """From what the collection has published, if anything, to these snapshots; of other kinds, to none."""
    before = [number for kind in Kind if (number := published_id(collection, kind))]
    for numbers, status in ((before, SnapshotStatus.RETIRED), (chosen.values(), SnapshotStatus.PUBLISHED)):
        session.execute(update(Snapshot).where(Snapshot.id.in_(numbers)).values(status=status, lease_until=None))
    pointers = {PUBLISHED[kind]: chosen.get(kind) for kind in Kind}
    session.execute(update(Collection).where(Collection.id == collection.id).values(pointers))


def give_up(session: Session, snapshot_id: int) -> None:
    row = session.get_one(Snapshot, snapshot_id)
    row.status, row.lease_until = SnapshotStatus.RETIRED, None


def mark_damaged(session: Session, snapshot_id: int, previous: int | None) -> None:
    """Take a damaged snapshot out of service; the one before it, if any, serves again."""
    row = session.get_one(Snapshot, snapshot_id)
    row.status = SnapshotStatus.DAMAGED
    pointer = PUBLISHED[row.kind]
    here = (Collection.id == row.collection_id, getattr(Collection, pointer) == snapshot_id)
    session.execute(update(Collection).where(*here).values({pointer: previous}))


def published_id(collection: Collection, kind: Kind) -> int | None:
    return getattr(collection, PUBLISHED[kind])


def find_published(session: Session, collection: Collection, kind: Kind = Kind.WHOLE) -> Snapshot | None:
    number = published_id(collection, kind)
    return session.get(Snapshot, number) if number else None


def find_previous(session: Session, snapshot: Snapshot) -> Snapshot | None:
    """The generation that served before this one, if its files were kept."""
    before = (Snapshot.collection_id == snapshot.collection_id, Snapshot.id < snapshot.id)
    alike = (Snapshot.model_key_id == snapshot.model_key_id, Snapshot.kind == snapshot.kind)
    built = (Snapshot.status == SnapshotStatus.RETIRED, Snapshot.checksum.is_not(None))
    return session.scalar(select(Snapshot).where(*before, *alike, *built).order_by(Snapshot.id.desc()).limit(1))


def find_newest(session: Session, collection_id: int, model_key_id: int, kind: Kind = Kind.WHOLE) -> Snapshot | None:
    """The last whole snapshot of a model key, whether it serves, waits to, or did before a switch."""
    of_key = (
        Snapshot.collection_id == collection_id,
        Snapshot.model_key_id == model_key_id,
        Snapshot.kind == kind,
    )
    whole = (Snapshot.status != SnapshotStatus.DAMAGED, Snapshot.checksum.is_not(None))
    return session.scalar(select(Snapshot).where(*of_key, *whole).order_by(Snapshot.id.desc()).limit(1))


def ids(session: Session, collection_id: int) -> Sequence[int]:
    return session.scalars(select(Snapshot.id).where(Snapshot.collection_id == collection_id)).all()


def superseded(session: Session, collection: Collection) -> Sequence[int]:
    """Ids of snapshots whose files nobody needs: neither the published one, nor the one before it, nor one being built,

    nor another model key's last, which a switch would use. Those of builders killed at any step are among them.
    """
    kept = [row.id for kind in Kind for row in _needed(session, collection, kind) if row]
    building = (Snapshot.lease_until.is_not(None)) & (Snapshot.lease_until > db_now())
    others = (Snapshot.collection_id == collection.id, Snapshot.id.not_in(kept), ~building)
    return session.scalars(select(Snapshot.id).where(*others)).all()


def _needed(session: Session, collection: Collection, kind: Kind) -> list[Snapshot | None]:
    published = find_published(session, collection, kind)
    previous = find_previous(session, published) if published else None
    others = (Snapshot.collection_id == collection.id, Snapshot.model_key_id != collection.model_key_id)
    other_keys = session.scalars(select(Snapshot.model_key_id).where(*others).distinct())
    return [published, previous, *(find_newest(session, collection.id, key_id, kind) for key_id in other_keys)]
