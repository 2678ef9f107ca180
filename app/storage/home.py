"""The home folder, and the store behind it where several hosts share one."""

import contextlib
import hashlib
import os
import secrets
import socket
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from app.errors import NotFound, ServiceUnavailable, UnreadableImage
from app.storage.files import create_once, digest_of, keep_newest, part_of, publish, received, write_atomic
from app.storage.store import Store

SECRET_BYTES = 32
PAUSE_S = 1.0
FETCHED_BYTES = 2 * 2**30  # of originals brought here for somebody to look at; the ones brought longest ago go first


class Storage:
    """A reader of any path here sees the old file or the new one, never half.

    With a store, what other hosts need is there before a method returns, and what is missing here is brought from it:
    those methods read the network, so none of them belongs within a transaction or an event loop. They raise
    ServiceUnavailable when the store can't be used.
    """

    def __init__(self, home: Path, store: Store | None = None) -> None:
        self.home = home
        self.store = store

    @property
    def host(self) -> str:
        """Whose disks a path is on. Without a store hosts share their disks, and a path is the same on all."""
        return "" if self.store is None else socket.gethostname()

    def original(self, digest: str) -> Path:
        return self._shard("originals", digest)

    def thumbnail(self, digest: str) -> Path:
        return self._shard("thumbs", digest).with_suffix(".webp")

    def patches(self, key: str, digest: str) -> Path:
        """`key` names what made them: those of two never meet."""
        return self._shard(f"patches/{key}", digest)

    def query(self, digest: str) -> Path:
        return self._shard("queries", digest)

    def snapshots(self, collection_id: int) -> Path:
        return self.home / "snapshots" / str(collection_id)

    def snapshot(self, collection_id: int, snapshot_id: int) -> Path:
        return self.snapshots(collection_id) / f"{snapshot_id:08d}"

    def keep_original(self, source: bytes | BinaryIO, patience_s: float = 0.0) -> str:
        """Store bytes under their digest, on disk or in the store before this returns; the digest.

        A stream is never held whole. A store that is away is waited for so long.
        """
        with received(self.home / "originals", source) as file:
            path = self.original(file.digest)
            if self.store is not None:
                self._put(self._key(path), file.part, time.monotonic() + patience_s)
            elif not path.exists():
                publish(file.part, path)
        return file.digest

    def find_original(self, digest: str) -> Path | None:
        """The file of an original that we keep, brought here if need be. Raises UnreadableImage for a damaged one."""
        own = self._original_here(digest)
        if own is not None or self.store is None:
            return own
        fetched = self._shard("fetched", digest)
        with contextlib.suppress(NotFound), part_of(fetched) as part:
            self.store.get_file(self._key(self.original(digest)), part)
            _check(digest_of(part), digest)
            publish(part, fetched, durable=False)
            keep_newest(self.home / "fetched", FETCHED_BYTES)
            return fetched
        return None

    def read_original(self, digest: str) -> Path | bytes | None:
        """As `find_original`, for one look at it: what is only in the store leaves nothing on this disk."""
        own = self._original_here(digest)
        if own is not None or self.store is None:
            return own
        with contextlib.suppress(NotFound):
            data = self.store.get(self._key(self.original(digest)))
            _check(hashlib.sha256(data).hexdigest(), digest)
            return data
        return None

    def keep_query(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        write_atomic(self.query(digest), data)
        return digest

    def keep_thumbnails(self, webps: Mapping[str, bytes]) -> None:
        """Thumbnails by the digest of their picture."""
        self._keep_derived({self.thumbnail(digest): webp for digest, webp in webps.items()})

    def find_thumbnail(self, digest: str) -> Path | None:
        path = self.thumbnail(digest)
        if self.store is not None and not path.is_file():
            with contextlib.suppress(NotFound):
                write_atomic(path, self.store.get(self._key(path)), durable=False)
        return path if path.is_file() else None

    def keep_patches(self, key: str, described: Mapping[str, bytes]) -> None:
        """What is kept of pictures' places, by the digest of the picture."""
        self._keep_derived({self.patches(key, digest): data for digest, data in described.items()})

    def find_patches(self, key: str, digests: Iterable[str]) -> dict[str, bytes]:
        """Those that are kept, brought here if need be; whether they are whole is for the reader to say."""
        paths = {digest: self.patches(key, digest) for digest in digests}
        if self.store is not None:
            self._bring_derived([path for path in paths.values() if not path.is_file()])
        found = {}
        for digest, path in paths.items():
            with contextlib.suppress(FileNotFoundError):
                found[digest] = path.read_bytes()
        return found

    def read_patches(self, key: str, digests: Iterable[str]) -> dict[str, bytes]:
        """As `find_patches`, for one look: with a store, what that has, and nothing comes to this disk."""
        if self.store is None:
            return self.find_patches(key, digests)
        places = {self._key(self.patches(key, digest)): digest for digest in digests}
        return {places[place]: data for place, data in self.store.get_all(places).items()}

    def share_snapshot(self, folder: Path, last: str) -> None:
        """Put a snapshot's files into the store, the one named `last` after all others."""
        for path in sorted(folder.iterdir(), key=lambda path: path.name == last):
            self.store.put_file(self._key(path), path)

    def fetch_snapshot(self, folder: Path, into: Path) -> None:
        """Bring the files of the snapshot that belongs at `folder`. Raises NotFound when the store has none of it."""
        names = self.store.names(self._key(folder))
        if not names:
            raise NotFound(f"{folder.name} of {folder.parent.name} is not in {self.store}: build the index again")
        for name in names:
            self.store.get_file(f"{self._key(folder)}/{name}", into / name)

    def is_shared(self, folder: Path) -> bool:
        """Whether all files of a snapshot that is here are in the store too."""
        return {path.name for path in folder.iterdir()} <= set(self.store.names(self._key(folder)))

    def withdraw_snapshots(self, collection_id: int, snapshot_ids: Collection[int]) -> None:
        """Remove those of these snapshots that are in the store."""
        folder = self.snapshots(collection_id)
        names = {self.snapshot(collection_id, number).name for number in snapshot_ids}
        for name in names.intersection(self.store.names(self._key(folder))):
            self.store.remove(self._key(folder / name))

    def secret(self) -> bytes:
        """The key that signs this home's picture URLs; made once, readable by its owner alone."""
        path = self.home / "secret"
        if not path.exists():
            create_once(path, secrets.token_bytes(SECRET_BYTES))
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

    def _put(self, key: str, path: Path, deadline: float) -> None:
        """Even if it is there: a damaged one is healed by it."""
        while True:
            try:
                return self.store.put_file(key, path)
            except ServiceUnavailable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_S)

    def _keep_derived(self, files: Mapping[Path, bytes]) -> None:
        for path, data in files.items():
            # it can be made again, so it need not reach the disk before the row does
            write_atomic(path, data, durable=False)
        if self.store is not None:
            self.store.put_all({self._key(path): data for path, data in files.items()})

    def _bring_derived(self, paths: Sequence[Path]) -> None:
        keys = {self._key(path): path for path in paths}
        for key, data in self.store.get_all(keys).items():
            write_atomic(keys[key], data, durable=False)

    def _original_here(self, digest: str) -> Path | None:
        places = (self.original(digest), self._shard("fetched", digest))
        return next((path for path in places if path.is_file()), None)

    def _shard(self, room: str, digest: str) -> Path:
        return self.home / room / digest[:2] / digest

    def _key(self, path: Path) -> str:
        """What a file of the home is called in the store: the same."""
        return path.relative_to(self.home).as_posix()


def _check(found: str, digest: str) -> None:
    if found != digest:
        raise UnreadableImage(
            f"the store's copy of this picture is damaged (SHA-256 {found[:12]}…, not {digest[:12]}…): ingest it again",
            "damaged_copy",
        )
