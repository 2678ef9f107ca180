"""Chunks of files into rows: look up what is known, read the rest in threads ahead, record in one transaction."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from app.catalog import collections, sightings, sources
from app.catalog.images import displayable
from app.catalog.sightings import Known, Recorded, Sighting
from app.catalog.states import SourceKind, SourceState
from app.faults import Point, reach
from app.ingest import roots
from app.ingest.outage import outlast
from app.ingest.readings import Reading
from app.ingest.receive import Outcome, Receipt, receipt_of
from app.ingest.report import ScanReport
from app.ingest.roots import Root
from app.ingest.walk import Found, is_missing
from app.jobs import Job, enqueue
from app.resources import Resources

FILES_PER_CHUNK = 400  # what one transaction records; three statements look for as many names
FIRST_CHUNK = 25  # files; each chunk may be twice the one before: workers have something to do at once
BYTES_PER_CHUNK = 256 * 2**20  # fewer where they are large: the first pictures should not wait for seconds of reading
CHUNKS_AHEAD = 2
FILES_PER_TASK = 25  # read by one thread in a row: to hand over each would cost more than to read it

Read = Callable[[Found], Reading]


@dataclass
class Chunk:
    """Files on their way: what is known of them, and the readings of the others."""

    files: list[Found]
    known: dict[bytes, Known]
    reading: list[Future]
    host: str


class Recorder:
    """What one ingest reads goes through here, into rows and into its report."""

    def __init__(self, resources: Resources, collection_id: int, report: ScanReport, threads: int) -> None:
        self._resources, self._collection_id, self._report = resources, collection_id, report
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self.on_done: Callable[[int], None] = lambda done: None  # with the number of files recorded so far

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def files(self, found: Iterable[Found], read: Read, *, copied: bool = False, host: str = "") -> None:
        """Record a host's files; `copied`: those whose bytes we have no copy of are read, though known."""
        under_way: deque[Chunk] = deque()
        for files in _chunks(found):
            under_way.append(self._begin(files, read, copied, host))
            if len(under_way) > CHUNKS_AHEAD:
                self._finish(under_way.popleft())
        while under_way:
            self._finish(under_way.popleft())

    def readings(self, readings: Sequence[Reading], host: str = "") -> None:
        """Record what was read already: outside transactions what is slow, inside one what is to hold together."""
        seen = [replace(reading.seen, host=host) for reading in readings if reading.seen]
        sleeping = [reading.known for reading in readings if reading.known and reading.known.sleeps]
        moved = outlast(partial(self._moved, seen))
        reach(Point.BEFORE_RECORD)
        recorded = outlast(partial(self._write, seen, sleeping, moved)) if seen or sleeping else {}
        for reading in readings:
            self._report.note(reading.address, _receipt(reading, recorded.get(reading.address)))
        if sleeping or any(one.new for one in recorded.values()):
            enqueue(self._resources.settings, Job.EMBED_PENDING, collection_id=self._collection_id)
        self.on_done(self._report.counts["seen"])

    def _begin(self, files: list[Found], read: Read, copied: bool, host: str) -> Chunk:
        known = outlast(partial(self._known, [file.address for file in files], host))
        same = {file.address for file in files if _is_unchanged(file, known.get(file.address), copied)}
        others = [file for file in files if file.address not in same]
        parts = [others[start : start + FILES_PER_TASK] for start in range(0, len(others), FILES_PER_TASK)]
        reading = [self._threads.submit(lambda part: [read(file) for file in part], part) for part in parts]
        return Chunk(files, {address: known[address] for address in same}, reading, host)

    def _known(self, addresses: Sequence[bytes], host: str) -> dict[bytes, Known]:
        with self._resources.catalog.read() as session:
            return sightings.known(session, self._collection_id, addresses, host)

    def _finish(self, chunk: Chunk) -> None:
        read = {reading.address: reading for reading in chain.from_iterable(part.result() for part in chunk.reading)}
        read |= {address: Reading(address, known=known) for address, known in chunk.known.items()}
        self.readings([_or_trouble(file, read[file.address]) for file in chunk.files], chunk.host)

    def _write(
        self, seen: Sequence[Sighting], sleeping: Sequence[Known], moved: Sequence[int]
    ) -> dict[bytes, Recorded]:
        with self._resources.catalog.begin() as session:
            collections.lock(session, self._collection_id)
            sightings.wake(session, self._collection_id, sleeping)
            recorded = sightings.record(session, self._collection_id, seen)
            sightings.forget(session, self._collection_id, moved)
            reach(Point.AFTER_RECORD)
        return {one.address: told for one, told in zip(seen, recorded, strict=True)}

    def _moved(self, seen: Sequence[Sighting]) -> list[int]:
        """Bytes that are seen again may have moved: ids of locations that lead nowhere now, their disk being there."""
        if not seen:
            return []
        with self._resources.catalog.read() as session:
            digests = {one.digest for one in seen}
            host = self._resources.storage.host
            places = list(sightings.paths_of_digests(session, self._collection_id, digests, host))
        here = {one.address for one in seen}
        missing = [(id_, at) for id_, at in places if at not in here and is_missing(at)]
        away = self._away() if missing else []
        return [id_ for id_, at in missing if not any(root.covers(at) for root in away)]

    def _away(self) -> list[Root]:
        """A path below one of these is kept until it is back."""
        with self._resources.catalog.read() as session:
            known = sources.all_of(session, self._collection_id, self._resources.storage.host)
        timeout_s = self._resources.settings.remote_timeout_s
        local = [source for source in known if source.kind in (SourceKind.FOLDER, SourceKind.FILES)]
        away = [row for row in local if row.state is SourceState.AWAY or roots.look(row, timeout_s) is not None]
        return [roots.root_of(source) for source in away]


def _chunks(found: Iterable[Found]) -> Iterator[list[Found]]:
    chunk, size_bytes, most = [], 0, FIRST_CHUNK
    for file in found:
        chunk.append(file)
        size_bytes += file.size_bytes
        if len(chunk) >= most or size_bytes >= BYTES_PER_CHUNK:
            yield chunk
            chunk, size_bytes, most = [], 0, min(2 * most, FILES_PER_CHUNK)
    if chunk:
        yield chunk


def _is_unchanged(file: Found, known: Known | None, copied: bool) -> bool:
    """Same size and time as when it was recorded: its bytes need not be read again."""
    if known is None or (known.size_bytes, known.mtime_ns) != (file.size_bytes, file.mtime_ns):
        return False
    return known.stored or not copied or known.code == "not_a_picture"


def _or_trouble(file: Found, reading: Reading) -> Reading:
    if file.trouble is None:
        return reading
    told = f"{file.trouble}: give dinoseek leave to read this folder, then ingest again"
    return Reading(file.address, trouble=("unreadable_folder", told))


def _receipt(reading: Reading, recorded: Recorded | None) -> Receipt:
    shown = displayable(reading.address)
    if reading.trouble is not None:
        return Receipt(shown, Outcome.FAILED, None, *reading.trouble)
    if reading.skipped is not None:
        return Receipt(shown, Outcome.SKIPPED, error=reading.skipped.code, reason=reading.skipped.reason)
    return receipt_of(shown, recorded or _as_before(reading.known))


def _as_before(known: Known) -> Recorded:
    lasting = known.has_failed and not known.sleeps
    return Recorded(known.image_id, False, (known.code, known.reason) if lasting else None)
