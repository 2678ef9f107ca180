"""Rows that contradict other rows of their collection: what to look for, and what sets it right, as a table.

Nothing here touches a picture. What is removed is derived (vectors, claims) or learned anew by the next ingest (paths).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, delete, func, or_, select, union, update
from sqlalchemy.orm import Session, aliased

from app.catalog import collections, renewals
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.models import (
    Change,
    Collection,
    Embedding,
    Image,
    Location,
    ModelKey,
    Reembedding,
    Regions,
    Snapshot,
)
from app.catalog.snapshots import PUBLISHED
from app.catalog.states import ImageStatus, Kind, SnapshotStatus

PRESENT = (ImageStatus.PENDING, ImageStatus.WORKING, ImageStatus.READY)

Vectors = type[Embedding] | type[Regions]
VECTORS: tuple[Vectors, ...] = (Embedding, Regions)  # what is derived of an image under a model key, one row each

Find = Callable[[Collection], Select | CompoundSelect]
Repair = Callable[[Session, Collection, Sequence[int]], None]


@dataclass(frozen=True)
class Flaw:
    """One row: `find` selects ids, `repair` gets them. Later rows may repair what earlier ones leave."""

    kind: str
    meaning: str  # what is wrong, and what becomes of it
    find: Find
    repair: Repair


def found(session: Session, collection: Collection, flaw: Flaw) -> list[int]:
    return list(session.scalars(flaw.find(collection)))


def embed_again(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    """Drop the vectors of these images and have them made anew; readers hide the images meanwhile.

    Images that are gone or refused stay so: nobody can embed them now.
    """
    seq = collections.next_seq(session, collection.id)
    fresh = {"status": ImageStatus.PENDING, "attempts": 0, "not_before": db_now(), "owner": None, "lease_until": None}
    for chosen in portions(image_ids):
        for table in VECTORS:
            session.execute(delete(table).where(table.image_id.in_(chosen), _of_model(table, collection)))
        present = (Image.id.in_(chosen), Image.status.in_(PRESENT))
        session.execute(update(Image).where(*present).values(**fresh, changed_seq=seq))


def _drop_vectors(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    for chosen in portions(image_ids):
        for table in VECTORS:
            here = (table.image_id.in_(chosen), table.collection_id == collection.id)
            session.execute(delete(table).where(*here))


def _drop_paths(session: Session, collection: Collection, location_ids: Sequence[int]) -> None:
    for chosen in portions(location_ids):
        session.execute(delete(Location).where(Location.id.in_(chosen)))


def _end_claims(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    for chosen in portions(image_ids):
        idle = (Image.id.in_(chosen), Image.status != ImageStatus.WORKING)  # one may have been claimed meanwhile
        session.execute(update(Image).where(*idle).values(owner=None, lease_until=None))


def _drop_work(session: Session, collection: Collection, row_ids: Sequence[int]) -> None:
    """What is missing is noted again before any switch."""
    for chosen in portions(row_ids):
        session.execute(delete(Reembedding).where(Reembedding.id.in_(chosen)))


def _raise_seq(session: Session, collection: Collection, _: Sequence[int]) -> None:
    """Behind every number that is in use; readers have seen none above it."""
    used = [
        *(select(func.max(table.seq)).where(table.collection_id == collection.id) for table in VECTORS),
        select(func.max(Image.changed_seq)).where(Image.collection_id == collection.id),
    ]
    highest = max(session.scalar(statement) or 0 for statement in used)
    session.execute(update(Collection).where(Collection.id == collection.id).values(seq=highest + 1))


def _unpublish(kind: Kind, session: Session, collection: Collection, _: Sequence[int]) -> None:
    session.execute(update(Collection).where(Collection.id == collection.id).values({PUBLISHED[kind]: None}))


def _retire(session: Session, collection: Collection, snapshot_ids: Sequence[int]) -> None:
    session.execute(update(Snapshot).where(Snapshot.id.in_(snapshot_ids)).values(status=SnapshotStatus.RETIRED))


def _of_model(table: Vectors, collection: Collection) -> ColumnElement[bool]:
    return table.model_key_id == collection.model_key_id


def _without(table: Vectors, collection: Collection) -> Select:
    """Pictures that are called searchable and have none."""
    vector = select(table.image_id).where(table.image_id == Image.id, _of_model(table, collection))
    ready = (Image.collection_id == collection.id, Image.status == ImageStatus.READY)
    return select(Image.id).where(*ready, ~vector.exists())


def _without_regions(collection: Collection) -> Select:
    """Where the model key has detail."""
    detailed = select(ModelKey.id).where(ModelKey.id == collection.model_key_id, ModelKey.detail != "off")
    return _without(Regions, collection).where(detailed.exists())


def _strange_vectors(collection: Collection) -> CompoundSelect:
    """Filed under this collection, of an image that is not there or in another one."""
    return union(*(_strange(table, collection) for table in VECTORS))


def _strange(table: Vectors, collection: Collection) -> Select:
    owner = select(Image.id).where(Image.id == table.image_id, Image.collection_id == collection.id)
    return select(table.image_id).where(table.collection_id == collection.id, ~owner.exists())


def _misfiled_vectors(collection: Collection) -> CompoundSelect:
    """Of an image of this collection, filed under another one: no reader finds it."""
    return union(*(_misfiled(table, collection) for table in VECTORS))


def _misfiled(table: Vectors, collection: Collection) -> Select:
    image = select(Image.id).where(Image.id == table.image_id, Image.collection_id == collection.id)
    elsewhere = (_of_model(table, collection), table.collection_id != collection.id)
    return select(table.image_id).where(*elsewhere, image.exists())


def _early_vectors(collection: Collection) -> CompoundSelect:
    """Of a picture that waits to be embedded: its worker would find the place taken."""
    waits = (Image.collection_id == collection.id, Image.status == ImageStatus.PENDING)
    early = (
        select(Image.id).join(table, table.image_id == Image.id).where(*waits, _of_model(table, collection))
        for table in VECTORS
    )
    return union(*early)


def _strange_paths(collection: Collection) -> Select:
    owner = select(Image.id).where(Image.id == Location.image_id, Image.collection_id == collection.id)
    return select(Location.id).where(Location.collection_id == collection.id, ~owner.exists())


def _ahead(collection: Collection) -> CompoundSelect:
    """Numbered above the last number that was given out: a reader that has seen that one would never read these."""
    vectors = (
        select(table.image_id).where(table.collection_id == collection.id, table.seq > collection.seq)
        for table in VECTORS
    )
    changes = select(Image.id).where(Image.collection_id == collection.id, Image.changed_seq > collection.seq)
    return union(changes, *vectors)


def _held_by_nobody(collection: Collection) -> Select:
    working = (Image.collection_id == collection.id, Image.status == ImageStatus.WORKING)
    return select(Image.id).where(*working, or_(Image.owner.is_(None), Image.lease_until.is_(None)))


def _held_in_vain(collection: Collection) -> Select:
    idle = (Image.collection_id == collection.id, Image.status != ImageStatus.WORKING)
    return select(Image.id).where(*idle, or_(Image.owner.is_not(None), Image.lease_until.is_not(None)))


def _idle_work(collection: Collection) -> Select:
    """Noted for no change there is and not for the key of now, or held by nobody: a change would wait for ever."""
    change = select(Change.collection_id).where(
        Change.collection_id == Reembedding.collection_id, Change.model_key_id == Reembedding.model_key_id
    )
    strange = and_(~change.exists(), Reembedding.model_key_id != collection.model_key_id)
    lost = and_(
        Reembedding.status == ImageStatus.WORKING,
        or_(Reembedding.owner.is_(None), Reembedding.lease_until.is_(None)),
    )
    return select(Reembedding.id).where(Reembedding.collection_id == collection.id, or_(strange, lost))


def _unfit_publication(kind: Kind, collection: Collection) -> Select:
    """The collection, where what it says is published is no published snapshot of its own model and this kind."""
    chosen, pointer = aliased(Snapshot), getattr(Collection, PUBLISHED[kind])
    fit = select(chosen.id).where(
        chosen.id == pointer,
        chosen.kind == kind,
        chosen.collection_id == collection.id,
        chosen.model_key_id == collection.model_key_id,
        chosen.status.in_((SnapshotStatus.PUBLISHED, SnapshotStatus.RETIRED)),
        chosen.checksum.is_not(None),
        chosen.watermark <= collection.seq,
    )
    return select(Collection.id).where(Collection.id == collection.id, pointer.is_not(None), ~fit.exists())


def _dead_builds(collection: Collection) -> Select:
    begun = (SnapshotStatus.BUILDING, SnapshotStatus.VERIFIED)
    building = (Snapshot.collection_id == collection.id, Snapshot.status.in_(begun))
    over = or_(Snapshot.lease_until.is_(None), Snapshot.lease_until < db_now())
    return select(Snapshot.id).where(*building, over)


# fmt: off
FLAWS = (
    Flaw("strange_vector", "vectors of pictures that are not in this collection: removed",
         _strange_vectors, _drop_vectors),
    Flaw("misfiled_vector", "vectors filed under another collection: made anew",
         _misfiled_vectors, embed_again),
    Flaw("no_vector", "pictures called searchable without a vector: embedded again",
         partial(_without, Embedding), embed_again),
    Flaw("no_regions", "pictures without vectors of their parts: described again, and found meanwhile",
         _without_regions, renewals.note),
    Flaw("held_by_nobody", "pictures at work that no worker holds: given back",
         _held_by_nobody, embed_again),
    Flaw("held_in_vain", "finished pictures that a worker still holds: let go",
         _held_in_vain, _end_claims),
    Flaw("early_vector", "vectors of pictures that still wait to be embedded: removed",
         _early_vectors, embed_again),
    Flaw("strange_path", "paths of pictures that are not here: forgotten until seen again",
         _strange_paths, _drop_paths),
    Flaw("idle_work", "pictures noted for a change of model that nobody makes: noted anew",
         _idle_work, _drop_work),
    Flaw("unfit_publication", "a published snapshot that is none of this model's: taken out",
         partial(_unfit_publication, Kind.WHOLE), partial(_unpublish, Kind.WHOLE)),
    Flaw("unfit_regions", "a published snapshot of regions that is none of this model's: taken out",
         partial(_unfit_publication, Kind.REGIONS), partial(_unpublish, Kind.REGIONS)),
    Flaw("dead_build", "builds that died: retired",
         _dead_builds, _retire),
    Flaw("number_ahead", "changes numbered ahead of their time: the count goes past them",
         _ahead, _raise_seq),
)
# fmt: on
