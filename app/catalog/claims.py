"""Work on images, claimed from its rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.

There are two ledgers of such rows: the images that wait to be searchable, and those to embed under another model key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, delete, select, tuple_, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, ImageStatus, Reembedding, Worker

Ledger = type[Image] | type[Reembedding]
LEDGERS: tuple[Ledger, ...] = (Image, Reembedding)  # in the order they are worked off: new pictures first

# A batch that died is retried in smaller ones, at last alone, so that one poison image convicts only itself.
BATCH_SHARE_BY_ATTEMPTS = {0: 1.0, 1: 0.25}
RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    ledger: Ledger
    row_id: int  # in the ledger
    image_id: int
    fence: int
    attempts: int
    digest: str


def claim(
    session: Session, collection_id: int, *, owner: str, limit: int, lease_s: float, ledger: Ledger = Image
) -> list[Claim]:
    """Up to `limit` waiting images, those never tried before first. Attempts are counted now, before work starts."""
    waiting = (ledger.collection_id == collection_id, *_is_waiting(ledger))
    tried = session.scalar(select(ledger.attempts).where(*waiting).order_by(ledger.attempts, ledger.id).limit(1))
    if tried is None:
        return []
    share = BATCH_SHARE_BY_ATTEMPTS.get(tried, 0.0)
    chosen = (
        select(ledger.id)
        .where(*waiting, ledger.attempts == tried)
        .order_by(ledger.id)
        .limit(max(1, int(limit * share)))
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(ledger)
        .where(ledger.id.in_(session.scalars(chosen).all()))
        .values(
            status=ImageStatus.WORKING,
            owner=owner,
            fence=ledger.fence + 1,
            attempts=ledger.attempts + 1,
            lease_until=db_now() + lease_s,
        )
        .returning(ledger.id, ledger.image_id, ledger.fence, ledger.attempts)
    ).all()
    digests = dict(session.execute(select(Image.id, Image.digest).where(Image.id.in_([row[1] for row in rows]))).all())
    return sorted((Claim(ledger, *row, digests[row[1]]) for row in rows), key=lambda claimed: claimed.image_id)


def renew(session: Session, owner: str, lease_s: float) -> int:
    """Push the lease of everything `owner` holds; how many that is."""
    return _lease(session, [owner], db_now() + lease_s)


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


def give_back(session: Session, claims: Sequence[Claim]) -> None:
    """Nothing was tried: they wait again as before."""
    if claims:
        _finish(session, claims, status=ImageStatus.PENDING, attempts=claims[0].ledger.attempts - 1)


def expire(session: Session, max_attempts: int) -> int:
    """Take back images whose lease ran out: to try again, or set aside when attempts are used up. How many."""
    return sum(_expire(session, ledger, max_attempts) for ledger in LEDGERS)


def _expire(session: Session, ledger: Ledger, max_attempts: int) -> int:
    dead = (ledger.status == ImageStatus.WORKING, ledger.lease_until < db_now())
    spent = ledger.attempts >= max_attempts
    aside = f"set aside after {max_attempts} attempts: the worker died each time while it held this picture"
    return session.execute(
        update(ledger)
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
    _lease(session, [owner], 0.0)


def end_leases(session: Session, owners: Iterable[str]) -> None:
    """Let the leases of workers known to be dead run out now."""
    dead = list(owners)
    _lease(session, dead, 0.0)
    session.execute(delete(Worker).where(Worker.name.in_(dead)))


def _lease(session: Session, owners: Sequence[str], until: ColumnElement[float] | float) -> int:
    """Set until when these hold what they hold; how many images that is."""
    return sum(
        session.execute(
            update(ledger)
            .where(ledger.owner.in_(owners), ledger.status == ImageStatus.WORKING)
            .values(lease_until=until)
        ).rowcount
        for ledger in LEDGERS
    )


def collections_waiting(session: Session) -> list[int]:
    """Ids of collections with images to claim now, or to take back from a dead worker first; new pictures first."""
    found = (session.scalars(_waiting_in(ledger)) for ledger in LEDGERS)
    return list(dict.fromkeys(collection_id for ids in found for collection_id in ids))


def _waiting_in(ledger: Ledger) -> Select:
    overdue = (ledger.status == ImageStatus.WORKING, ledger.lease_until < db_now())
    here = select(ledger.id).where(ledger.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*_is_waiting(ledger)).exists() | here.where(*overdue).exists()
    return select(Collection.id).where(Collection.deleted_at.is_(None), waits)


def waits(session: Session, collection_id: int, ledger: Ledger) -> bool:
    """Whether there is an image to claim now."""
    waiting = (ledger.collection_id == collection_id, *_is_waiting(ledger))
    return session.scalar(select(ledger.id).where(*waiting).limit(1)) is not None


def _is_waiting(ledger: Ledger) -> tuple[ColumnElement[bool], ...]:
    return (ledger.status == ImageStatus.PENDING, ledger.not_before <= db_now())


def _finish(session: Session, claims: Sequence[Claim], **values) -> set[int]:
    """Change the rows that are still ours, all of one ledger; the ids of their images."""
    if not claims:
        return set()
    ledger = claims[0].ledger
    ours = tuple_(ledger.id, ledger.fence).in_([(c.row_id, c.fence) for c in claims])
    rows = session.execute(
        update(ledger)
        .where(ours, ledger.status == ImageStatus.WORKING)
        .values(owner=None, lease_until=None, **values)
        .returning(ledger.image_id)
        .execution_options(synchronize_session=False)
    )
    return set(rows.scalars())
