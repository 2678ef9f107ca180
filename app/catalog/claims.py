"""Work on images, claimed from their rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, select, tuple_, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, ImageStatus, Worker

# A batch that died is retried in smaller ones, at last alone, so that one poison image convicts only itself.
BATCH_SHARE_BY_ATTEMPTS = {0: 1.0, 1: 0.25}
RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    image_id: int
    fence: int
    attempts: int
    digest: str
    stored: bool


def claim(session: Session, collection_id: int, *, owner: str, limit: int, lease_s: float) -> list[Claim]:
    """Up to `limit` waiting images, those never tried before first. Attempts are counted now, before work starts."""
    waiting = (Image.collection_id == collection_id, *_is_waiting())
    tried = session.scalar(select(Image.attempts).where(*waiting).order_by(Image.attempts, Image.id).limit(1))
    if tried is None:
        return []
    share = BATCH_SHARE_BY_ATTEMPTS.get(tried, 0.0)
    chosen = (
        select(Image.id)
        .where(*waiting, Image.attempts == tried)
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
    return _finish(session, claims, status=ImageStatus.READY, code=None, reason=None)


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


def end_leases(session: Session, owners: Iterable[str]) -> None:
    """Let the leases of workers known to be dead run out now."""
    held = (Image.owner.in_(list(owners)), Image.status == ImageStatus.WORKING)
    session.execute(update(Image).where(*held).values(lease_until=0.0))
    session.execute(delete(Worker).where(Worker.name.in_(list(owners))))


def collections_waiting(session: Session) -> list[int]:
    """Ids of collections with images to claim now, or to take back from a dead worker first."""
    overdue = (Image.status == ImageStatus.WORKING, Image.lease_until < db_now())
    here = select(Image.id).where(Image.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*_is_waiting()).exists() | here.where(*overdue).exists()
    return list(session.scalars(select(Collection.id).where(Collection.deleted_at.is_(None), waits)))


def unclaimed_s(session: Session, collection_id: int) -> float | None:
    """Seconds for which work here has waited for a worker to claim it. None: none waits, or somebody is at work here.

    The picture whose turn is next decides: its wait, cut by the last batch that anybody stored.
    """
    at_work = (Image.status == ImageStatus.WORKING, Image.lease_until >= db_now())
    if session.scalar(select(Image.id).where(Image.collection_id == collection_id, *at_work).limit(1)):
        return None
    next_up = select(db_now(), Image.created_at, Image.not_before, Collection.worked_at).join_from(Image, Collection)
    mine = (Image.collection_id == collection_id, *_is_waiting())
    row = session.execute(next_up.where(*mine).order_by(Image.attempts, Image.id).limit(1)).first()
    if row is None:
        return None
    now, created_at, not_before, worked_at = row
    return max(0.0, now - max(created_at, not_before, worked_at or 0.0))


def _is_waiting() -> tuple[ColumnElement[bool], ...]:
    return (Image.status == ImageStatus.PENDING, Image.not_before <= db_now())


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
