"""Sources into rows: each root's files are found, read and recorded; what is missing is forgotten or waited for."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app import remote
from app.catalog import collections, sightings, sources
from app.catalog.images import displayable
from app.catalog.models import Source
from app.catalog.states import PlaceKind, SourceKind
from app.errors import NotFound, ServiceUnavailable, UnreadableImage
from app.ingest import absence, archives, roots, walk
from app.ingest.ahead import Ahead
from app.ingest.archives import Broken, Limits, Member
from app.ingest.outage import outlast
from app.ingest.readings import Reading, Unread, read_file, take
from app.ingest.receive import Outcome, Receipt
from app.ingest.recording import Recorder
from app.ingest.report import Absent, ScanReport
from app.ingest.roots import Root
from app.ingest.walk import Found
from app.resources import Resources

THREADS = 4  # that read a disk's files: while one waits for it, another computes a digest
MEMBERS_PER_CHUNK = 100

Progress = Callable[[int, int], None]  # (files done, files found so far)


class Stopped(Exception):
    """Reading is to end here: what was not seen has not gone."""


@dataclass(frozen=True)
class Wishes:
    """How a person wants it done."""

    copy: bool | None = None  # bytes of files go into our storage; none: where hosts share one, and no disks
    forget_missing: bool = False  # files that are missing are gone for good, however many they are
    leave: Callable[[Found], bool] = lambda found: False  # which files are to be left for later; it may raise Stopped


def ingest(
    resources: Resources,
    paths: Sequence[str | Path],
    collection_name: str,
    on_progress: Progress | None = None,
    wishes: Wishes = Wishes(),
) -> ScanReport:
    """Record every picture below `paths`; workers are woken as rows appear. It may be stopped and run again."""
    given = roots.given(resources, collection_name, paths)
    report = ScanReport(collection_name, roots=given)
    read_roots(resources, report, given, on_progress, wishes)
    return report


def read_roots(
    resources: Resources, report: ScanReport, given: Sequence[Root], on_progress: Progress | None, wishes: Wishes
) -> None:
    """Read these roots to their ends, each file once, into the report."""
    started = time.monotonic()
    with resources.catalog.read() as session:
        collection_id = collections.get(session, report.collection).id
    folders = [root.path for root in given if root.kind is SourceKind.FOLDER]
    with Ahead(folders if on_progress else []) as ahead, _recorder(resources, report, collection_id) as recorder:
        if on_progress:
            recorder.on_done = lambda done: on_progress(done, max(done, ahead.files))
        for number, root in enumerate(given):
            _Scan(resources, collection_id, recorder, report, wishes).read(root, given[:number])
    report.seconds += time.monotonic() - started


def read_found(resources: Resources, report: ScanReport, found: Iterable[Found], wishes: Wishes) -> None:
    """Record these files of this machine, into the report."""
    with resources.catalog.read() as session:
        collection_id = collections.get(session, report.collection).id
    with _recorder(resources, report, collection_id) as recorder:
        _Scan(resources, collection_id, recorder, report, wishes).read_files(found, [])


def _recorder(resources: Resources, report: ScanReport, collection_id: int) -> Recorder:
    return Recorder(resources, collection_id, report, max(THREADS, resources.settings.remote_reads))


def settle(resources: Resources, report: ScanReport) -> ScanReport:
    """The report after workers are done: pictures they refused are FAILED now, with the reason."""
    outlast(partial(_refuse_late, resources, report))
    return report


def _refuse_late(resources: Resources, report: ScanReport) -> None:
    with resources.catalog.read() as session:
        collection_id = collections.get(session, report.collection).id
        for root in report.roots:
            host = roots.host_of(resources, root.kind)
            for row in sources.failed_below(session, collection_id, root.kind, root.address, host):
                if report.seen.holds([row.path_bytes])[0]:
                    told = Receipt(displayable(row.path_bytes), Outcome.FAILED, row.image_id, row.code, row.reason)
                    report.refuse_late(row.path_bytes, told)


class _Scan:
    """One root being read."""

    def __init__(
        self, resources: Resources, collection_id: int, recorder: Recorder, report: ScanReport, wishes: Wishes
    ) -> None:
        self._resources, self._settings, self._collection_id = resources, resources.settings, collection_id
        self._recorder, self._report, self._wishes = recorder, report, wishes

    def read(self, root: Root, earlier: Sequence[Root]) -> None:
        source = outlast(partial(self._remembered, root))
        if source is None:
            return None
        try:
            READERS[root.kind](self, root, [other for other in earlier if _meet(root, other)])
        except (ServiceUnavailable, NotFound) as refusal:
            if root.kind is not SourceKind.REMOTE:
                raise
            if isinstance(refusal, ServiceUnavailable) or not self._wishes.forget_missing:
                return self._set_away(source, str(refusal))  # it went while it was read: what was seen of it stays
        outlast(partial(self._close, root, source))
        return None

    def _remembered(self, root: Root) -> Source | None:
        """Its row; None when it is away. Raises NotFound for one that can't be read and of which nothing is known."""
        reason = roots.look(root, self._settings.remote_timeout_s)
        with self._resources.catalog.begin() as session:
            collections.lock(session, self._collection_id)
            identity = (self._collection_id, root.kind, root.address, roots.host_of(self._resources, root.kind))
            copied = self._copies(root.kind) or root.kind is SourceKind.ARCHIVE
            source = sources.remember(session, *identity, copied=copied)
            known = sources.count_below(session, source) if reason is not None else 0
            if reason not in (None, roots.EMPTY) and not known:
                raise NotFound(reason if root.shown in reason else f"{root.shown} can't be read: {reason}")
        if reason is None or not known or self._wishes.forget_missing:
            return source
        self._set_away(source, reason)
        return None

    def _copies(self, kind: SourceKind) -> bool:
        """Whether bytes go into our storage, as a person wishes; else where other hosts can't read this one's disks."""
        if self._wishes.copy is not None:
            return self._wishes.copy
        return self._resources.storage.store is not None and kind is not SourceKind.REMOTE

    def _set_away(self, source: Source, reason: str) -> None:
        absence.note(self._resources, source, reason)
        self._report.away.append(Absent(source.address, reason))

    def _close(self, root: Root, source: Source) -> None:
        """Read to its end: what was not seen any more is forgotten, or too much to believe it."""
        reason = None
        if root.kind in (SourceKind.FOLDER, SourceKind.REMOTE):
            wish = self._wishes.forget_missing
            reason = absence.forget_missing(self._resources, source, self._report.seen, although_many=wish)
        if reason is not None:
            return self._set_away(source, reason)
        absence.note(self._resources, source, None)
        with self._resources.catalog.begin() as session:
            files = len(root.names) or sources.count_below(session, source)
            sources.note_scan(session, source.id, files)
        return None

    def read_folder(self, root: Root, earlier: Sequence[Root]) -> None:
        self.read_files(walk.folder(root.path), earlier)

    def read_named(self, root: Root, earlier: Sequence[Root]) -> None:
        self.read_files(walk.named(sorted(root.names)), earlier)

    def read_files(self, found: Iterable[Found], earlier: Sequence[Root]) -> None:
        if earlier:
            found = (file for file in found if not any(other.reaches(file.address) for other in earlier))
        found = (file for file in found if not self._wishes.leave(file))
        copied = self._copies(SourceKind.FOLDER)
        storage = self._resources.storage if copied else None
        read = partial(read_file, storage=storage, max_bytes=self._settings.max_file_bytes)
        self._recorder.files(found, read, copied=copied, host=self._resources.storage.host)

    def read_remote(self, root: Root, earlier: Sequence[Root]) -> None:
        address = os.fsdecode(root.address)
        server = remote.server_of(address, self._settings.remote_timeout_s)
        listed = (Found(os.fsencode(one.address), one.size_bytes, one.mtime_ns) for one in server.find(address))
        found = (file for file in listed if not any(other.reaches(file.address) for other in earlier))
        self._recorder.files(found, partial(self._read_object, server), copied=self._copies(SourceKind.REMOTE))

    def _read_object(self, server: remote.Server, found: Found) -> Reading:
        try:
            with server.open(os.fsdecode(found.address)) as file:
                storage = self._resources.storage if self._copies(SourceKind.REMOTE) else None
                return take(found, file, PlaceKind.REMOTE, storage, self._settings.max_file_bytes)
        except Unread as refusal:
            return Reading(found.address, trouble=(refusal.code, refusal.reason))
        except NotFound as refusal:
            return Reading(found.address, trouble=("vanished", str(refusal)))
        except UnreadableImage as refusal:
            return Reading(found.address, trouble=(refusal.code, str(refusal)))

    def read_archive(self, root: Root, earlier: Sequence[Root]) -> None:
        """Member by member. What breaks the archive off is one failure, of the archive, and loses nothing before it."""
        chunk: list[Reading] = []
        host = self._resources.storage.host
        try:
            for reading in self._members(root):
                chunk.append(reading)
                if len(chunk) >= MEMBERS_PER_CHUNK:
                    self._recorder.readings(chunk, host)
                    chunk = []
        except Broken as refusal:
            chunk.append(Reading(root.address, trouble=(refusal.code, refusal.reason)))
        self._recorder.readings(chunk, host)

    def _members(self, root: Root) -> Iterator[Reading]:
        mtime_ns = os.stat(root.address).st_mtime_ns  # noqa: PTH116  (of the archive: a member's own says nothing)
        with self._resources.catalog.read() as session:
            host = self._resources.storage.host
            known = sightings.known_below(session, self._collection_id, root.kind, root.address, host)
        for member in archives.members(root.path, self._limits()):
            found = Found(root.address + b"/" + member.name, member.size_bytes, mtime_ns)
            before = known.get(found.address)
            if before and (before.size_bytes, before.mtime_ns) == (found.size_bytes, mtime_ns):
                yield Reading(found.address, known=before)
            else:
                yield self._read_member(found, member)

    def _read_member(self, found: Found, member: Member) -> Reading:
        try:
            with member.open() as file:
                return take(found, file, PlaceKind.MEMBER, self._resources.storage, self._settings.max_file_bytes)
        except Broken:
            raise
        except Unread as refusal:
            return Reading(found.address, trouble=(refusal.code, refusal.reason))

    def _limits(self) -> Limits:
        settings = self._settings
        return Limits(settings.archive_max_members, settings.archive_max_unpacked_bytes, settings.archive_max_ratio)


READERS = {
    SourceKind.FOLDER: _Scan.read_folder,
    SourceKind.FILES: _Scan.read_named,
    SourceKind.REMOTE: _Scan.read_remote,
    SourceKind.ARCHIVE: _Scan.read_archive,
}


def _meet(one: Root, other: Root) -> bool:
    """Whether the same file might be reached by both."""
    return one.covers(other.address) or other.covers(one.address) or one.address == other.address
