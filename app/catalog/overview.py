"""Sums over a collection's images."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, Location
from app.catalog.states import ImageStatus

WAITING = (ImageStatus.PENDING, ImageStatus.WORKING)


def totals(session: Session, collection_id: int) -> dict[str, int]:
    """images, ready, pending, failed, bytes."""
    present = Image.status != ImageStatus.GONE
    row = session.execute(
        select(
            func.count().label("images"),
            _count_if(Image.status == ImageStatus.READY).label("ready"),
            _count_if(Image.status.in_(WAITING)).label("pending"),
            _count_if(Image.status == ImageStatus.FAILED).label("failed"),
            func.coalesce(func.sum(Image.size_bytes), 0).label("bytes"),
        ).where(Image.collection_id == collection_id, present)
    ).one()
    return {name: int(value) for name, value in row._mapping.items()}


def resting(session: Session, collection_id: int) -> int:
    """Images that wait for a disk or a server that is away: none is to be claimed before its time."""
    away = (Image.status == ImageStatus.PENDING, Image.code == "away", Image.not_before > db_now())
    return session.scalar(select(func.count()).select_from(Image).where(Image.collection_id == collection_id, *away))


def counts(session: Session, collection_id: int) -> dict[ImageStatus, int]:
    """How many images have each status, from an index alone: it is asked several times a second."""
    statement = select(Image.status, func.count()).where(
        Image.status.in_(list(ImageStatus)), Image.collection_id == collection_id
    )
    return dict.fromkeys(ImageStatus, 0) | dict(session.execute(statement.group_by(Image.status)).all())


def counts_everywhere(session: Session) -> dict[tuple[int, ImageStatus], int]:
    """The same for every collection, by (collection id, status); what nobody has is left out."""
    live = select(Collection.id).where(Collection.deleted_at.is_(None))
    columns = select(Image.collection_id, Image.status, func.count()).where(Image.collection_id.in_(live))
    rows = session.execute(columns.group_by(Image.status, Image.collection_id))
    return {(collection_id, status): number for collection_id, status, number in rows}


def waiting_elsewhere(session: Session, collection_id: int) -> list[int]:
    """How many images wait or are worked on in each other collection that has any; retries count."""
    others = select(Collection.id).where(Collection.deleted_at.is_(None), Collection.id != collection_id)
    waiting = select(func.count()).where(Image.status.in_(WAITING), Image.collection_id.in_(others))
    return list(session.scalars(waiting.group_by(Image.collection_id)))


def _count_if(condition):
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def facets(session: Session, collection_id: int) -> dict:
    """Formats and folders that occur, and the ranges of dates and sizes, over searchable images."""
    ready = (Image.collection_id == collection_id, Image.status == ImageStatus.READY)
    dates = (func.min(Image.taken_at), func.max(Image.taken_at))
    sizes = (func.min(Image.size_bytes), func.max(Image.size_bytes))
    taken_from, taken_to, min_bytes, max_bytes = session.execute(select(*dates, *sizes).where(*ready)).one()
    formats = select(Image.format).where(*ready, Image.format.is_not(None)).distinct().order_by(Image.format)
    folders = select(Location.folder).where(Location.collection_id == collection_id).distinct()
    return {
        "formats": list(session.scalars(formats)),
        "folders": list(session.scalars(folders.order_by(Location.folder))),
        "taken_from": taken_from,
        "taken_to": taken_to,
        "min_bytes": min_bytes,
        "max_bytes": max_bytes,
    }
