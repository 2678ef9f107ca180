"""What was given to `ingest`, and the addresses known below it."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.images import displayable
from app.catalog.models import Collection, Image, Location, Source
from app.catalog.states import ImageStatus, PlaceKind, SourceKind, SourceState

KIND_BELOW = {
    SourceKind.FOLDER: PlaceKind.FILE,
    SourceKind.FILES: PlaceKind.FILE,
    SourceKind.ARCHIVE: PlaceKind.MEMBER,
    SourceKind.REMOTE: PlaceKind.REMOTE,
}


def find(session: Session, collection_id: int, kind: SourceKind, address: bytes, host: str = "") -> Source | None:
    identity = {"collection_id": collection_id, "host": host, "kind": kind, "address_bytes": address}
    return session.scalar(select(Source).filter_by(**identity))


def remember(
    session: Session, collection_id: int, kind: SourceKind, address: bytes, host: str = "", *, copied: bool
) -> Source:
    """The row of this root, made when it is new. The caller holds the collection's lock."""
    found = find(session, collection_id, kind, address, host)
    if found is None:
        identity = {"collection_id": collection_id, "host": host, "kind": kind, "address_bytes": address}
        found = Source(**identity, address=displayable(address))
        session.add(found)
    found.copied = copied
    session.flush()
    return found


def all_of(session: Session, collection_id: int, host: str = "") -> Sequence[Source]:
    """Those that a host can look at: on its own disks, or on servers."""
    within_reach = or_(Source.host == host, Source.kind == SourceKind.REMOTE)
    chosen = (Source.collection_id == collection_id, within_reach)
    return session.scalars(select(Source).where(*chosen).order_by(Source.id)).all()


def all_live(session: Session) -> Sequence[Row]:
    """(source, name of its collection) of every collection that was not deleted."""
    shelf = select(Source, Collection.name).join(Collection, Collection.id == Source.collection_id)
    return session.execute(shelf.where(Collection.deleted_at.is_(None)).order_by(Source.id)).all()


def set_away(session: Session, source_id: int, reason: str) -> None:
    """Its pictures wait and nothing of it is forgotten. Undone by `set_here`."""
    change = {"state": SourceState.AWAY, "reason": reason}
    session.execute(update(Source).where(Source.id == source_id).values(**change))


def set_here(session: Session, source_id: int) -> None:
    """The inverse of `set_away`: what waited for it may be claimed at once."""
    update_one = update(Source).where(Source.id == source_id)
    collection_id = session.scalar(
        update_one.values(state=SourceState.HERE, reason=None).returning(Source.collection_id)
    )
    waiting = (Image.collection_id == collection_id, Image.status == ImageStatus.PENDING, Image.code == "away")
    session.execute(update(Image).where(*waiting).values(not_before=0.0))


def note_scan(session: Session, source_id: int, files: int) -> None:
    session.execute(update(Source).where(Source.id == source_id).values(last_scan=db_now(), files=files))


def below(kind: SourceKind, address: bytes, host: str = "") -> tuple[ColumnElement[bool], ...]:
    """Locations of this root: at its address, or under it. One range of the index: "0" follows "/"."""
    root = address.rstrip(b"/")
    inside = or_(Location.path_bytes == root, Location.path_bytes >= root + b"/")
    return (
        Location.host == host,
        Location.kind == KIND_BELOW[kind],
        Location.path_bytes >= root,
        Location.path_bytes < root + b"0",
        inside,
    )


def page_below(session: Session, source: Source, after: bytes, limit: int) -> Sequence[Row]:
    """(id, path_bytes) of the next locations of this source whose bytes we have no copy of, in order of their bytes."""
    statement = _in_place(select(Location.id, Location.path_bytes), source)
    return session.execute(
        statement.where(Location.path_bytes > after).order_by(Location.path_bytes).limit(limit)
    ).all()


def files_at(session: Session, collection_id: int, address: bytes, host: str = "") -> Sequence[Row]:
    """(id, path_bytes) of the file at an address, or of those below it, whose bytes we have no copy of."""
    here = (Location.collection_id == collection_id, *below(SourceKind.FOLDER, address, host))
    chosen = (*here, Image.stored.is_(False))
    columns = select(Location.id, Location.path_bytes).join(Image, Image.id == Location.image_id)
    return session.execute(columns.where(*chosen)).all()


def sample_below(session: Session, source: Source, count: int) -> Sequence[bytes]:
    """Some of what `page_below` has, by chance."""
    return session.scalars(_in_place(select(Location.path_bytes), source).order_by(func.random()).limit(count)).all()


def count_below(session: Session, source: Source) -> int:
    here = (Location.collection_id == source.collection_id, *_below(source))
    return session.scalar(select(func.count()).select_from(Location).where(*here))


def failed_below(
    session: Session, collection_id: int, kind: SourceKind, address: bytes, host: str = ""
) -> Iterator[Row]:
    """(path_bytes, image_id, code, reason) of what was refused under a root, in the order it was recorded."""
    columns = select(Location.path_bytes, Image.id.label("image_id"), Image.code, Image.reason)
    chosen = (Location.collection_id == collection_id, Image.status == ImageStatus.FAILED, *below(kind, address, host))
    return session.execute(
        columns.join(Image, Image.id == Location.image_id).where(*chosen).order_by(Location.id)
    ).yield_per(1000)


def _below(source: Source) -> tuple[ColumnElement[bool], ...]:
    return below(source.kind, source.address_bytes, source.host)


def _in_place(statement, source: Source):
    here = (Location.collection_id == source.collection_id, *_below(source))
    return statement.join(Image, Image.id == Location.image_id).where(*here, Image.stored.is_(False))
