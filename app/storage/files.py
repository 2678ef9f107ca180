"""Files that appear whole under their name or not at all."""

import contextlib
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import ServiceUnavailable
from app.faults import Point, reach

CHUNK_BYTES = 2**20


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path` in one step; `durable`: on disk before returning, name and all.

    Raises ServiceUnavailable when the disk won't take it, as everything here that writes.
    """
    with disk_trouble(path), part_of(path) as part:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        publish(part, path, durable=durable)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, bit by bit, that is at `path` when all of it is written and on disk; and not before."""
    with disk_trouble(path), part_of(path) as part:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        publish(part, path)


def copy_atomic(source: Path, path: Path) -> None:
    """Put a copy of `source` at `path` in one step, on disk before returning."""
    with disk_trouble(path), part_of(path) as part, source.open("rb") as whole:
        with part.open("wb") as file:
            shutil.copyfileobj(whole, file, CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
        publish(part, path)


@contextlib.contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to before `publish`; what is left of it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def publish(part: Path, path: Path, *, durable: bool = True) -> None:
    """Give a written file its name; `durable`: the name is on the disk before this returns."""
    reach(Point.MID_STORE)
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
    if durable:
        _sync_folder(path.parent)


@dataclass(frozen=True)
class Received:
    """A file that came in, before it has its name."""

    part: Path
    digest: str
    size_bytes: int


@contextlib.contextmanager
def received(folder: Path, source: bytes | BinaryIO) -> Iterator[Received]:
    """All of `source` in a file in `folder`, flushed to the disk and digested on its way; it goes unless published."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    digest = hashlib.sha256()
    with disk_trouble(folder), part_of(folder / "incoming") as part:
        with part.open("wb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        yield Received(part, digest.hexdigest(), part.stat().st_size)


@contextlib.contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ServiceUnavailable(f"{path} can't be written ({reason}): free space there or move the home") from error


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_newest(folder: Path, most_bytes: int) -> None:
    """Remove the files below `folder` that came longest ago, until the rest take no more than `most_bytes`."""
    kept = 0
    for path, facts in sorted(_files(folder), key=lambda found: found[1].st_mtime, reverse=True):
        kept += facts.st_size
        if kept > most_bytes:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob("*/*"):
        with contextlib.suppress(FileNotFoundError):  # removed by another process meanwhile
            yield path, path.stat()


def create_once(path: Path, data: bytes) -> None:
    """Two processes may start together: the first one's bytes stay. Readable by its owner alone."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    try:
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
