"""Folders into rows: find files, tell what they are, hash them, record them in short transactions."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.catalog import collections, images
from app.catalog.images import Sighting
from app.faults import Point, reach
from app.ingest import walk
from app.ingest.outage import outlast
from app.ingest.receive import Outcome, Receipt, count, receipt_of, record
from app.jobs import Job, enqueue
from app.resources import Resources
from app.vision.contents import HEAD_BYTES, Contents, sniff

FILES_PER_TRANSACTION = 64
CHUNK_BYTES = 2**20

Progress = Callable[[int, int], None]  # (files done, files found so far)


@dataclass(frozen=True)
class Reading:
    """What reading one file told: what it is, and its digest where it is to be recorded."""

    path: Path
    contents: Contents | None = None  # none: unchanged since it was recorded
    seen: Sighting | None = None
    error: str | None = None


@dataclass
class ScanReport:
    """Every file seen, and what became of it."""

    collection: str
    receipts: list[Receipt] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def image_ids(self) -> set[int]:
        return {receipt.image_id for receipt in self.receipts if receipt.image_id is not None}

    @property
    def counts(self) -> dict[str, int]:
        return {"seen": len(self.receipts), **count(self.receipts)}


def ingest(
    resources: Resources, paths: Sequence[Path], collection_name: str, on_progress: Progress | None = None
) -> ScanReport:
    """Record every picture below `paths`; workers are woken as rows appear. It may be stopped and run again."""
    started = time.monotonic()
    report = ScanReport(collection_name)
    with resources.catalog.read() as session:
        collection_id = collections.get(session, collection_name).id
    files = list(walk.files_below(walk.absolute(paths)))
    for start in range(0, len(files), FILES_PER_TRANSACTION):
        chunk = files[start : start + FILES_PER_TRANSACTION]
        report.receipts += outlast(partial(_record_chunk, resources, collection_id, chunk))
        if on_progress:
            on_progress(len(report.receipts), len(files))
    report.seconds = time.monotonic() - started
    return report


def _record_chunk(resources: Resources, collection_id: int, chunk: Sequence[Path]) -> list[Receipt]:
    """Read outside the transaction, record inside one, wake a worker after it."""
    with resources.catalog.read() as session:
        unchanged = {path for path in chunk if _is_unchanged(session, collection_id, path)}
    readings = [Reading(path) if path in unchanged else read(path) for path in chunk]
    reach(Point.BEFORE_RECORD)
    with resources.catalog.begin() as session:
        collections.lock(session, collection_id)
        receipts = [_record(session, collection_id, reading) for reading in readings]
    if any(receipt.outcome is Outcome.ADDED for receipt in receipts):
        enqueue(resources.settings, Job.EMBED_PENDING, collection_id=collection_id)
    return receipts


def _is_unchanged(session: Session, collection_id: int, path: Path) -> bool:
    """Same size and time as when it was recorded: its bytes need not be read again."""
    location = images.find_location(session, collection_id, path)
    if location is None:
        return False
    try:
        now = path.stat()
    except OSError:
        return False
    return (location.size_bytes, location.mtime_ns) == (now.st_size, now.st_mtime_ns)


def read(path: Path) -> Reading:
    """What a file is and its digest. A file that can't be read, or changes meanwhile, says so."""
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            contents = sniff(file.read(HEAD_BYTES), path.name)
            if contents.kind == "skipped":
                return Reading(path, contents)
            file.seek(0)
            digest = _digest(file)
            after = os.fstat(file.fileno())
    except OSError as error:
        return Reading(path, error=f"{error.strerror or error}: give dinoseek leave to read it, then ingest again")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return Reading(path, error="it was being written while it was read: ingest again when that is done")
    return Reading(path, contents, Sighting(path, digest, after.st_size, after.st_mtime_ns))


def _digest(file) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _record(session: Session, collection_id: int, reading: Reading) -> Receipt:
    shown = images.displayable(reading.path)
    if reading.error is not None:
        return Receipt(shown, Outcome.FAILED, error="unreadable_file", reason=reading.error)
    if reading.contents is None:
        return _unchanged(session, collection_id, reading.path)
    if reading.seen is None:
        return Receipt(shown, Outcome.SKIPPED, error=reading.contents.code, reason=reading.contents.reason)
    return record(session, collection_id, reading.seen, reading.contents)


def _unchanged(session: Session, collection_id: int, path: Path) -> Receipt:
    location = images.find_location(session, collection_id, path)
    image = images.get(session, location.image_id)
    image, _ = images.add(session, collection_id, image.digest, image.size_bytes)  # wakes what may be tried again
    return receipt_of(image, location.path, Outcome.KNOWN)


def settle(resources: Resources, report: ScanReport) -> ScanReport:
    """The report again after workers are done: pictures they refused are FAILED now, with the reason."""
    refused = outlast(partial(_refused, resources, report.image_ids))
    receipts = [
        Receipt(r.path, Outcome.FAILED, r.image_id, *refused[r.image_id]) if r.image_id in refused else r
        for r in report.receipts
    ]
    return ScanReport(report.collection, receipts, report.seconds)


def _refused(resources: Resources, image_ids: set[int]) -> dict[int, tuple[str, str]]:
    with resources.catalog.read() as session:
        return images.failures_among(session, image_ids)
