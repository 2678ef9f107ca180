"""Work on images, claimed from their rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.

When a worker dies, each image in its hands is a suspect and none is convicted: it was one of them, or none. A suspect
is tried again alone, with nothing else in the worker's hands, after all images above suspicion. Only an attempt alone
counts against it, or one whose decoder died of this very image; the third sets it aside. So poison harms its neighbours
once. A worker that its supervisor saw killed from outside is evidence against no image: a kill -9 convicts nothing,
however often it comes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, ImageStatus, Location, Priority, Worker

RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile
HOST_PATIENCE_S = 3 * 86400.0  # a host may be off over a weekend; then others look for its pictures, and give up
SUSPECT = "worker_died"  # code of an image that a worker held when it died
MOST_PARDONS = 20  # claims of one image; what kills from outside each time, as a memory guard may, is poison too
SUSPICION = "the worker died while it held this picture"


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    image_id: int
    fence: int
    attempts: int
    digest: str
    stored: bool
    suspect: bool  # to be tried alone


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
    """Up to `limit` waiting images: those a person waits for, else those never tried first; of suspects one alone.

    `priority`: of this one alone. `host`: those whose bytes it can have. Attempts are counted now, before work starts.
    """
    waiting = select(Image.id).where(Image.collection_id == collection_id, *_is_waiting(priority, host))
    clean = waiting.where(~_is_suspect())
    ids = (
        _first(session, clean.where(Image.priority == Priority.PERSON), limit)
        or _first(session, clean, limit)
        or _first(session, waiting.where(_is_suspect()), 1)
    )
    rows = session.execute(
        update(Image)
        .where(Image.id.in_(ids))
        .values(
            status=ImageStatus.WORKING,
            owner=owner,
            fence=Image.fence + 1,
            attempts=Image.attempts + 1,
            lease_until=db_now() + lease_s,
        )
        .returning(Image.id, Image.fence, Image.attempts, Image.digest, Image.stored, _is_suspect())
    )
    return sorted((Claim(*row) for row in rows), key=lambda claimed: claimed.image_id)


def _first(session: Session, waiting: Select, limit: int) -> Sequence[int]:
    chosen = waiting.order_by(Image.priority, Image.attempts, Image.id).limit(limit).with_for_update(skip_locked=True)
    return session.scalars(chosen).all()


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


def put_back(session: Session, claimed: Claim, code: str, reason: str, wait_s: float) -> None:
    """Let it wait for what it needs: nothing was tried, so the attempt does not count."""
    change = {"attempts": Image.attempts - 1, "not_before": db_now() + wait_s, "code": code, "reason": reason}
    _finish(session, [claimed], status=ImageStatus.PENDING, **change)


def wait_for_host(session: Session, claimed: Claim, code: str, reason: str, wait_s: float) -> None:
    """As `put_back`, of one at none of its places: another host may have it. After days of that it is refused."""
    over = Image.away_since < db_now() - HOST_PATIENCE_S
    changes = {
        "status": case((over, ImageStatus.FAILED), else_=ImageStatus.PENDING),
        "attempts": Image.attempts - 1,
        "not_before": db_now() + wait_s,
        "away_since": func.coalesce(Image.away_since, db_now()),
    }
    _finish(session, [claimed], code=code, reason=reason, **changes)


def expire(session: Session, max_attempts: int) -> int:
    """Take back the images of workers whose lease ran out: to be tried alone, or set aside. How many."""
    held = _held_by_owner(session)
    dead = {owner: count for owner, (count, is_over) in held.items() if is_over}
    alone = [owner for owner, count in dead.items() if count == 1]
    return _charge(session, alone, max_attempts) + _suspect(session, dead.keys() - set(alone))


def _held_by_owner(session: Session) -> dict[str, tuple[int, bool]]:
    """How many images each owner holds, and whether the lease of one ran out: then it has died with all of them."""
    is_over = func.min(Image.lease_until) < db_now()
    rows = select(Image.owner, func.count(), is_over).where(Image.status == ImageStatus.WORKING).group_by(Image.owner)
    return {owner: (count, bool(over)) for owner, count, over in session.execute(rows)}


def _charge(session: Session, owners: Iterable[str], max_attempts: int) -> int:
    """These held one image alone: the attempt counts, and the last one sets it aside."""
    spent = Image.attempts >= max_attempts
    aside = f"set aside after {max_attempts} attempts: the worker died each time while it held this picture alone"
    changes = {
        "status": case((spent, ImageStatus.FAILED), else_=ImageStatus.PENDING),
        "code": SUSPECT,
        "reason": case((spent, aside), else_=SUSPICION),
    }
    return _release(session, owners, **changes)


def _suspect(session: Session, owners: Iterable[str], *which: ColumnElement[bool]) -> int:
    """No one can say that it was one of these: the attempt counts against none."""
    uncounted = {"status": ImageStatus.PENDING, "attempts": Image.attempts - 1}
    return _release(session, owners, *which, code=SUSPECT, reason=SUSPICION, **uncounted)


def _release(session: Session, owners: Iterable[str], *which: ColumnElement[bool], **values) -> int:
    held = (Image.owner.in_(list(owners)), Image.status == ImageStatus.WORKING)
    return session.execute(
        update(Image)
        .where(*held, *which)
        .values(owner=None, lease_until=None, not_before=db_now(), **values)
        .execution_options(synchronize_session=False)
    ).rowcount


def let_go(session: Session, owner: str) -> None:
    """Let the leases of all that `owner` holds run out now, as when it died: its task failed, maybe of one of them."""
    held = (Image.owner == owner, Image.status == ImageStatus.WORKING)
    session.execute(update(Image).where(*held).values(lease_until=0.0))


def give_back(session: Session, owner: str) -> int:
    """Leave all that `owner` holds to the next worker, as if never claimed: what failed was no image. How many."""
    return _release(session, [owner], status=ImageStatus.PENDING, attempts=Image.attempts - 1)


def absolve(session: Session, owners: Iterable[str]) -> int:
    """Take back what workers held that were killed from outside. How many images."""
    return _suspect(session, owners, Image.fence <= MOST_PARDONS)


def end_leases(session: Session, owners: Iterable[str]) -> None:
    """Let the leases of workers known to be dead run out now."""
    held = (Image.owner.in_(list(owners)), Image.status == ImageStatus.WORKING)
    session.execute(update(Image).where(*held).values(lease_until=0.0))
    session.execute(delete(Worker).where(Worker.name.in_(list(owners))))


def collections_waiting(session: Session, priority: Priority | None = None, host: str = "") -> list[int]:
    """Ids of collections with images that `host` can claim now, or to take back from a dead worker first."""
    overdue = (Image.status == ImageStatus.WORKING, Image.lease_until < db_now())
    here = select(Image.id).where(Image.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*_is_waiting(priority, host)).exists() | here.where(*overdue).exists()
    return list(session.scalars(select(Collection.id).where(Collection.deleted_at.is_(None), waits)))


def _is_waiting(priority: Priority | None = None, host: str = "") -> tuple[ColumnElement[bool], ...]:
    now = (Image.status == ImageStatus.PENDING, Image.not_before <= db_now())
    wanted = () if priority is None else (Image.priority == priority,)
    return (*now, *wanted, _within_reach(host)) if host else (*now, *wanted)


def _within_reach(host: str) -> ColumnElement[bool]:
    """In our storage, or seen on a disk of this host or of all; or not found by its own host for days."""
    disks = (Location.image_id == Image.id, Location.host.in_(["", host]))
    overdue = Image.created_at < db_now() - HOST_PATIENCE_S
    return or_(Image.stored, overdue, select(Location.id).where(*disks).exists())


def _is_suspect() -> ColumnElement[bool]:
    return func.coalesce(Image.code, "") == SUSPECT


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
