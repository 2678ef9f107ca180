"""A person's acts on the page, so that the last can be taken back, whenever and from whatever browser."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.catalog.audit_models import Act
from app.catalog.states import ActKind

KEPT = 200  # of an audit; the oldest go


def add(session: Session, audit_id: int, kind: ActKind, text: str, before: dict) -> None:
    session.add(Act(audit_id=audit_id, kind=kind, text=text, before=before))
    session.flush()
    newest = select(Act.id).where(Act.audit_id == audit_id).order_by(Act.id.desc())
    oldest = session.scalar(newest.offset(KEPT).limit(1))
    if oldest is not None:
        session.execute(delete(Act).where(Act.audit_id == audit_id, Act.id <= oldest))


def is_there(session: Session, audit_id: int) -> bool:
    """Asked by every page: what an act of a hundred thousand files holds is not read for it."""
    return session.scalar(select(select(Act.id).where(Act.audit_id == audit_id).exists()))


def find_last(session: Session, audit_id: int) -> Act | None:
    return session.scalar(select(Act).where(Act.audit_id == audit_id).order_by(Act.id.desc()).limit(1))


def take(session: Session, act: Act) -> bool:
    """Whoever takes an act back forgets it first. False: another was quicker."""
    gone = delete(Act).where(Act.id == act.id).execution_options(synchronize_session=False)
    return session.execute(gone).rowcount == 1
