"""Folders into rows: find files, tell what they are, hash them, record them in short transactions."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from app.catalog import collections, images
from app.catalog.images import Sighting
from app.errors import ServiceUnavailable
from app.ingest import walk
from app.ingest.receive import Outcome, Receipt, count, receipt_of, record
from app.jobs import Job, enqueue
from app.resources import Resources
from app.storage import Storage
from app.vision.contents import HEAD_BYTES, Contents, sniff

FILES_PER_TRANSACTION = 64
CHUNK_BYTES = 2**20
STORE_PATIENCE_S = 300.0  # a store that is away this long is not waited for: what was recorded stays
STORE_PAUSE_S = 2.0

Progress = Callable[[int, int], None]  # (files done, files found so far)
Keep = Callable[[BinaryIO], str]  # reads a file to its end; its digest


@dataclass(frozen=True)
class Aim:
    """Where what is found goes."""

    collection_id: int
    host: str  # whose disks are read; empty where hosts share them
    copy: bool  # bytes go into our storage: other hosts can't read this one's disks


@dataclass(frozen=True)
class Reading:
    """What reading one file told: what it is, and its digest where it is to be recorded."""

    path: Path
    contents: Contents | None = None  # none: unchanged since it was recorded
    seen: Sighting | None = None
    stored: bool = False
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
    resources: Resources,
    paths: Sequence[Path],
    collection_name: str,
    on_progress: Progress | None = None,
    copy: bool | None = None,
) -> ScanReport:
    """Record every picture below `paths`; workers are woken as rows appear. It may be stopped and run again.

    `copy` keeps the bytes in our storage too; none: where a store is set. Raises ServiceUnavailable for that.
    """
    started = time.monotonic()
    report = ScanReport(collection_name)
    storage = resources.storage
    with resources.catalog.read() as session:
        collection_id = collections.get(session, collection_name).id
    aim = Aim(collection_id, storage.host, copy=storage.store is not None if copy is None else copy)
    files = list(walk.files_below(walk.absolute(paths)))
    for start in range(0, len(files), FILES_PER_TRANSACTION):
        chunk = files[start : start + FILES_PER_TRANSACTION]
        report.receipts += _record_chunk(resources, aim, chunk)
        if on_progress:
            on_progress(len(report.receipts), len(files))
    report.seconds = time.monotonic() - started
    return report


def _record_chunk(resources: Resources, aim: Aim, chunk: Sequence[Path]) -> list[Receipt]:
    """Read outside the transaction, record inside one, wake a worker after it."""
    with resources.catalog.read() as session:
        unchanged = {path for path in chunk if _is_unchanged(session, aim, path)}
    look = partial(read, host=aim.host, keep=partial(_keep, resources.storage) if aim.copy else None)
    readings = [Reading(path) if path in unchanged else look(path) for path in chunk]
    with resources.catalog.begin() as session:
        collections.lock(session, aim.collection_id)
        receipts = [_record(session, aim, reading) for reading in readings]
    if any(receipt.outcome is Outcome.ADDED for receipt in receipts):
        enqueue(resources.settings, Job.EMBED_PENDING, collection_id=aim.collection_id)
    return receipts


def _is_unchanged(session: Session, aim: Aim, path: Path) -> bool:
    """Same size and time as when it was recorded: its bytes need not be read again."""
    location = images.find_location(session, aim.collection_id, path, aim.host)
    if location is None or (aim.copy and not images.get(session, location.image_id).stored):
        return False
    try:
        now = path.stat()
    except OSError:
        return False
    return (location.size_bytes, location.mtime_ns) == (now.st_size, now.st_mtime_ns)


def read(path: Path, host: str = "", keep: Keep | None = None) -> Reading:
    """What a file is and its digest. A file that can't be read, or changes meanwhile, says so."""
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            contents = sniff(file.read(HEAD_BYTES), path.name)
            if contents.kind == "skipped":
                return Reading(path, contents)
            file.seek(0)
            digest = (keep or _digest)(file)
            after = os.fstat(file.fileno())
    except OSError as error:
        return Reading(path, error=f"{error.strerror or error}: give dinoseek leave to read it, then ingest again")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return Reading(path, error="it was being written while it was read: ingest again when that is done")
    seen = Sighting(path, digest, after.st_size, after.st_mtime_ns, host=host)
    return Reading(path, contents, seen, stored=keep is not None)


def _keep(storage: Storage, file: BinaryIO) -> str:
    """Into our storage. A store that is away for a moment is waited for: a long ingest need not be started again."""
    deadline = time.monotonic() + STORE_PATIENCE_S
    while True:
        try:
            file.seek(0)
            return storage.keep_original(file)
        except ServiceUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(STORE_PAUSE_S)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _record(session: Session, aim: Aim, reading: Reading) -> Receipt:
    shown = images.displayable(reading.path)
    if reading.error is not None:
        return Receipt(shown, Outcome.FAILED, error="unreadable_file", reason=reading.error)
    if reading.contents is None:
        return _unchanged(session, aim, reading.path)
    if reading.seen is None:
        return Receipt(shown, Outcome.SKIPPED, error=reading.contents.code, reason=reading.contents.reason)
    return record(session, aim.collection_id, reading.seen, reading.contents, stored=reading.stored)


def _unchanged(session: Session, aim: Aim, path: Path) -> Receipt:
    location = images.find_location(session, aim.collection_id, path, aim.host)
    image = images.get(session, location.image_id)
    image, _ = images.add(session, aim.collection_id, image.digest, image.size_bytes)  # wakes what may be tried again
    return receipt_of(image, location.path, Outcome.KNOWN)


def settle(resources: Resources, report: ScanReport) -> ScanReport:
    """The report again after workers are done: pictures they refused are FAILED now, with the reason."""
    with resources.catalog.read() as session:
        refused = images.failures_among(session, report.image_ids)
    receipts = [
        Receipt(r.path, Outcome.FAILED, r.image_id, *refused[r.image_id]) if r.image_id in refused else r
        for r in report.receipts
    ]
    return ScanReport(report.collection, receipts, report.seconds)
