"""Images: found, hidden, brought back, and where their bytes may be read."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, case, delete, func, select, update
from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.clock import db_now
from app.catalog.models import Collection, Embedding, Image, Location, Reembedding
from app.catalog.states import ImageStatus, PlaceKind, Priority
from app.errors import NotFound

IDS_PER_QUERY = 500  # SQLite takes 32,766 parameters, PostgreSQL 65,535; plans like fewer
RETRYABLE_CODES = {
    "vanished",
    "changed",
    "unreachable",
    "away",
    "damaged_copy",
    "worker_died",
    "decoder_crashed",
    "decoder_timeout",
}


def portions(ids: Sequence[int]) -> list[Sequence[int]]:
    """Few enough for one query each."""
    return [ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY)]


def displayable(address: bytes | Path) -> str:
    """As text that any database takes: bytes that are no UTF-8 become �."""
    return os.fsencode(address).decode("utf-8", "replace").replace("\x00", "�")


def get(session: Session, image_id: int) -> Image:
    found = session.get(Image, image_id)
    if found is None:
        raise NotFound(f"no picture has the id {image_id}")
    return found


def all_of(session: Session, image_ids: Sequence[int]) -> Sequence[Image]:
    return session.scalars(select(Image).where(Image.id.in_(image_ids))).all()


def retry(session: Session, image_ids: Sequence[int]) -> int:
    """Give failed images their attempts back; how many were failed."""
    chosen = (Image.id.in_(image_ids), Image.status == ImageStatus.FAILED)
    return session.execute(update(Image).where(*chosen).values(**fresh_attempts())).rowcount


def fresh_attempts() -> dict:
    """What an image's row holds when it waits as if it had just come."""
    told = {"code": None, "reason": None, "away_since": None}
    return {"status": ImageStatus.PENDING, "attempts": 0, "not_before": db_now(), **told}


def hurry(session: Session, image: Image) -> None:
    """Someone waits for this one: it is claimed before what was poured in."""
    image.priority = Priority.PERSON


def hide_gone(session: Session, image: Image) -> None:
    """Its bytes are nowhere any more: out of every search. Undone by `bring_back` when they are seen again."""
    _hide(session, image.collection_id, [image.id])


def bring_back(session: Session, collection_id: int, image_ids: Sequence[int]) -> None:
    """Images that were GONE: searchable at once where the collection's model, of now, has embedded them."""
    key = select(Collection.model_key_id).where(Collection.id == collection_id).scalar_subquery()
    mine = (Embedding.image_id == Image.id, Embedding.model_key_id == key)
    embedded = select(Embedding.image_id).where(*mine).exists()
    as_before = case((embedded, ImageStatus.READY), else_=ImageStatus.PENDING)
    _show(session, collection_id, image_ids, as_before, not_before=db_now())  # it waits from now on


def leave_if_nowhere(session: Session, collection_id: int, image_ids: Iterable[int]) -> None:
    """Hide those of these images that have no address left and no copy in our storage."""
    somewhere = select(Location.id).where(Location.image_id == Image.id).exists()
    for chosen in portions(sorted(image_ids)):
        nowhere = select(Image.id).where(Image.id.in_(chosen), Image.stored.is_(False), ~somewhere)
        _hide(session, collection_id, session.scalars(nowhere).all())


def _hide(session: Session, collection_id: int, image_ids: Sequence[int]) -> None:
    _show(session, collection_id, image_ids, ImageStatus.GONE)
    session.execute(delete(Reembedding).where(Reembedding.image_id.in_(image_ids)))  # noted again when they are back


def _show(session: Session, collection_id: int, image_ids: Sequence[int], status, **values) -> None:
    if image_ids:
        values |= {"status": status, "changed_seq": collections.next_seq(session, collection_id)}
        session.execute(update(Image).where(Image.id.in_(image_ids)).values(**values))


class Place(NamedTuple):
    """An address where bytes were seen, exactly as on disk."""

    kind: PlaceKind
    address: bytes
    host: str  # whose disk it is on; empty where all hosts see the same


def places_of(session: Session, image_ids: Sequence[int]) -> dict[int, list[Place]]:
    """Every address of each image, oldest first."""
    columns = select(Location.image_id, Location.kind, Location.path_bytes, Location.host)
    rows = session.execute(columns.where(Location.image_id.in_(image_ids)).order_by(Location.id))
    places: dict[int, list[Place]] = {}
    for image_id, *place in rows:
        places.setdefault(image_id, []).append(Place(*place))
    return places


def paths_of(session: Session, image_ids: Sequence[int]) -> dict[int, list[Path]]:
    """Every path of each image, on any host's disks, oldest first."""
    places = places_of(session, image_ids)
    return {
        image_id: [Path(os.fsdecode(place.address)) for place in found if place.kind is PlaceKind.FILE]
        for image_id, found in places.items()
    }


def shown_paths(session: Session, image_ids: Sequence[int]) -> dict[int, str]:
    """The first path of each image, as text."""
    rows = session.execute(
        select(Location.image_id, Location.path).where(Location.image_id.in_(image_ids)).order_by(Location.id.desc())
    )
    return {row.image_id: row.path for row in rows}


def record_facts(session: Session, facts: Iterable[dict]) -> None:
    """Write what decoding told, one dict per image: id, format, width_px, height_px, frames, taken_at, notes."""
    rows = list(facts)
    if rows:
        session.execute(update(Image), rows)


def visible(statement: Select, collection_id: int) -> Select:
    """The one place that says which images a search may show."""
    return statement.where(Image.collection_id == collection_id, Image.status == ImageStatus.READY)


def count_visible(session: Session, collection_id: int) -> int:
    """From an index alone: it is asked every few seconds."""
    return session.scalar(visible(select(func.count()).select_from(Image), collection_id))


def visible_digests(session: Session, collection_id: int) -> dict[int, str]:
    """By id, in their order."""
    rows = session.execute(visible(select(Image.id, Image.digest), collection_id).order_by(Image.id))
    return {row.id: row.digest for row in rows}


def get_visible(session: Session, collection_id: int, image_ids: Sequence[int]) -> dict[int, Image]:
    rows = session.scalars(visible(select(Image), collection_id).where(Image.id.in_(image_ids)))
    return {image.id: image for image in rows}


def changed_since(session: Session, collection_id: int, seq: int) -> list[tuple[int, ImageStatus, int]]:
    """(image_id, status, changed_seq) of images whose visibility changed after `seq`."""
    since = (Image.collection_id == collection_id, Image.changed_seq > seq)
    return [tuple(row) for row in session.execute(select(Image.id, Image.status, Image.changed_seq).where(*since))]


@dataclass(frozen=True)
class Filters:
    """Which images a search may return. Empty means all. Dates compare with the camera's local time."""

    formats: tuple[str, ...] = ()
    folder: str | None = None  # this folder and everything below it
    taken_from: datetime | None = None
    taken_to: datetime | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    min_px: int | None = None  # of the shorter side

    def __bool__(self) -> bool:
        return self != Filters()


def digests(session: Session, collection_id: int) -> dict[int, str]:
    """Of every visible image, by id."""
    return dict(session.execute(visible(select(Image.id, Image.digest), collection_id).order_by(Image.id)).all())


def matching_ids(session: Session, collection_id: int, filters: Filters) -> list[int]:
    """Ids of the visible images that pass, ascending."""
    statement = visible(select(Image.id), collection_id).where(*_conditions(filters))
    return list(session.scalars(statement.order_by(Image.id)))


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    shorter = func.coalesce(Image.width_px, 0)
    table = {
        "formats": lambda formats: Image.format.in_(formats),
        "folder": lambda folder: Image.id.in_(_below(folder)),
        "taken_from": lambda when: Image.taken_at >= when,
        "taken_to": lambda when: Image.taken_at <= when,
        "min_bytes": lambda least: Image.size_bytes >= least,
        "max_bytes": lambda most: Image.size_bytes <= most,
        "min_px": lambda least: (shorter >= least) & (Image.height_px >= least),
    }
    asked = ((name, getattr(filters, name)) for name in table)
    return [table[name](value) for name, value in asked if value not in (None, ())]


def _below(folder: str) -> Select:
    root = folder.rstrip("/")
    inside = (Location.folder == root) | Location.folder.startswith(root + "/", autoescape=True)
    return select(Location.image_id).where(inside)


def page(session: Session, collection_id: int, status: ImageStatus, offset: int, limit: int) -> Sequence[Image]:
    statement = select(Image).where(Image.collection_id == collection_id, Image.status == status)
    return session.scalars(statement.order_by(Image.id).offset(offset).limit(limit)).all()
