"""Bytes seen at addresses become rows, a few hundred at a time in a handful of statements, however many there are."""

from collections.abc import Collection as Many
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.orm import Session

from app.catalog import images, sources
from app.catalog.images import RETRYABLE_CODES, displayable, portions
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus, PlaceKind, SourceKind


@dataclass(frozen=True)
class Sighting:
    """Bytes as they were when they were read: where, how many, how old, and their digest."""

    address: bytes
    digest: str
    size_bytes: int
    mtime_ns: int
    kind: PlaceKind = PlaceKind.FILE
    host: str = ""  # whose disk it is on; empty where all hosts see the same
    group: bytes | None = None  # what filters call its folder, where that is not the one it lies in
    stored: bool = False  # the same bytes are in our storage now
    refused: tuple[str, str] | None = None  # (code, reason), of what was meant to be a picture and is none

    @property
    def folder(self) -> bytes:
        return self.group or self.address.rpartition(b"/")[0] or b"/"


@dataclass(frozen=True)
class Known:
    """What an address held when it was last seen, and what became of it."""

    image_id: int
    size_bytes: int
    mtime_ns: int
    stored: bool
    status: ImageStatus
    code: str | None
    reason: str | None

    @property
    def has_failed(self) -> bool:
        return self.status is ImageStatus.FAILED

    @property
    def sleeps(self) -> bool:
        """To be seen again is news for it: it comes back, or is tried again."""
        return self.status is ImageStatus.GONE or _may_be_retried(self)


@dataclass(frozen=True)
class Recorded:
    """The image of one sighting. `refusal`, (code, reason), when it is FAILED."""

    image_id: int
    new: bool
    refusal: tuple[str, str] | None


def known(session: Session, collection_id: int, addresses: Many[bytes], host: str = "") -> dict[bytes, Known]:
    return _known(session, collection_id, Location.host == host, Location.path_bytes.in_(addresses))


def known_below(
    session: Session, collection_id: int, kind: SourceKind, address: bytes, host: str = ""
) -> dict[bytes, Known]:
    """Everything below a root, of which the caller knows that it is no million."""
    return _known(session, collection_id, *sources.below(kind, address, host))


def record(session: Session, collection_id: int, seen: Sequence[Sighting]) -> list[Recorded]:
    """The image of each sighting, in the order given, made or brought back, with the address remembered.

    All are of one host's disks. The caller holds the collection's lock: else two that add the same bytes collide.
    """
    first = {one.digest: one for one in reversed(seen)}
    before = _by_digest(session, collection_id, first)
    added = _add(session, collection_id, [one for digest, one in first.items() if digest not in before])
    wake(session, collection_id, before.values())
    _mark_stored(session, [before[one.digest].image_id for one in seen if one.stored and one.digest in before])
    ids = {digest: row.image_id for digest, row in before.items()} | added
    _locate(session, collection_id, {one.address: (one, ids[one.digest]) for one in seen})
    return [_recorded(one, ids[one.digest], before.get(one.digest), one is first[one.digest]) for one in seen]


def wake(session: Session, collection_id: int, rows: Many[Known | Row]) -> None:
    """What was gone is back; what failed by bad luck is tried again."""
    images.bring_back(session, collection_id, [row.image_id for row in rows if row.status is ImageStatus.GONE])
    images.retry(session, [row.image_id for row in rows if _may_be_retried(row)])


def forget(session: Session, collection_id: int, location_ids: Sequence[int]) -> None:
    """Drop addresses. An image without any, and without a copy of ours, is GONE until its bytes are seen again."""
    for chosen in portions(location_ids):
        dropped = delete(Location).where(Location.id.in_(chosen)).returning(Location.image_id)
        images.leave_if_nowhere(session, collection_id, set(session.scalars(dropped)))


def paths_of_digests(
    session: Session, collection_id: int, digests: Many[str], host: str = ""
) -> Iterator[tuple[int, bytes]]:
    """(location id, path) of every file on a host's disks where these bytes were seen."""
    statement = select(Location.id, Location.path_bytes).join(Image, Image.id == Location.image_id)
    chosen = (Image.collection_id == collection_id, Image.digest.in_(digests), Location.kind == PlaceKind.FILE)
    return (tuple(row) for row in session.execute(statement.where(*chosen, Location.host == host)))


def _known(session: Session, collection_id: int, *chosen: ColumnElement[bool]) -> dict[bytes, Known]:
    facts = (Image.id, Location.size_bytes, Location.mtime_ns, Image.stored, Image.status, Image.code, Image.reason)
    statement = select(Location.path_bytes, *facts).join(Image, Image.id == Location.image_id)
    rows = session.execute(statement.where(Location.collection_id == collection_id, *chosen))
    return {address: Known(*rest) for address, *rest in rows}


def _by_digest(session: Session, collection_id: int, digests: Many[str]) -> dict[str, Row]:
    columns = (Image.digest, Image.id.label("image_id"), Image.status, Image.code, Image.reason)
    chosen = (Image.collection_id == collection_id, Image.digest.in_(digests))
    return {row.digest: row for row in session.execute(select(*columns).where(*chosen))}


def _add(session: Session, collection_id: int, fresh: Sequence[Sighting]) -> dict[str, int]:
    """Ids by digest."""
    if not fresh:
        return {}
    rows = [_image(collection_id, one) for one in reversed(fresh)]  # in the order seen, so that ids are too
    return {digest: id_ for id_, digest in session.execute(insert(Image).returning(Image.id, Image.digest), rows)}


def _image(collection_id: int, seen: Sighting) -> dict:
    code, reason = seen.refused or (None, None)
    status = ImageStatus.FAILED if seen.refused else ImageStatus.PENDING
    identity = {"collection_id": collection_id, "digest": seen.digest, "size_bytes": seen.size_bytes}
    return {**identity, "stored": seen.stored, "status": status, "code": code, "reason": reason}


def _may_be_retried(row: Known | Row) -> bool:
    return row.status is ImageStatus.FAILED and row.code in RETRYABLE_CODES


def _mark_stored(session: Session, image_ids: Sequence[int]) -> None:
    if image_ids:
        session.execute(update(Image).where(Image.id.in_(image_ids), Image.stored.is_(False)).values(stored=True))


def _locate(session: Session, collection_id: int, places: dict[bytes, tuple[Sighting, int]]) -> None:
    """Remember that these bytes are at these addresses; other bytes that were there lose theirs."""
    columns = select(Location.id, Location.path_bytes, Location.image_id)
    hosts = {seen.host for seen, _ in places.values()}
    here = (Location.collection_id == collection_id, Location.host.in_(hosts), Location.path_bytes.in_(places))
    rows = session.execute(columns.where(*here)).all()
    old = {row.path_bytes for row in rows}
    fresh = [_location(*place) | {"collection_id": collection_id} for at, place in places.items() if at not in old]
    if fresh:
        session.execute(insert(Location), fresh)
    if rows:
        session.execute(update(Location), [_location(*places[row.path_bytes]) | {"id": row.id} for row in rows])
    images.leave_if_nowhere(
        session, collection_id, {row.image_id for row in rows if row.image_id != places[row.path_bytes][1]}
    )


def _location(seen: Sighting, image_id: int) -> dict:
    return {
        "image_id": image_id,
        "host": seen.host,
        "kind": seen.kind,
        "path_bytes": seen.address,
        "path": displayable(seen.address),
        "folder": displayable(seen.folder),
        "size_bytes": seen.size_bytes,
        "mtime_ns": seen.mtime_ns,
    }


def _recorded(seen: Sighting, image_id: int, before: Row | None, is_first: bool) -> Recorded:
    if before is None:
        return Recorded(image_id, is_first, seen.refused)
    lasting = before.status is ImageStatus.FAILED and not _may_be_retried(before)
    return Recorded(image_id, False, (before.code, before.reason) if lasting else None)
