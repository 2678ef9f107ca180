"""What an audit examines: the images of a collection that were searchable at one of its change numbers."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.catalog.audit_models import Look
from app.catalog.models import Embedding, Image
from app.catalog.states import ImageStatus

ROWS_AT_ONCE = 4096
HASH_BYTES = 32


@dataclass(frozen=True)
class Scope:
    """Images that are visible, and were as they are now at `until_seq`. Those after `after_seq` are its news."""

    collection_id: int
    model_key_id: int
    after_seq: int
    until_seq: int


def ids(session: Session, scope: Scope) -> np.ndarray:
    """int64 (N,), ascending."""
    return _array(session, _within(select(Image.id), scope))


def news(session: Session, scope: Scope) -> np.ndarray:
    """int64 (N,): those that came, came back, or were embedded after `after_seq`."""
    late = or_(Image.changed_seq > scope.after_seq, Embedding.seq > scope.after_seq)
    return _array(session, _within(select(Image.id), scope).where(late))


def hashes(session: Session, scope: Scope, method: str) -> tuple[np.ndarray, np.ndarray]:
    """ids int64 (N,) ascending, and perceptual hashes uint8 (N, HASH_BYTES) of those that were looked at.

    A picture has one for each that may lie within it too: then its id comes as often.
    """
    seen = and_(Look.digest == Image.digest, Look.method == method)
    statement = _within(select(Image.id, Look.hash), scope).join(Look, seen).order_by(Image.id)
    found, packed = [], []
    for rows in session.execute(statement.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        found += [row.id for row in rows for _ in range(len(row.hash) // HASH_BYTES)]
        packed += [row.hash for row in rows]
    return np.array(found, np.int64), np.frombuffer(b"".join(packed), np.uint8).reshape(-1, HASH_BYTES)


def unlooked(session: Session, scope: Scope, method: str) -> list[int]:
    """Ids of images nobody looked at with this method yet, ascending."""
    seen = select(Look.digest).where(Look.digest == Image.digest, Look.method == method).exists()
    return list(session.scalars(_within(select(Image.id), scope).where(~seen).order_by(Image.id)))


def _within(statement: Select, scope: Scope) -> Select:
    mine = and_(Embedding.image_id == Image.id, Embedding.model_key_id == scope.model_key_id)
    return (
        statement.select_from(Image)
        .join(Embedding, mine)
        .where(
            Image.collection_id == scope.collection_id,
            Image.status == ImageStatus.READY,
            Image.changed_seq <= scope.until_seq,
            Embedding.seq <= scope.until_seq,
        )
    )


def _array(session: Session, statement: Select) -> np.ndarray:
    return np.array(session.scalars(statement.order_by(Image.id)).all(), np.int64)
