"""Files as a keeper is chosen among them: where each lies, and what its picture is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Row, Select, and_, func, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Look
from app.catalog.images import portions
from app.catalog.models import Collection, Image, Location
from app.catalog.states import ImageStatus, PlaceKind


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


def with_twins(session: Session, collection_ids: Sequence[int], host: str) -> Sequence[Row]:
    """(id, path_bytes, inode) of the files on a host's disks whose bytes lie at several places of these collections."""
    shown = (Image.collection_id.in_(collection_ids), Image.status == ImageStatus.READY)
    several = select(Image.digest).join(Location, Location.image_id == Image.id).where(*shown)
    several = several.group_by(Image.digest).having(func.count() > 1)
    columns = select(Location.id, Location.path_bytes, Location.inode).join(Image, Image.id == Location.image_id)
    here = (Location.kind == PlaceKind.FILE, Location.host == host)
    return session.execute(columns.where(*shown, *here, Image.digest.in_(several))).all()


def note_inodes(session: Session, inodes: Mapping[int, str]) -> None:
    """By location."""
    if inodes:
        session.execute(update(Location), [{"id": id_, "inode": inode} for id_, inode in inodes.items()])


def note_inodes_at(session: Session, host: str, inodes: Mapping[bytes, str]) -> None:
    """By path, in every collection that knows it."""
    everywhere = session.scalars(select(Collection.id)).all()  # the index on paths begins with it
    columns = select(Location.id, Location.path_bytes).where(Location.collection_id.in_(everywhere))
    for chosen in portions(sorted(inodes)):
        rows = session.execute(columns.where(Location.host == host, Location.path_bytes.in_(chosen)))
        note_inodes(session, {location_id: inodes[path] for location_id, path in rows})


def _files(method: str) -> Select:
    seen = and_(Look.digest == Image.digest, Look.method == method)
    picture = (Image.digest, Image.collection_id, Image.format, Image.height_px, Image.width_px, Image.taken_at)
    place = (Location.id, Location.image_id, Location.kind, Location.path, Location.folder)
    file = (Location.host, Location.inode, Location.size_bytes, Location.mtime_ns)
    columns = select(*place, *file, *picture, Look.facts)
    return (
        columns.join(Image, Image.id == Location.image_id)
        .outerjoin(Look, seen)
        .where(Image.status == ImageStatus.READY)
    )
