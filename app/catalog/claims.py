"""Work on images, claimed from its rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.

When a worker dies, each image in its hands is a suspect and none is convicted: it was one of them, or none. A suspect
is tried again alone, with nothing else in the worker's hands, after all images above suspicion. Only an attempt alone
counts against it, or one whose decoder died of this very image; the third sets it aside. So poison harms its neighbours
once. A worker that its supervisor saw killed from outside is evidence against no image: a kill -9 convicts nothing,
however often it comes.

There are two ledgers of such rows: the images that wait to be searchable, and those to embed under another model key.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, delete, func, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, ImageStatus, Location, Priority, Reembedding, Worker

Ledger = type[Image] | type[Reembedding]
LEDGERS: tuple[Ledger, ...] = (Image, Reembedding)  # in the order they are worked off: new pictures first

RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile
HOST_PATIENCE_S = 3 * 86400.0  # a host may be off over a weekend; then others look for its pictures, and give up
SUSPECT = "worker_died"  # code of an image that a worker held when it died
MOST_PARDONS = 20  # claims of one image; what kills from outside each time, as a memory guard may, is poison too
SUSPICION = "the worker died while it held this picture"


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    ledger: Ledger
    row_id: int  # in the ledger
    image_id: int
    fence: int
    attempts: int
    suspect: bool  # to be tried alone
    digest: str


def claim(
    session: Session,
    collection_id: int,
    *,
    owner: str,
    limit: int,
    lease_s: float,
    ledger: Ledger = Image,
    priority: Priority | None = None,
    host: str = "",
) -> list[Claim]:
    """Up to `limit` waiting images: those a person waits for, else those never tried first; of suspects one alone.

    `priority`: of this one alone. `host`: those whose bytes it can have. Attempts are counted now, before work starts.
    """
    waiting = select(ledger.id).where(ledger.collection_id == collection_id, *_is_waiting(ledger, priority, host))
    clean = waiting.where(~_is_suspect(ledger))
    ids = (
        _first(session, ledger, clean.where(ledger.priority == Priority.PERSON), limit)
        or _first(session, ledger, clean, limit)
        or _first(session, ledger, waiting.where(_is_suspect(ledger)), 1)
    )
    rows = session.execute(
        update(ledger)
        .where(ledger.id.in_(ids))
        .values(
            status=ImageStatus.WORKING,
            owner=owner,
            fence=ledger.fence + 1,
            attempts=ledger.attempts + 1,
            lease_until=db_now() + lease_s,
        )
        .returning(ledger.id, ledger.image_id, ledger.fence, ledger.attempts, _is_suspect(ledger))
    ).all()
    digests = dict(session.execute(select(Image.id, Image.digest).where(Image.id.in_([row[1] for row in rows]))).all())
    return sorted((Claim(ledger, *row, digests[row[1]]) for row in rows), key=lambda claimed: claimed.image_id)


def _first(session: Session, ledger: Ledger, waiting: Select, limit: int) -> Sequence[int]:
    chosen = waiting.order_by(ledger.priority, ledger.attempts, ledger.id).limit(limit)
    return session.scalars(chosen.with_for_update(skip_locked=True)).all()


def renew(session: Session, owner: str, lease_s: float) -> int:
    """Push the lease of everything `owner` holds; how many that is."""
    return _lease(session, [owner], db_now() + lease_s)


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
    change = {"not_before": db_now() + wait_s, "code": code, "reason": reason}
    _finish(session, [claimed], **_uncounted(claimed.ledger), **change)


def undo(session: Session, claims: Sequence[Claim]) -> None:
    """Nothing was tried: they wait again as before."""
    if claims:
        _finish(session, claims, **_uncounted(claims[0].ledger))


def wait_for_host(session: Session, claimed: Claim, code: str, reason: str, wait_s: float) -> None:
    """As `put_back`, of one at none of its places: another host may have it. After days of that it is refused."""
    ledger = claimed.ledger
    over = ledger.away_since < db_now() - HOST_PATIENCE_S
    changes = _uncounted(ledger) | {
        "status": case((over, ImageStatus.FAILED), else_=ImageStatus.PENDING),
        "not_before": db_now() + wait_s,
        "away_since": func.coalesce(ledger.away_since, db_now()),
    }
    _finish(session, [claimed], code=code, reason=reason, **changes)


def expire(session: Session, max_attempts: int) -> int:
    """Take back the images of workers whose lease ran out: to be tried alone, or set aside. How many."""
    held = _held_by_owner(session)
    dead = {owner for ledger in LEDGERS for owner in _overdue(session, ledger)}
    alone = {owner for owner in dead if held[owner] == 1}
    return _charge(session, alone, max_attempts) + _suspect(session, dead - alone)


def _held_by_owner(session: Session) -> Counter[str]:
    held: Counter[str] = Counter()
    for ledger in LEDGERS:
        rows = select(ledger.owner, func.count()).where(ledger.status == ImageStatus.WORKING).group_by(ledger.owner)
        held.update(dict(session.execute(rows).all()))
    return held


def _overdue(session: Session, ledger: Ledger) -> Sequence[str]:
    """Owners of whom one lease ran out: they have died with all they hold."""
    return session.scalars(select(ledger.owner).where(*_is_overdue(ledger)).distinct()).all()


def _charge(session: Session, owners: Iterable[str], max_attempts: int) -> int:
    """These held one image alone: the attempt counts, and the last one sets it aside."""
    return sum(_release(session, ledger, owners, **_charged(ledger, max_attempts)) for ledger in LEDGERS)


def _charged(ledger: Ledger, max_attempts: int) -> dict:
    spent = ledger.attempts >= max_attempts
    aside = f"set aside after {max_attempts} attempts: the worker died each time while it held this picture alone"
    return {
        "status": case((spent, ImageStatus.FAILED), else_=ImageStatus.PENDING),
        "code": SUSPECT,
        "reason": case((spent, aside), else_=SUSPICION),
    }


def _suspect(session: Session, owners: Iterable[str], most_claims: int | None = None) -> int:
    """No one can say that it was one of these: the attempt counts against none."""
    told = {"code": SUSPECT, "reason": SUSPICION}
    return sum(
        _release(
            session,
            ledger,
            owners,
            *(() if most_claims is None else (ledger.fence <= most_claims,)),
            **_uncounted(ledger),
            **told,
        )
        for ledger in LEDGERS
    )


def _release(session: Session, ledger: Ledger, owners: Iterable[str], *which: ColumnElement[bool], **values) -> int:
    held = (ledger.owner.in_(list(owners)), ledger.status == ImageStatus.WORKING)
    return session.execute(
        update(ledger)
        .where(*held, *which)
        .values(owner=None, lease_until=None, not_before=db_now(), **values)
        .execution_options(synchronize_session=False)
    ).rowcount


def let_go(session: Session, owner: str) -> None:
    """Let the leases of all that `owner` holds run out now, as when it died: its task failed, maybe of one of them."""
    _lease(session, [owner], 0.0)


def give_back(session: Session, owner: str) -> int:
    """Leave all that `owner` holds to the next worker, as if never claimed: what failed was no image. How many."""
    return sum(_release(session, ledger, [owner], **_uncounted(ledger)) for ledger in LEDGERS)


def absolve(session: Session, owners: Iterable[str]) -> int:
    """Take back what workers held that were killed from outside. How many images."""
    return _suspect(session, owners, MOST_PARDONS)


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


def collections_waiting(session: Session, priority: Priority | None = None, host: str = "") -> list[int]:
    """Ids of collections with images that `host` can claim now, or to take back from a dead worker first.

    Those with new pictures come first.
    """
    found = (session.scalars(_waiting_in(ledger, priority, host)) for ledger in LEDGERS)
    return list(dict.fromkeys(collection_id for ids in found for collection_id in ids))


def _waiting_in(ledger: Ledger, priority: Priority | None, host: str) -> Select:
    here = select(ledger.id).where(ledger.collection_id == Collection.id)
    # two questions: asked in one, with OR, SQLite reads every row of the collection, twice a second
    waits = here.where(*_is_waiting(ledger, priority, host)).exists() | here.where(*_is_overdue(ledger)).exists()
    return select(Collection.id).where(Collection.deleted_at.is_(None), waits)


def waits(
    session: Session, collection_id: int, ledger: Ledger, priority: Priority | None = None, host: str = ""
) -> bool:
    """Whether there is an image to claim now."""
    waiting = (ledger.collection_id == collection_id, *_is_waiting(ledger, priority, host))
    return session.scalar(select(ledger.id).where(*waiting).limit(1)) is not None


def unclaimed_s(session: Session, collection_id: int) -> float | None:
    """Seconds for which work here has waited for a worker to claim it. None: none waits, or somebody is at work here.

    The picture whose turn is next decides: its wait, cut by the last batch that anybody stored.
    """
    at_work = (Image.status == ImageStatus.WORKING, Image.lease_until >= db_now())
    if session.scalar(select(Image.id).where(Image.collection_id == collection_id, *at_work).limit(1)):
        return None
    next_up = select(db_now(), Image.created_at, Image.not_before, Collection.worked_at).join_from(Image, Collection)
    mine = next_up.where(Image.collection_id == collection_id, *_is_waiting(Image))
    row = session.execute(mine.order_by(Image.priority, Image.attempts, Image.id).limit(1)).first()
    if row is None:
        return None
    now, created_at, not_before, worked_at = row
    return max(0.0, now - max(created_at, not_before, worked_at or 0.0))


def _is_waiting(ledger: Ledger, priority: Priority | None = None, host: str = "") -> tuple[ColumnElement[bool], ...]:
    now = (ledger.status == ImageStatus.PENDING, ledger.not_before <= db_now())
    wanted = () if priority is None else (ledger.priority == priority,)
    return (*now, *wanted, _within_reach(ledger, host)) if host else (*now, *wanted)


def _within_reach(ledger: Ledger, host: str) -> ColumnElement[bool]:
    """In our storage, or seen on a disk of this host or of all; or not found by its own host for days."""
    own = aliased(Image)
    overdue = own.created_at < db_now() - HOST_PATIENCE_S
    kept = select(own.id).where(own.id == ledger.image_id, own.stored | overdue)
    disks = select(Location.id).where(Location.image_id == ledger.image_id, Location.host.in_(["", host]))
    return kept.exists() | disks.exists()


def _is_overdue(ledger: Ledger) -> tuple[ColumnElement[bool], ...]:
    return (ledger.status == ImageStatus.WORKING, ledger.lease_until < db_now())


def _is_suspect(ledger: Ledger) -> ColumnElement[bool]:
    return func.coalesce(ledger.code, "") == SUSPECT


def _uncounted(ledger: Ledger) -> dict:
    return {"status": ImageStatus.PENDING, "attempts": ledger.attempts - 1}


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
