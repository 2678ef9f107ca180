"""Files whose bytes are on the disk when we say so, with what must be found there."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from app.errors import ServiceUnavailable
from app.index.manifest import FileFacts


class DurableFile:
    """A new file, hashed as it is written; `finish` flushes it to the disk and tells what must be read back.

    Unbuffered on purpose: a full disk raises at the write it stops, not in a close where nobody looks.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes | memoryview) -> int:
        self._hash.update(data)
        self._bytes += write_all(self._file, data)
        return len(data)

    def finish(self) -> FileFacts:
        with self._file:
            os.fsync(self._file.fileno())
        return FileFacts(sha256=self._hash.hexdigest(), bytes=self._bytes)


def write_all(file, data: bytes | memoryview) -> int:
    """Bytes written, always all of them: a raw write may stop short without a word, and only the next one raises."""
    rest = memoryview(data).cast("B")
    total = len(rest)
    while rest:
        rest = rest[file.write(rest) :]
    return total


def read_facts(path: Path) -> FileFacts:
    with path.open("rb") as file:
        return FileFacts(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=os.fstat(file.fileno()).st_size)


@contextlib.contextmanager
def storage_trouble(path: Path) -> Iterator[None]:
    """What the disk refuses, as ServiceUnavailable."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ServiceUnavailable(f"{path} can't be written ({reason}): free space there or move the home") from error
