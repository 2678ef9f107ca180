"""Images that were refused or set aside: by code, page by page, and their attempts given back."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.catalog.images import fresh_attempts
from app.catalog.models import Collection, Image
from app.catalog.states import ImageStatus


def counts(session: Session, collection_id: int) -> dict[str, int]:
    """How many have each code, the most frequent first."""
    return _by_code(session, Image.collection_id == collection_id)


def counts_everywhere(session: Session) -> dict[str, int]:
    """The same over all collections that are not hidden."""
    return _by_code(session, Image.collection_id.in_(select(Collection.id).where(Collection.deleted_at.is_(None))))


def page(session: Session, collection_id: int, code: str | None, offset: int, limit: int) -> Sequence[Image]:
    """In the order they came; `code` None: all."""
    statement = select(Image).where(*_failed(collection_id, code)).order_by(Image.id)
    return session.scalars(statement.offset(offset).limit(limit)).all()


def retry(session: Session, collection_id: int, code: str | None) -> int:
    """Give them their attempts back; how many there were."""
    chosen = update(Image).where(*_failed(collection_id, code)).values(**fresh_attempts())
    return session.execute(chosen.execution_options(synchronize_session=False)).rowcount


def _failed(collection_id: int, code: str | None) -> list[ColumnElement[bool]]:
    here = [Image.collection_id == collection_id, Image.status == ImageStatus.FAILED]
    return here if code is None else [*here, Image.code == code]


def _by_code(session: Session, where: ColumnElement[bool]) -> dict[str, int]:
    code, number = func.coalesce(Image.code, ""), func.count()
    failed = select(code, number).where(where, Image.status == ImageStatus.FAILED).group_by(code)
    rows = session.execute(failed.order_by(number.desc(), code))
    return dict(rows.all())
