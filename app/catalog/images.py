"""Images and the paths where their bytes were seen."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.models import Image, ImageStatus, Location, Priority
from app.errors import NotFound

IDS_PER_QUERY = 500  # SQLite takes 32,766 parameters, PostgreSQL 65,535; plans like fewer
RETRYABLE_CODES = {
    "vanished",
    "changed",
    "elsewhere",
    "damaged_copy",
    "worker_died",
    "decoder_crashed",
    "decoder_timeout",
}


@dataclass(frozen=True)
class Sighting:
    """A file as it was when it was read: where, how large, how old, and the digest of its bytes."""

    path: Path
    digest: str
    size_bytes: int
    mtime_ns: int
    group: Path | None = None  # what filters call its folder, where that is not the one it lies in
    host: str = ""  # whose disk it is on; empty where all hosts see the same

    @property
    def folder(self) -> str:
        return displayable(self.group or self.path.parent)

    @property
    def shown(self) -> str:
        """The path as text that any database takes: bytes that are no UTF-8 become �."""
        return displayable(self.path)


def portions(ids: Sequence[int]) -> list[Sequence[int]]:
    """Few enough for one query each."""
    return [ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY)]


def displayable(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace").replace("\x00", "�")


def find(session: Session, collection_id: int, digest: str) -> Image | None:
    return session.scalar(select(Image).where(Image.collection_id == collection_id, Image.digest == digest))


def get(session: Session, image_id: int) -> Image:
    found = session.get(Image, image_id)
    if found is None:
        raise NotFound(f"no picture has the id {image_id}")
    return found


def add(session: Session, collection_id: int, digest: str, size_bytes: int, **facts) -> tuple[Image, bool]:
    """The image of these bytes and whether it is new here. One that was GONE comes back as it was."""
    image = find(session, collection_id, digest)
    if image is None:
        image = Image(collection_id=collection_id, digest=digest, size_bytes=size_bytes, **facts)
        session.add(image)
        session.flush()
        return image, True
    if image.status is ImageStatus.GONE:
        _bring_back(session, image)
    if image.status is ImageStatus.FAILED and image.code in RETRYABLE_CODES:
        retry(session, [image.id])
    return image, False


def retry(session: Session, image_ids: Sequence[int]) -> int:
    """Give failed images their attempts back; how many were failed."""
    chosen = (Image.id.in_(image_ids), Image.status == ImageStatus.FAILED)
    fresh = {"status": ImageStatus.PENDING, "attempts": 0, "not_before": 0.0, "code": None, "reason": None}
    fresh["away_since"] = None
    return session.execute(update(Image).where(*chosen).values(**fresh)).rowcount


def hurry(session: Session, image: Image) -> None:
    """Someone waits for this one: it is claimed before what was poured in."""
    image.priority = Priority.PERSON


def hide_gone(session: Session, image: Image) -> None:
    """Its bytes are at no path any more: out of every search. Undone by `add` when they are seen again."""
    image.status = ImageStatus.GONE
    image.changed_seq = collections.next_seq(session, image.collection_id)


def _bring_back(session: Session, image: Image) -> None:
    image.status = ImageStatus.READY if image.format else ImageStatus.PENDING
    image.changed_seq = collections.next_seq(session, image.collection_id)


def find_location(session: Session, collection_id: int, path: Path, host: str = "") -> Location | None:
    of_host = (Location.collection_id == collection_id, Location.host == host)
    here = (*of_host, Location.path_bytes == os.fsencode(path))
    return session.scalar(select(Location).where(*here))


def locate(session: Session, image: Image, seen: Sighting) -> None:
    """Remember that these bytes are at this path; other bytes that were there lose the path."""
    location = find_location(session, image.collection_id, seen.path, seen.host)
    if location is None:
        location = Location(collection_id=image.collection_id, host=seen.host, path_bytes=os.fsencode(seen.path))
        session.add(location)
    previous, location.image_id = location.image_id, image.id
    location.path, location.folder = seen.shown, seen.folder
    location.size_bytes, location.mtime_ns = seen.size_bytes, seen.mtime_ns
    session.flush()
    if previous not in (None, image.id):
        _leave_if_nowhere(session, previous)


def forget_path(session: Session, collection_id: int, path: Path, host: str = "") -> None:
    """An image stays though its last path goes; `locate` remembers the path again when bytes are seen there."""
    session.delete(find_location(session, collection_id, path, host))
    session.flush()


def _leave_if_nowhere(session: Session, image_id: int) -> None:
    image = get(session, image_id)
    if not image.stored and not paths_of(session, [image_id]):
        hide_gone(session, image)


def paths_of(session: Session, image_ids: Sequence[int], host: str | None = None) -> dict[int, list[Path]]:
    """Every path of each image, on any host's disk or on that of one, oldest first, exactly as on disk."""
    chosen = Location.image_id.in_(image_ids)
    chosen = chosen if host is None else chosen & (Location.host == host)
    rows = session.execute(select(Location.image_id, Location.path_bytes).where(chosen).order_by(Location.id))
    paths: dict[int, list[Path]] = {}
    for image_id, raw in rows:
        paths.setdefault(image_id, []).append(Path(os.fsdecode(raw)))
    return paths


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


def failures_among(session: Session, image_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """(code, reason) of those that were refused."""
    found: dict[int, tuple[str, str]] = {}
    ids = sorted(image_ids)
    for start in range(0, len(ids), IDS_PER_QUERY):
        chosen = Image.id.in_(ids[start : start + IDS_PER_QUERY])
        columns = select(Image.id, Image.code, Image.reason)
        rows = session.execute(columns.where(chosen, Image.status == ImageStatus.FAILED))
        found.update({image_id: (code, reason) for image_id, code, reason in rows})
    return found
