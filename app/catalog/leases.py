"""Leases of what workers hold: renewed while they live, run out when they are dead.

When a worker dies, each image in its hands is a suspect and none is convicted: it was one of them, or none. A suspect
is tried again alone, with nothing else in the worker's hands, after all images above suspicion. Only an attempt alone
counts against it, or one whose decoder died of this very image; the third sets it aside. So poison harms its neighbours
once. A worker that its supervisor saw killed from outside is evidence against no image: a kill -9 convicts nothing,
however often it comes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from app.catalog.backlogs import BACKLOGS, SUSPECT, Backlog, is_overdue
from app.catalog.claims import uncounted
from app.catalog.clock import db_now
from app.catalog.models import Worker
from app.catalog.states import ImageStatus

MOST_PARDONS = 20  # claims of one image; what kills from outside each time, as a memory guard may, is poison too
SUSPICION = "the worker died while it held this picture"


def renew(session: Session, owner: str, lease_s: float) -> int:
    """Push the lease of everything `owner` holds; how many that is."""
    return _lease(session, [owner], db_now() + lease_s)


def expire(session: Session, max_attempts: int) -> int:
    """Take back the images of workers whose lease ran out: to be tried alone, or set aside. How many."""
    held = _held_by_owner(session)
    dead = {owner for backlog in BACKLOGS for owner in _overdue(session, backlog)}
    alone = {owner for owner in dead if held[owner] == 1}
    return _charge(session, alone, max_attempts) + _suspect(session, dead - alone)


def let_go(session: Session, owner: str) -> None:
    """Let the leases of all that `owner` holds run out now, as when it died: its task failed, maybe of one of them."""
    _lease(session, [owner], 0.0)


def give_back(session: Session, owner: str) -> int:
    """Leave all that `owner` holds to the next worker, as if never claimed: what failed was no image. How many."""
    return sum(_release(session, backlog, [owner], **uncounted(backlog)) for backlog in BACKLOGS)


def absolve(session: Session, owners: Iterable[str]) -> int:
    """Take back what workers held that were killed from outside. How many images."""
    return _suspect(session, owners, MOST_PARDONS)


def end_leases(session: Session, owners: Iterable[str]) -> None:
    """Let the leases of workers known to be dead run out now."""
    dead = list(owners)
    _lease(session, dead, 0.0)
    session.execute(delete(Worker).where(Worker.name.in_(dead)))


def _held_by_owner(session: Session) -> Counter[str]:
    held: Counter[str] = Counter()
    for backlog in BACKLOGS:
        rows = select(backlog.owner, func.count()).where(backlog.status == ImageStatus.WORKING).group_by(backlog.owner)
        held.update(dict(session.execute(rows).all()))
    return held


def _overdue(session: Session, backlog: Backlog) -> Sequence[str]:
    """Owners of whom one lease ran out: they have died with all they hold."""
    return session.scalars(select(backlog.owner).where(*is_overdue(backlog)).distinct()).all()


def _charge(session: Session, owners: Iterable[str], max_attempts: int) -> int:
    """These held one image alone: the attempt counts, and the last one sets it aside."""
    return sum(_release(session, backlog, owners, **_charged(backlog, max_attempts)) for backlog in BACKLOGS)


def _charged(backlog: Backlog, max_attempts: int) -> dict:
    spent = backlog.attempts >= max_attempts
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
            backlog,
            owners,
            *(() if most_claims is None else (backlog.fence <= most_claims,)),
            **uncounted(backlog),
            **told,
        )
        for backlog in BACKLOGS
    )


def _release(session: Session, backlog: Backlog, owners: Iterable[str], *which: ColumnElement[bool], **values) -> int:
    held = (backlog.owner.in_(list(owners)), backlog.status == ImageStatus.WORKING)
    return session.execute(
        update(backlog)
        .where(*held, *which)
        .values(owner=None, lease_until=None, not_before=db_now(), **values)
        .execution_options(synchronize_session=False)
    ).rowcount


def _lease(session: Session, owners: Sequence[str], until: ColumnElement[float] | float) -> int:
    """Set until when these hold what they hold; how many images that is."""
    return sum(
        session.execute(
            update(backlog)
            .where(backlog.owner.in_(owners), backlog.status == ImageStatus.WORKING)
            .values(lease_until=until)
        ).rowcount
        for backlog in BACKLOGS
    )
