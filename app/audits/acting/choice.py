"""Which files a person marked, which copy of each stays, and what rows alone say against moving one."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from app.audits.acting.refusals import AGAIN, Refused
from app.audits.grouping.rules import Rules
from app.catalog import audits, groups, ledger, sources
from app.catalog.audit_models import Audit, Member
from app.catalog.models import Image, Location, Source
from app.catalog.states import PlaceKind, Role, SourceKind
from app.resources import Resources

NO_FILE = {
    PlaceKind.MEMBER: "it lies in an archive: take it out of there by hand",
    PlaceKind.REMOTE: "it lies on a server: only files of this machine are moved",
    PlaceKind.UPLOAD: "it came through the browser: there is no file to move",
}
Place = tuple[Member, Image, Location | None]


@dataclass(frozen=True)
class Candidate:
    """A marked file, as rows tell of it."""

    group_id: int
    place: int  # within its group
    image_id: int
    collection_id: int
    host: str
    path: bytes | None  # None: it is at no place that we know
    shown: str  # the path as text, or what stands for it
    size_bytes: int
    mtime_ns: int
    digest: str
    root: bytes  # the folder that was ingested, or its own
    kept: bytes
    kept_digest: str
    refusal: str | None = None


@dataclass(frozen=True)
class Choice:
    """All that is marked in some groups of an audit, in order of group and place."""

    audit_id: int
    batch: bytes  # a name for its folder: the same as long as nothing was done since
    candidates: tuple[Candidate, ...]


def choose(resources: Resources, audit_id: int, group_ids: Sequence[int] | None, *, link: bool) -> Choice:
    """Raises NotFound for an audit that is not there, and a group that is not of it."""
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        rows = ledger.members(session, audit_id, group_ids)
        for group_id in set(group_ids or ()) - {_group(row) for row in rows}:
            groups.get(session, audit_id, group_id)
        marked = ledger.marked_paths(session, audit_id)
        host = resources.storage.host
        collections = {image.collection_id for _, image, _ in rows}
        roots = {id_: _folders(sources.all_of(session, id_, host)) for id_ in collections}
        salt = f"{audit.created_at} {ledger.count_batches(session, audit_id)}"
    judge = _Judge(audit, host, marked, roots, link=link)
    found = tuple(candidate for _, group in groupby(rows, key=_group) for candidate in judge.candidates(list(group)))
    return Choice(audit_id, _batch(audit_id, salt, found), found)


class _Judge:
    def __init__(
        self,
        audit: Audit,
        host: str,
        marked: set[tuple[str, bytes]],
        roots: dict[int, Sequence[Source]],
        *,
        link: bool,
    ) -> None:
        self._audit, self._host, self._roots, self._link = audit, host, roots, link
        folders = [os.fsencode(folder) for folder in Rules.of(audit.rules).protected]
        self._protected = [*folders, *map(os.path.realpath, folders)]
        self._real: dict[bytes, bytes] = {}
        self._marked = {self._real_path(path) for whose, path in marked if whose == host}

    def candidates(self, group: Sequence[Place]) -> list[Candidate]:
        return [self._candidate(place, group) for place in group if _is_marked(place[0])]

    def _candidate(self, place: Place, group: Sequence[Place]) -> Candidate:
        member, image, location = place
        kept = _kept(place, group, self._host)
        facts = Candidate(
            group_id=member.group_id,
            place=member.place,
            image_id=image.id,
            collection_id=image.collection_id,
            host=self._host if location is None else location.host,
            path=None if location is None else location.path_bytes,
            shown=f"picture {image.id}" if location is None else location.path,
            size_bytes=image.size_bytes,
            mtime_ns=0 if location is None else location.mtime_ns,
            digest=image.digest,
            root=b"" if location is None else self._root(location),
            kept=b"" if kept[2] is None else kept[2].path_bytes,
            kept_digest=kept[1].digest,
        )
        return replace(facts, refusal=self._refusal(place, kept))

    def _refusal(self, place: Place, kept: Place) -> str | None:
        try:
            self._look_at(*place)
            self._look_at_kept(place, kept)
        except Refused as refusal:
            return refusal.reason
        return None

    def _look_at(self, member: Member, image: Image, location: Location | None) -> None:
        if location is None or location.image_id != image.id:
            raise Refused(f"it is not where the audit saw it: {AGAIN}")
        if location.kind is not PlaceKind.FILE:
            raise Refused(NO_FILE[location.kind])
        if location.host != self._host:
            raise Refused(f"it lies on a disk of {location.host or 'another host'}: quarantine it there")
        if image.collection_id == self._audit.against_id != self._audit.collection_id:
            raise Refused("it belongs to the collection that was only compared with: audit that one to move its files")
        self._look_for_protection(location.path_bytes)

    def _look_for_protection(self, path: bytes) -> None:
        names = {path, self._real_path(path)}
        for folder in self._protected:
            if folder in names or any(_is_below(name, folder) for name in names):
                raise Refused(f"its folder {os.fsdecode(folder)} is protected: change the audit's rules to move it")

    def _look_at_kept(self, place: Place, kept: Place) -> None:
        image, location = kept[1:]
        if location is None or location.image_id != image.id:
            raise Refused(f"the copy that stays is not where the audit saw it: {AGAIN}")
        if location.kind is not PlaceKind.FILE or location.host != self._host:
            raise Refused("the copy that stays is no file of this machine, so that nobody can check it: keep a file")
        if kept[0] is place[0] or self._real_path(location.path_bytes) in self._marked:
            raise Refused("the copy that stays is chosen for quarantine itself: keep one of the two")
        if self._link and image.digest != place[1].digest:
            raise Refused("a link can stand for the same bytes only, and this copy has others: move it without a link")

    def _root(self, location: Location) -> bytes:
        """The highest folder that was ingested above a file."""
        above = (source.address_bytes for source in self._roots.get(location.collection_id, ()))
        covering = [address for address in above if _is_below(location.path_bytes, address)]
        return min(covering, key=len, default=_parent(location.path_bytes))

    def _real_path(self, path: bytes) -> bytes:
        """With no link in its folders; the file itself may be one."""
        parent = _parent(path)
        if parent not in self._real:
            self._real[parent] = os.path.realpath(parent)
        return os.path.join(self._real[parent], path.rpartition(b"/")[2])  # noqa: PTH118  (bytes)


def _kept(place: Place, group: Sequence[Place], host: str) -> Place:
    """The same bytes at another place that nobody marked, else the keeper."""
    for other in group:
        same_bytes = other[1].digest == place[1].digest and not _is_marked(other[0])
        if same_bytes and other[2] is not None and (other[2].kind, other[2].host) == (PlaceKind.FILE, host):
            return other
    return group[0]


def _is_marked(member: Member) -> bool:
    return member.marked and member.role is Role.DUPLICATE


def _group(row: Place) -> int:
    return row[0].group_id


def _folders(known: Iterable[Source]) -> list[Source]:
    return [source for source in known if source.kind is SourceKind.FOLDER]


def _is_below(path: bytes, folder: bytes) -> bool:
    return path.startswith(folder.rstrip(b"/") + b"/")


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"


def _batch(audit_id: int, salt: str, found: Iterable[Candidate]) -> bytes:
    digest = hashlib.sha256(salt.encode())
    for one in found:
        digest.update(b"\0".join((b"", one.path or b"", one.digest.encode(), one.kept)))
    return f"audit-{audit_id}-{digest.hexdigest()[:10]}".encode()
