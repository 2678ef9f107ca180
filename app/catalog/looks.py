"""What pictures' own pixels say, by their digest."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Select, exists, func, insert, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Look
from app.catalog.images import portions, visible
from app.catalog.models import Image


def missing(session: Session, collection_id: int, method: str, after_id: int, limit: int) -> Sequence[Image]:
    """Visible images above this id that nobody looked at with this method yet, by id."""
    statement = _unseen(select(Image), collection_id, method).where(Image.id > after_id)
    return session.scalars(statement.order_by(Image.id).limit(limit)).all()


def count_missing(session: Session, collection_id: int, method: str) -> int:
    return session.scalar(_unseen(select(func.count()).select_from(Image), collection_id, method))


def add(session: Session, method: str, rows: Iterable[dict]) -> None:
    """One dict per digest: digest, hash or None with a reason, camera, located. Those that are there stay."""
    by_digest = {row["digest"]: row for row in rows}
    known = select(Look.digest).where(Look.method == method, Look.digest.in_(by_digest))
    fresh = by_digest.keys() - set(session.scalars(known))
    if fresh:
        session.execute(insert(Look), [{"method": method, **by_digest[digest]} for digest in sorted(fresh)])


def of(session: Session, method: str, digests: Sequence[str]) -> dict[str, Look]:
    found: dict[str, Look] = {}
    for chosen in portions(list(digests)):
        rows = session.scalars(select(Look).where(Look.method == method, Look.digest.in_(chosen)))
        found |= {row.digest: row for row in rows}
    return found


def note_pixels(session: Session, method: str, digest: str, pixels_sha256: str) -> None:
    mine = (Look.digest == digest, Look.method == method)
    session.execute(update(Look).where(*mine).values(pixels_sha256=pixels_sha256))


def hashes(session: Session, collection_id: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 (N,), ascending, and hashes uint8 (N, B) of visible images that have one."""
    rows = list(_hashed(session, collection_id, method))
    ids = np.array([image_id for image_id, _ in rows], np.int64)
    packed = np.frombuffer(b"".join(hash for _, hash in rows), np.uint8)
    return ids, packed.reshape(len(rows), -1) if rows else np.empty((0, 32), np.uint8)


def _hashed(session: Session, collection_id: int, method: str) -> Iterator[tuple[int, bytes]]:
    same = (Look.digest == Image.digest) & (Look.method == method)
    statement = visible(select(Image.id, Look.hash).join(Look, same), collection_id).where(Look.hash.is_not(None))
    yield from session.execute(statement.order_by(Image.id).execution_options(yield_per=10_000))


def _unseen(statement: Select, collection_id: int, method: str) -> Select:
    seen = exists().where(Look.digest == Image.digest, Look.method == method)
    return visible(statement, collection_id).where(~seen)
