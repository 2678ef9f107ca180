"""From which score of the check on two pictures of a collection are called copies."""

from sqlalchemy.orm import Session

from app.catalog.audit_models import Threshold


def find(session: Session, collection_id: int, model_key_id: int) -> float | None:
    """None where nobody set one."""
    found = row(session, collection_id, model_key_id)
    return found and found.score


def row(session: Session, collection_id: int, model_key_id: int) -> Threshold | None:
    """The score with what it was set for, and on what evidence."""
    return session.get(Threshold, (collection_id, model_key_id))
