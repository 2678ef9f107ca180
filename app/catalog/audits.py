"""Audits: opened, claimed by one process at a time, and how far each is."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Audit, Pair
from app.catalog.clock import db_now
from app.catalog.models import Collection
from app.catalog.states import AuditStatus
from app.errors import NotFound


def get(session: Session, audit_id: int) -> Audit:
    found = session.get(Audit, audit_id)
    if found is None:
        raise NotFound(f"no audit has the id {audit_id}: `dinoseek audit list` names those there are")
    return found


def find(session: Session, collection_id: int, against_id: int | None, model_key_id: int) -> Audit | None:
    other = Audit.against_id.is_(None) if against_id is None else Audit.against_id == against_id
    mine = (Audit.collection_id == collection_id, Audit.model_key_id == model_key_id, other)
    return session.scalar(select(Audit).where(*mine))


def of_collection(session: Session, collection_id: int) -> Sequence[Audit]:
    """The latest first."""
    return session.scalars(select(Audit).where(Audit.collection_id == collection_id).order_by(Audit.id.desc())).all()


def all_live(session: Session) -> Sequence[Audit]:
    """Of collections that are not deleted, the latest first."""
    live = select(Collection.id).where(Collection.deleted_at.is_(None))
    return session.scalars(select(Audit).where(Audit.collection_id.in_(live)).order_by(Audit.id.desc())).all()


def waiting(session: Session) -> list[int]:
    """Ids of audits that were asked for, or whose process died."""
    died = (Audit.status == AuditStatus.RUNNING) & (Audit.lease_until < db_now())
    live = select(Collection.id).where(Collection.deleted_at.is_(None))
    due = (Audit.status == AuditStatus.WAITING) | died
    return list(session.scalars(select(Audit.id).where(due, Audit.collection_id.in_(live)).order_by(Audit.id)))


def claim(session: Session, audit_id: int, owner: str, lease_s: float) -> int | None:
    """The fencing token, or None while another process that lives is at it."""
    free = (Audit.status != AuditStatus.RUNNING) | (Audit.lease_until < db_now()) | (Audit.owner == owner)
    taken = update(Audit).where(Audit.id == audit_id, free)
    values = {"status": AuditStatus.RUNNING, "owner": owner, "fence": Audit.fence + 1, "reason": None}
    return session.scalar(taken.values(lease_until=db_now() + lease_s, **values).returning(Audit.fence))


def write(session: Session, audit_id: int, fence: int, **values) -> bool:
    """Change the row if it is still ours."""
    ours = (Audit.id == audit_id, Audit.fence == fence, Audit.status == AuditStatus.RUNNING)
    changed = update(Audit).where(*ours).values(**values).execution_options(synchronize_session=False)
    return session.execute(changed).rowcount == 1


def renew(session: Session, audit_id: int, fence: int, lease_s: float) -> bool:
    return write(session, audit_id, fence, lease_until=db_now() + lease_s)


def end(session: Session, audit_id: int, fence: int, status: AuditStatus, **values) -> bool:
    return write(session, audit_id, fence, status=status, owner=None, lease_until=None, **values)


def count_checked(session: Session, audit_id: int) -> int:
    checked = (Pair.audit_id == audit_id, Pair.tier.is_not(None))
    return session.scalar(select(func.count()).select_from(Pair).where(*checked))
