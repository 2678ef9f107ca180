"""Files as a keeper is chosen among them: where each lies, and what its picture is."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from app.catalog.audit_models import Look
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus


def of_images(session: Session, image_ids: Iterable[int], method: str) -> Iterator[Row]:
    """Every file of these images that are visible, with the facts of its picture; by image, then by age."""
    for chosen in portions(sorted(image_ids)):
        yield from session.execute(_files(method).where(Image.id.in_(chosen)).order_by(Image.id, Location.id))


def at_several_places(session: Session, collection_id: int) -> Sequence[int]:
    """Ids of the visible images whose bytes lie at more than one place."""
    several = select(Location.image_id).where(Location.collection_id == collection_id)
    several = several.group_by(Location.image_id).having(func.count() > 1)
    shown = (Image.collection_id == collection_id, Image.status == ImageStatus.READY)
    return session.scalars(select(Image.id).where(Image.id.in_(several), *shown).order_by(Image.id)).all()


def _files(method: str) -> Select:
    seen = and_(Look.digest == Image.digest, Look.method == method)
    picture = (Image.digest, Image.collection_id, Image.format, Image.height_px, Image.width_px, Image.taken_at)
    place = (Location.id, Location.image_id, Location.kind, Location.path, Location.folder)
    columns = select(*place, Location.size_bytes, Location.mtime_ns, *picture, Look.facts)
    return (
        columns.join(Image, Image.id == Location.image_id)
        .outerjoin(Look, seen)
        .where(Image.status == ImageStatus.READY)
    )
