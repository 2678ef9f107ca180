"""Work on images, claimed from their rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, ImageStatus, Location, Priority, Worker

# A batch that died is retried in smaller ones, at last alone, so that one poison image convicts only itself.
BATCH_SHARE_BY_ATTEMPTS = {0: 1.0, 1: 0.25}
RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile
AWAY_S = 15.0  # before a picture is looked for again whose store, or whose disk, was away
HOST_PATIENCE_S = 3 * 86400.0  # a host may be off over a weekend; then others look for its pictures, and give up


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    image_id: int
    fence: int
    attempts: int
    digest: str
    stored: bool


def claim(
    session: Session,
    collection_id: int,
    *,
    owner: str,
    limit: int,
    lease_s: float,
    priority: Priority | None = None,
    host: str = "",
) -> list[Claim]:
    """Up to `limit` waiting images: those a person waits for first, then those never tried before.

    `priority`: of this one alone. `host`: those that it can have the bytes of. Attempts are counted now, before work
    starts.
    """
    waiting = (Image.collection_id == collection_id, *_is_waiting(priority, host))
    order = (Image.priority, Image.attempts)
    first = session.execute(select(*order).where(*waiting).order_by(*order, Image.id).limit(1)).first()
    if first is None:
        return []
    share = BATCH_SHARE_BY_ATTEMPTS.get(first.attempts, 0.0)
    chosen = (
        select(Image.id)
        .where(*waiting, Image.priority == first.priority, Image.attempts == first.attempts)
        .order_by(Image.id)
        .limit(max(1, int(limit * share)))
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(Image)
        .where(Image.id.in_(session.scalars(chosen).all()))
        .values(
            status=ImageStatus.WORKING,
            owner=owner,
            fence=Image.fence + 1,
            attempts=Image.attempts + 1,
            lease_until=db_now() + lease_s,
        )
        .returning(Image.id, Image.fence, Image.attempts, Image.digest, Image.stored)
    )
    return sorted((Claim(*row) for row in rows), key=lambda claimed: claimed.image_id)


def renew(session: Session, owner: str, lease_s: float) -> int:
    """Push the lease of everything `owner` holds; how many that is."""
    held = (Image.owner == owner, Image.status == ImageStatus.WORKING)
    return session.execute(update(Image).where(*held).values(lease_until=db_now() + lease_s)).rowcount


def settle(session: Session, claims: Sequence[Claim]) -> set[int]:
    """Mark claimed images READY; the ids that were still ours, whose embeddings may be stored."""
    return _finish(session, claims, status=ImageStatus.READY, code=None, reason=None, away_since=None)


def fail(session: Session, claimed: Claim, code: str, reason: str) -> None:
    """Refuse this image for good, with its reason."""
    _finish(session, [claimed], status=ImageStatus.FAILED, code=code, reason=reason)


def retry_later(session: Session, claimed: Claim, code: str, reason: str, max_attempts: int) -> None:
    """Put it back to be tried again after a pause, or set it aside when its attempts are used up."""
    if claimed.attempts >= max_attempts:
        return fail(session, claimed, code, f"set aside after {claimed.attempts} attempts: {reason}")
    wait = db_now() + RETRY_DELAY_S * claimed.attempts
    _finish(session, [claimed], status=ImageStatus.PENDING, code=code, reason=reason, not_before=wait)
    return None


def give_back(session: Session, claims: Sequence[Claim], code: str, reason: str) -> None:
    """What stopped these was no fault of theirs: they wait a while, and the attempt does not count."""
    _finish(session, claims, **_uncounted(code, reason))


def wait_for_host(session: Session, claims: Sequence[Claim], code: str, reason: str) -> None:
    """No file of these is where this worker looked: another host may have them, or this one a disk to mount.

    They are refused with the reason once nobody has found them for days.
    """
    over = Image.away_since < db_now() - HOST_PATIENCE_S
    status = case((over, ImageStatus.FAILED), else_=ImageStatus.PENDING)
    since = func.coalesce(Image.away_since, db_now())
    _finish(session, claims, **_uncounted(code, reason) | {"status": status, "away_since": since})


def _uncounted(code: str, reason: str) -> dict:
    return {
        "status": ImageStatus.PENDING,
        "attempts": Image.attempts - 1,
        "code": code,
        "reason": reason,
        "not_before": db_now() + AWAY_S,
    }


def expire(session: Session, max_attempts: int) -> int:
    """Take back images whose lease ran out: to try again, or set aside when attempts are used up. How many."""
    dead = (Image.status == ImageStatus.WORKING, Image.lease_until < db_now())
    spent = Image.attempts >= max_attempts
    aside = f"set aside after {max_attempts} attempts: the worker died each time while it held this picture"
    return session.execute(
        update(Image)
        .where(*dead)
        .values(
            status=case((spent, ImageStatus.FAILED), else_=ImageStatus.PENDING),
            code="worker_died",
            reason=case((spent, aside), else_="the worker died while it held this picture"),
            owner=None,
            lease_until=None,
            not_before=db_now(),
        )
        .execution_options(synchronize_session=False)
    ).rowcount


def let_go(session: Session, owner: str) -> None:
    """Let the leases of all that `owner` holds run out now, as when its task failed. Attempts stay counted."""
    held = (Image.owner == owner, Image.status == ImageStatus.WORKING)
    session.execute(update(Image).where(*held).values(lease_until=0.0))


def return_all(session: Session, owner: str, code: str, reason: str) -> None:
    """`give_back` for all that `owner` holds."""
    held = (Image.owner == owner, Image.status == ImageStatus.WORKING)
    free = {"owner": None, "lease_until": None}
    session.execute(update(Image).where(*held).values(**free, **_uncounted(code, reason)))


def end_leases(session: Session, owners: Iterable[str]) -> None:
    """Let the leases of workers known to be dead run out now."""
    held = (Image.owner.in_(list(owners)), Image.status == ImageStatus.WORKING)
    session.execute(update(Image).where(*held).values(lease_until=0.0))
    session.execute(delete(Worker).where(Worker.name.in_(list(owners))))


def collections_waiting(session: Session, priority: Priority | None = None, host: str = "") -> list[int]:
    """Ids of collections with images to claim now, by `host`, or to take back from a dead worker first."""
    overdue = (Image.status == ImageStatus.WORKING, Image.lease_until < db_now())
    here = select(Image.id).where(Image.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*_is_waiting(priority, host)).exists() | here.where(*overdue).exists()
    return list(session.scalars(select(Collection.id).where(Collection.deleted_at.is_(None), waits)))


def _is_waiting(priority: Priority | None = None, host: str = "") -> tuple[ColumnElement[bool], ...]:
    now = (Image.status == ImageStatus.PENDING, Image.not_before <= db_now())
    wanted = () if priority is None else (Image.priority == priority,)
    return (*now, *wanted, *((_within_reach(host),) if host else ()))


def _within_reach(host: str) -> ColumnElement[bool]:
    """In our storage, or seen on a disk of this host or of all; or not found by its own for days."""
    disks = (Location.image_id == Image.id, Location.host.in_(["", host]))
    overdue = Image.created_at < db_now() - HOST_PATIENCE_S
    return or_(Image.stored, overdue, select(Location.id).where(*disks).exists())


def _finish(session: Session, claims: Sequence[Claim], **values) -> set[int]:
    if not claims:
        return set()
    ours = tuple_(Image.id, Image.fence).in_([(c.image_id, c.fence) for c in claims])
    rows = session.execute(
        update(Image)
        .where(ours, Image.status == ImageStatus.WORKING)
        .values(owner=None, lease_until=None, **values)
        .returning(Image.id)
        .execution_options(synchronize_session=False)
    )
    return set(rows.scalars())
