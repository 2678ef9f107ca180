"""From which score of the check on two pictures of a collection are called copies, and on what evidence."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, null, or_, select, update
from sqlalchemy import case as either
from sqlalchemy.orm import Session

from app.catalog.audit_models import Audit, Pair, Threshold
from app.catalog.clock import db_now
from app.catalog.states import Tier


def find(session: Session, audit: Audit, method: str) -> Threshold | None:
    """Of the audit's collection and model; None where nobody set one, or only for the scores of another method."""
    row = session.get(Threshold, _key(audit))
    return row if row is not None and row.method == method else None


def put(session: Session, audit: Audit, method: str, score: float, target_precision: float, evidence: dict) -> None:
    """Set it, in place of the one before."""
    collection_id, model_key_id = _key(audit)
    values = {"method": method, "score": score, "target_precision": target_precision, "evidence": evidence}
    session.merge(Threshold(collection_id=collection_id, model_key_id=model_key_id, set_at=db_now(), **values))
    session.flush()


def remove(session: Session, audit: Audit) -> None:
    session.execute(delete(Threshold).where(*_same(Threshold, audit)))


def audits_with(session: Session, audit: Audit) -> Sequence[Audit]:
    """All audits that have the threshold of this one, held so that none begins a run before the transaction ends."""
    mine = select(Audit).where(*_same(Audit, audit)).order_by(Audit.id)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).all()


def retier(session: Session, audit_id: int, threshold: float) -> int:
    """Call pairs copies from this score on, and no others. How many must be looked at again to be named.

    What is no copy any more is of one scene or not, as the check said; where nobody worked out yet how one of two
    became the other, the check has to say.
    """
    fallen = and_(Pair.tier == Tier.EDITED, Pair.score < threshold)
    risen = and_(Pair.tier.in_((Tier.SAME_SCENE, Tier.DIFFERENT)), Pair.score >= threshold)
    named = and_(Pair.relations.is_not(None), Pair.relations_back.is_not(None))
    known = either(
        (and_(fallen, Pair.scene.is_(True)), Tier.SAME_SCENE),
        (fallen, Tier.DIFFERENT),
        (and_(risen, named), Tier.EDITED),
        else_=null(),
    )
    moved = update(Pair).where(Pair.audit_id == audit_id, or_(fallen, risen)).values(tier=known)
    session.execute(moved.execution_options(synchronize_session=False))
    unchecked = (Pair.audit_id == audit_id, Pair.tier.is_(None))
    return session.scalar(select(func.count()).select_from(Pair).where(*unchecked))


def _key(audit: Audit) -> tuple[Any, Any]:
    return audit.collection_id, audit.model_key_id


def _same(table: type[Audit] | type[Threshold], audit: Audit) -> tuple[ColumnElement[bool], ...]:
    return table.collection_id == audit.collection_id, table.model_key_id == audit.model_key_id
