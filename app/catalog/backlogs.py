"""What waits to be claimed, in two tables: images to be made searchable, and images to embed under another key."""

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, Location, Reembedding
from app.catalog.states import ImageStatus, Priority

Backlog = type[Image] | type[Reembedding]
BACKLOGS: tuple[Backlog, ...] = (Image, Reembedding)  # in the order they are worked off: new pictures first

HOST_PATIENCE_S = 3 * 86400.0  # a host may be off over a weekend; then others look for its pictures, and give up
SUSPECT = "worker_died"  # code of an image that a worker held when it died


def collections_waiting(session: Session, priority: Priority | None = None, host: str = "") -> list[int]:
    """Ids of collections with images that `host` can claim now, or to take back from a dead worker first.

    Those with new pictures come first.
    """
    found = (session.scalars(_waiting_in(backlog, priority, host)) for backlog in BACKLOGS)
    return list(dict.fromkeys(collection_id for ids in found for collection_id in ids))


def _waiting_in(backlog: Backlog, priority: Priority | None, host: str) -> Select:
    here = select(backlog.id).where(backlog.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*is_waiting(backlog, priority, host)).exists() | here.where(*is_overdue(backlog)).exists()
    return select(Collection.id).where(Collection.deleted_at.is_(None), waits)


def waits(
    session: Session,
    collection_id: int,
    backlog: Backlog,
    priority: Priority | None = None,
    host: str = "",
    model_key_id: int | None = None,
) -> bool:
    """Whether there is an image to claim now; to be embedded anew, under this key if one is named."""
    here = (backlog.collection_id == collection_id, *of_key(backlog, model_key_id))
    waiting = (*here, *is_waiting(backlog, priority, host))
    return session.scalar(select(backlog.id).where(*waiting).limit(1)) is not None


def unclaimed_s(session: Session, collection_id: int) -> float | None:
    """Seconds for which work here has waited for a worker to claim it. None: none waits, or somebody is at work here.

    The picture whose turn is next decides: its wait, cut by the last batch that anybody stored.
    """
    at_work = (Image.status == ImageStatus.WORKING, Image.lease_until >= db_now())
    if session.scalar(select(Image.id).where(Image.collection_id == collection_id, *at_work).limit(1)):
        return None
    next_up = select(db_now(), Image.created_at, Image.not_before, Collection.worked_at).join_from(Image, Collection)
    mine = next_up.where(Image.collection_id == collection_id, *is_waiting(Image))
    row = session.execute(mine.order_by(Image.priority, Image.attempts, Image.id).limit(1)).first()
    if row is None:
        return None
    now, created_at, not_before, worked_at = row
    return max(0.0, now - max(created_at, not_before, worked_at or 0.0))


def is_waiting(backlog: Backlog, priority: Priority | None = None, host: str = "") -> tuple[ColumnElement[bool], ...]:
    now = (backlog.status == ImageStatus.PENDING, backlog.not_before <= db_now())
    wanted = () if priority is None else (backlog.priority == priority,)
    return (*now, *wanted, _within_reach(backlog, host)) if host else (*now, *wanted)


def of_key(backlog: Backlog, model_key_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """New pictures are embedded under the collection's key, whichever that is."""
    return () if backlog is Image or model_key_id is None else (backlog.model_key_id == model_key_id,)


def _within_reach(backlog: Backlog, host: str) -> ColumnElement[bool]:
    """In our storage, or seen on a disk of this host or of all; or not found by its own host for days."""
    own = aliased(Image)
    overdue = own.created_at < db_now() - HOST_PATIENCE_S
    kept = select(own.id).where(own.id == backlog.image_id, own.stored | overdue)
    disks = select(Location.id).where(Location.image_id == backlog.image_id, Location.host.in_(["", host]))
    return kept.exists() | disks.exists()


def is_overdue(backlog: Backlog) -> tuple[ColumnElement[bool], ...]:
    return (backlog.status == ImageStatus.WORKING, backlog.lease_until < db_now())


def is_suspect(backlog: Backlog) -> ColumnElement[bool]:
    return func.coalesce(backlog.code, "") == SUSPECT
