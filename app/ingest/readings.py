"""What reading one file told: what it is by content and name, the digest of its bytes, or why it can't be read."""

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from typing import BinaryIO

from app.catalog.images import displayable
from app.catalog.sightings import Known, Sighting
from app.catalog.states import PlaceKind
from app.errors import AppError
from app.ingest.walk import Found
from app.storage import Storage
from app.vision.contents import HEAD_BYTES, Contents, sniff

CHUNK_BYTES = 2**20
STORE_PATIENCE_S = 300.0  # a long ingest need not be started again for a store that is away for a moment
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe put in a file's place must not hold us up
UNREADABLE, CHANGING = "unreadable_file", "it was being written while it was read: ingest again when that is done"


class Unread(Exception):
    """Bytes that can't be had. `code` is the short word stored beside the reason."""

    def __init__(self, reason: str, code: str = UNREADABLE) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class Reading:
    """One address and what is there: bytes to record, or what is known already, or no picture, or trouble."""

    address: bytes
    seen: Sighting | None = None
    known: Known | None = None  # unchanged since it was recorded
    skipped: Contents | None = None
    trouble: tuple[str, str] | None = None  # (code, reason)


class Body(io.RawIOBase):
    """A file from its start though its head was read already. Raises Unread, whatever its reader raises."""

    def __init__(self, head: bytes, file: BinaryIO, max_bytes: int | None) -> None:
        self._head, self._file, self._max_bytes = head, file, max_bytes
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data, self._head = self._head or read_some(self._file, size), b""
        self.size_bytes += len(data)
        if self._max_bytes is not None and self.size_bytes > self._max_bytes:
            rule = "make the file smaller or raise DINOSEEK_MAX_FILE_BYTES"
            raise Unread(f"it has more than {self._max_bytes:,} bytes, which is the limit: {rule}", "too_large")
        return data


def read_some(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except (Unread, AppError):
        raise
    except Exception as error:  # noqa: BLE001  (what is damaged, or made to harm, has readers raise anything)
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not an unpacker's
            raise Unread(f"{error.strerror}: give dinoseek leave to read it, then ingest again") from None
        raise Unread(f"its bytes are damaged ({error}): copy it again from the source", "damaged") from None


def read_file(found: Found, storage: Storage | None, max_bytes: int) -> Reading:
    """A file of this machine; into `storage` as well, where one is given. One that changes meanwhile says so."""
    try:
        with _opened(found.address) as file:
            before = _standing(file)
            reading = take(Found(found.address, *before), file, PlaceKind.FILE, storage, max_bytes)
            if _standing(file) != before:
                raise Unread(CHANGING)
    except Unread as refusal:
        return Reading(found.address, trouble=(refusal.code, refusal.reason))
    return reading


def _opened(address: bytes) -> BinaryIO:
    try:
        return os.fdopen(os.open(address, FLAGS), "rb")
    except OSError as error:
        raise Unread(f"{error.strerror or error}: give dinoseek leave to read it, then ingest again") from None


def _standing(file: BinaryIO) -> tuple[int, int]:
    """(size, time of change) of a file as it is now."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise Unread("it is no regular file any more: ingest again when it is one")
    return status.st_size, status.st_mtime_ns


def take(found: Found, file: BinaryIO, kind: PlaceKind, storage: Storage | None, max_bytes: int) -> Reading:
    """Read an open file to its end: what it is, and its digest; a picture's bytes go into `storage`. Raises Unread."""
    head = read_some(file, HEAD_BYTES)
    contents = sniff(head, displayable(found.address))
    if contents.kind == "skipped":
        return Reading(found.address, skipped=contents)
    kept = storage is not None and contents.kind == "picture"
    body = Body(head, file, max_bytes if kept or kind is not PlaceKind.FILE else None)
    digest = storage.keep_original(body, STORE_PATIENCE_S) if kept else _digest(body)
    refused = None if contents.kind == "picture" else (contents.code, contents.reason)
    seen = Sighting(found.address, digest, body.size_bytes, found.mtime_ns, kind, stored=kept, refused=refused)
    return Reading(found.address, seen)


def _digest(body: Body) -> str:
    digest = hashlib.sha256()
    while chunk := body.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
