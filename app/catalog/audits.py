"""Audits: one at a time works on each, under a lease and a fencing token; its progress is in its row."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Audit
from app.catalog.clock import db_now
from app.catalog.models import Collection
from app.catalog.states import AuditStatus
from app.catalog.workers import runs
from app.errors import NotFound

FREE = {"owner": None, "lease_until": None}


@dataclass(frozen=True)
class Tenure:
    """An audit that is ours until its lease runs out."""

    audit_id: int
    owner: str
    fence: int


def get(session: Session, audit_id: int) -> Audit:
    found = session.get(Audit, audit_id)
    if found is None:
        raise NotFound(f"there is no audit {audit_id}: see `dinoseek audit list`")
    return found


def find(session: Session, collection_id: int, against_id: int | None, model_key_id: int) -> Audit | None:
    same = (Audit.collection_id == collection_id, Audit.model_key_id == model_key_id)
    return session.scalar(select(Audit).where(*same, _against(against_id)))


def all_of(session: Session) -> Sequence[Audit]:
    """Of collections that are there, the newest first."""
    live = select(Collection.id).where(Collection.deleted_at.is_(None))
    return session.scalars(select(Audit).where(Audit.collection_id.in_(live)).order_by(Audit.id.desc())).all()


def waiting(session: Session) -> Sequence[int]:
    """Ids of audits that were asked for and nobody is at."""
    live = select(Collection.id).where(Collection.deleted_at.is_(None))
    return session.scalars(select(Audit.id).where(_is_free(), Audit.collection_id.in_(live)).order_by(Audit.id)).all()


def claim(session: Session, audit_id: int, owner: str, lease_s: float) -> Tenure | None:
    """Work on this audit; None while somebody else does, or nobody asked for it."""
    ours = {"status": AuditStatus.RUNNING, "owner": owner, "fence": Audit.fence + 1, "reason": None}
    taken = update(Audit).where(Audit.id == audit_id, _is_free()).values(**ours, lease_until=db_now() + lease_s)
    fence = session.scalar(taken.returning(Audit.fence).execution_options(synchronize_session=False))
    return None if fence is None else Tenure(audit_id, owner, fence)


def renew(session: Session, tenure: Tenure, lease_s: float) -> bool:
    """False: it is not ours any more."""
    return write(session, tenure, lease_until=db_now() + lease_s)


def write(session: Session, tenure: Tenure, **values) -> bool:
    """Change the row while it is ours. Called before other rows of the same transaction are: it locks out a late twin.

    False: it is not ours any more, and nothing else may be written.
    """
    ours = (Audit.id == tenure.audit_id, Audit.fence == tenure.fence, Audit.status == AuditStatus.RUNNING)
    changed = (
        update(Audit).where(*ours).values(values or {"fence": Audit.fence}).execution_options(synchronize_session=False)
    )
    return session.execute(changed).rowcount == 1


def lock(session: Session, audit_id: int) -> None:
    """Wait for others that write groups of this audit, so that two decisions don't make the same group twice."""
    session.execute(select(Audit.id).where(Audit.id == audit_id).with_for_update())


def held_by_dead(session: Session) -> dict[int, str]:
    """Audits by id, and the owners, that died on this host: another host's lease runs out by itself."""
    held = select(Audit.id, Audit.owner).where(
        Audit.status == AuditStatus.RUNNING, Audit.owner.is_not(None), Audit.lease_until >= db_now()
    )
    return {audit_id: owner for audit_id, owner in session.execute(held) if _died_here(owner)}


def end_leases(session: Session, owners: Mapping[int, str]) -> None:
    """Those who died hold their audits no longer."""
    for audit_id, owner in owners.items():
        session.execute(update(Audit).where(Audit.id == audit_id, Audit.owner == owner).values(lease_until=0.0))


def owner_here(token: str) -> str:
    """The name of this process as one that works on an audit."""
    return f"{socket.gethostname()}:{os.getpid()}:{token}"


def _died_here(owner: str) -> bool:
    host, pid, _ = owner.rsplit(":", 2)
    return host == socket.gethostname() and not runs(int(pid))


def _is_free() -> ColumnElement[bool]:
    overdue = and_(Audit.status == AuditStatus.RUNNING, Audit.lease_until < db_now())
    return or_(Audit.status == AuditStatus.WAITING, overdue)


def _against(against_id: int | None) -> ColumnElement[bool]:
    return Audit.against_id.is_(None) if against_id is None else Audit.against_id == against_id
