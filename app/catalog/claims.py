"""Work on images, claimed from its rows: lease, fencing token, attempts. The broker only wakes workers.

A claim is a row set WORKING under a lease that a heartbeat renews. `settle` and `fail` change a row only while its
fencing token is still the claim's, so a worker that comes late, or twice, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, case, func, select, tuple_, update
from sqlalchemy.orm import Session

from app.catalog import backlogs
from app.catalog.backlogs import Backlog, is_suspect, is_waiting, of_key
from app.catalog.clock import db_now
from app.catalog.models import Image
from app.catalog.states import ImageStatus, Priority

RETRY_DELAY_S = 2.0  # times attempts: a short fault passes meanwhile


@dataclass(frozen=True)
class Claim:
    """One image that is ours until its lease runs out."""

    backlog: Backlog
    row_id: int
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
    backlog: Backlog = Image,
    priority: Priority | None = None,
    host: str = "",
    model_key_id: int | None = None,
) -> list[Claim]:
    """Up to `limit` waiting images: those a person waits for, else those never tried first; of suspects one alone.

    `priority`: of this one alone. `host`: those whose bytes it can have. `model_key_id`: of those to be embedded anew,
    under this one alone. Attempts are counted now, before work starts.
    """
    here = (backlog.collection_id == collection_id, *of_key(backlog, model_key_id))
    waiting = select(backlog.id).where(*here, *is_waiting(backlog, priority, host))
    rows = _take(session, backlog, _chosen(session, backlog, waiting, limit), owner, lease_s)
    digests = dict(session.execute(select(Image.id, Image.digest).where(Image.id.in_([row[1] for row in rows]))).all())
    return sorted((Claim(backlog, *row, digests[row[1]]) for row in rows), key=lambda claimed: claimed.image_id)


def _chosen(session: Session, backlog: Backlog, waiting: Select, limit: int) -> Sequence[int]:
    clean = waiting.where(~is_suspect(backlog))
    return (
        _first(session, backlog, clean.where(backlog.priority == Priority.PERSON), limit)
        or _first(session, backlog, clean, limit)
        or _first(session, backlog, waiting.where(is_suspect(backlog)), 1)
    )


def _take(session: Session, backlog: Backlog, ids: Sequence[int], owner: str, lease_s: float) -> Sequence[Row]:
    changes = {
        "status": ImageStatus.WORKING,
        "owner": owner,
        "fence": backlog.fence + 1,
        "attempts": backlog.attempts + 1,
        "lease_until": db_now() + lease_s,
    }
    facts = (backlog.id, backlog.image_id, backlog.fence, backlog.attempts, is_suspect(backlog))
    return session.execute(update(backlog).where(backlog.id.in_(ids)).values(changes).returning(*facts)).all()


def _first(session: Session, backlog: Backlog, waiting: Select, limit: int) -> Sequence[int]:
    chosen = waiting.order_by(backlog.priority, backlog.attempts, backlog.id).limit(limit)
    return session.scalars(chosen.with_for_update(skip_locked=True)).all()


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
    _finish(session, [claimed], **uncounted(claimed.backlog), **change)


def undo(session: Session, claims: Sequence[Claim]) -> None:
    """Nothing was tried: they wait again as before."""
    if claims:
        _finish(session, claims, **uncounted(claims[0].backlog))


def wait_for_host(session: Session, claimed: Claim, code: str, reason: str, wait_s: float) -> None:
    """As `put_back`, of one at none of its places: another host may have it. After days of that it is refused."""
    backlog = claimed.backlog
    over = backlog.away_since < db_now() - backlogs.HOST_PATIENCE_S
    changes = uncounted(backlog) | {
        "status": case((over, ImageStatus.FAILED), else_=ImageStatus.PENDING),
        "not_before": db_now() + wait_s,
        "away_since": func.coalesce(backlog.away_since, db_now()),
    }
    _finish(session, [claimed], code=code, reason=reason, **changes)


def uncounted(backlog: Backlog) -> dict:
    return {"status": ImageStatus.PENDING, "attempts": backlog.attempts - 1}


def _finish(session: Session, claims: Sequence[Claim], **values) -> set[int]:
    """Change the rows that are still ours, all of one backlog; the ids of their images."""
    if not claims:
        return set()
    backlog = claims[0].backlog
    ours = tuple_(backlog.id, backlog.fence).in_([(c.row_id, c.fence) for c in claims])
    rows = session.execute(
        update(backlog)
        .where(ours, backlog.status == ImageStatus.WORKING)
        .values(owner=None, lease_until=None, **values)
        .returning(backlog.image_id)
        .execution_options(synchronize_session=False)
    )
    return set(rows.scalars())
