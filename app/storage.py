"""Files dinoseek owns: uploads, thumbnails and queries by content digest, snapshots. Written beside, then renamed."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from app.errors import ServiceUnavailable
from app.faults import Point, reach

SECRET_BYTES = 32
CHUNK_BYTES = 2**20


class Storage:
    """The home folder. A reader of any path here sees the old file or the new one, never half."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def original(self, digest: str) -> Path:
        return self._shard("originals", digest)

    def thumbnail(self, digest: str) -> Path:
        return self._shard("thumbs", digest).with_suffix(".webp")

    def query(self, digest: str) -> Path:
        return self._shard("queries", digest)

    def snapshots(self, collection_id: int) -> Path:
        return self.home / "snapshots" / str(collection_id)

    def snapshot(self, collection_id: int, snapshot_id: int) -> Path:
        return self.snapshots(collection_id) / f"{snapshot_id:08d}"

    def keep_original(self, source: bytes | BinaryIO) -> str:
        """Store bytes under their digest, on disk before this returns; the digest. A stream is never held whole."""
        if not isinstance(source, bytes):
            return self._keep_stream(source)
        digest = hashlib.sha256(source).hexdigest()
        if not self.original(digest).exists():
            write_atomic(self.original(digest), source)
        return digest

    def keep_query(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        write_atomic(self.query(digest), data)
        return digest

    def keep_thumbnail(self, digest: str, webp: bytes) -> None:
        # derived: it can be made again, so it need not reach the disk before the row does
        write_atomic(self.thumbnail(digest), webp, durable=False)

    def secret(self) -> bytes:
        """The key that signs this home's picture URLs; made once, readable by its owner alone."""
        path = self.home / "secret"
        if not path.exists():
            _create_once(path, secrets.token_bytes(SECRET_BYTES))
        path.chmod(0o600)  # whoever else could read it could sign their own way in
        return path.read_bytes()

    def prepare(self) -> None:
        """Make the home folder. Raises ServiceUnavailable when it can't be written."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            probe = self.home / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or error
            rule = "set DINOSEEK_HOME to a folder that can be"
            raise ServiceUnavailable(f"the home folder {self.home} can't be written ({reason}): {rule}") from None

    def _keep_stream(self, source: BinaryIO) -> str:
        folder = self.home / "originals"
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{os.getpid()}-{secrets.token_hex(8)}.part"  # its place is known when all of it was read
        try:
            with part.open("wb") as file:
                digest = _copy(source, file)
                os.fsync(file.fileno())
            _move_in(part, self.original(digest))
        finally:
            part.unlink(missing_ok=True)
        return digest

    def _shard(self, room: str, digest: str) -> Path:
        return self.home / room / digest[:2] / digest


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path` in one step; `durable`: on disk before returning, name and all.

    Raises ServiceUnavailable when the disk won't take it.
    """
    try:
        _write_beside_and_rename(path, data, durable)
    except OSError as error:
        reason = error.strerror or error
        raise ServiceUnavailable(f"{path} can't be written ({reason}): free space there or move the home") from error


def _write_beside_and_rename(path: Path, data: bytes, durable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        reach(Point.MID_STORE)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync_folder(path.parent)


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    """All of one stream into another; its digest."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    return digest.hexdigest()


def _move_in(part: Path, path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_once(path: Path, data: bytes) -> None:
    """Two processes may start together: the first one's bytes stay."""
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
