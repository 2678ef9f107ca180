"""The store: one address that all hosts reach, s3://BUCKET/PREFIX or a shared folder's file:///MNT/SHARE.

Credentials come from the environment as the library of each protocol reads it: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …
"""

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import fsspec

from app.errors import AppError, InvalidInput, NotFound, ServiceUnavailable
from app.storage.files import copy_atomic, write_atomic

# protocol -> what to install. None where a file is seen half written, as with sftp and smb: mount those, and use file.
INSTALL = {"file": "fsspec", "s3": "'dinoseek[s3]'", "gs": "gcsfs", "az": "adlfs"}
# one that is not there is known to be after 25 s, one that refuses after two: s3fs itself tries five times
PATIENCE = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 1}, "max_pool_connections": 32}
OPTIONS = {"s3": {"config_kwargs": PATIENCE}}
PROBE_BYTES = 64


def open_store(url: str | None) -> "Store | None":
    """The store of this address; nothing is asked of it yet.

    Raises InvalidInput for an address that is none, ServiceUnavailable without the library it needs.
    """
    if url is None:
        return None
    parts = urlsplit(url)
    named = parts.path.strip("/") and not parts.netloc if parts.scheme == "file" else parts.netloc
    if parts.scheme not in INSTALL or not named:
        raise InvalidInput(f"DINOSEEK_STORAGE_URL={shown(url)}: give s3://BUCKET/PREFIX or file:///FOLDER")
    if "@" in parts.netloc:
        rule = "a store's address holds no password: put it into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise InvalidInput(f"DINOSEEK_STORAGE_URL={shown(url)}: {rule}")
    return FolderStore(url) if parts.scheme == "file" else Store(url)


def shown(url: str) -> str:
    """The address without a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}").geturl() if "@" in parts.netloc else url


class Store:
    """Objects by key, such as `thumbs/ab/ab12.webp`. Safe for any number of threads. Every method reads the network.

    They raise ServiceUnavailable when the store can't be used, NotFound for an object that is not there.
    """

    way_out = "it must run, and take the AWS_* variables that are set here"

    def __init__(self, url: str) -> None:
        self._shown, protocol = shown(url), urlsplit(url).scheme
        try:
            # what another host put a second ago must be seen: no listing is remembered
            fresh = {"use_listings_cache": False, "skip_instance_cache": True}
            self._files, root = fsspec.url_to_fs(url, **fresh, **OPTIONS.get(protocol, {}))
        except ImportError:
            raise ServiceUnavailable(f"{self} needs a library: pip install {INSTALL[protocol]}") from None
        self._root = root.rstrip("/")

    def __str__(self) -> str:
        return f"the store {self._shown}"

    def put(self, key: str, data: bytes) -> None:
        self.put_all({key: data})
        self._expect(key, len(data))

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Many small ones at once."""
        with self._plainly("place for objects"):
            self._write({self._place(key): data for key, data in objects.items()})

    def put_file(self, key: str, path: Path) -> None:
        with self._plainly(key):
            self._write_file(self._place(key), path)
        self._expect(key, path.stat().st_size)

    def get(self, key: str) -> bytes:
        with self._plainly(key):
            return self._files.cat_file(self._place(key))

    def get_all(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Many small ones at once; those that are not there are left out."""
        places = {self._place(key): key for key in keys}
        if not places:
            return {}
        with self._plainly("place for objects"):
            found = self._files.cat(list(places), on_error="return")
            for place, answer in found.items():
                self._refuse_trouble(places[place], answer)
        return {places[place]: answer for place, answer in found.items() if isinstance(answer, bytes)}

    def get_file(self, key: str, path: Path) -> None:
        with self._plainly(key):
            self._files.get_file(self._place(key), str(path))

    def names(self, key: str) -> list[str]:
        """What lies in a folder; nothing where there is none."""
        with contextlib.suppress(NotFound), self._plainly(key):
            return sorted(Path(place).name for place in self._files.ls(self._place(key), detail=False))
        return []

    def remove(self, key: str) -> None:
        """An object, or a folder with all that is in it. None there is no trouble."""
        with contextlib.suppress(NotFound), self._plainly(key):
            self._files.rm(self._place(key), recursive=True)

    def probe(self) -> None:
        """Write, read and remove a small object: all that we do with it."""
        key, data = f".probe-{secrets.token_hex(8)}", secrets.token_bytes(PROBE_BYTES)
        self.put(key, data)
        try:
            if self.get(key) != data:
                raise ServiceUnavailable(f"{self} gives back other bytes than it was given: look at it, or use another")
        finally:
            self.remove(key)

    def _write(self, objects: Mapping[str, bytes]) -> None:
        self._files.pipe(dict(objects))

    def _write_file(self, place: str, path: Path) -> None:
        self._files.put_file(str(path), place)

    def _container(self) -> str:
        """What we never make: were it made where a disk is not mounted, its pictures would go to another one."""
        return self._root.partition("/")[0]

    def _expect(self, key: str, size_bytes: int) -> None:
        with self._plainly(key):
            found = self._files.info(self._place(key))["size"]
        if found != size_bytes:
            raise ServiceUnavailable(f"{self} has {found:,} of the {size_bytes:,} bytes of {key}: look at it")

    def _place(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextlib.contextmanager
    def _plainly(self, key: str) -> Iterator[None]:
        """What goes wrong, as our errors."""
        try:
            yield
        except FileNotFoundError:
            raise self._missing(key) from None
        except AppError:
            raise
        except Exception as error:  # each library throws its own
            raise self._unusable(error) from error

    def _refuse_trouble(self, key: str, answer: bytes | Exception) -> None:
        """That an object is not there is an answer too, of a store that is there."""
        trouble = self._missing(key) if isinstance(answer, FileNotFoundError) else answer
        if isinstance(trouble, Exception) and not isinstance(trouble, NotFound):
            raise trouble

    def _missing(self, key: str) -> AppError:
        """A bucket or a folder that is not there is not an empty one: nothing in it is lost."""
        try:
            if self._files.exists(self._container()):
                return NotFound(f"{self} has no {key}")
        except Exception as error:  # noqa: BLE001
            return self._unusable(error)
        return ServiceUnavailable(f"{self} is not there: make the bucket or the folder, or mount its disk")

    def _unusable(self, error: Exception) -> ServiceUnavailable:
        return ServiceUnavailable(f"{self} can't be used ({type(error).__name__}: {error}): {self.way_out}")


class FolderStore(Store):
    """A folder on a disk that all hosts mount. An object is never seen half written; here files must be made so."""

    way_out = "mount its disk, with leave to write there"

    def _write(self, objects: Mapping[str, bytes]) -> None:
        self._refuse_unmounted()
        for place, data in objects.items():
            write_atomic(Path(place), data)

    def _write_file(self, place: str, path: Path) -> None:
        self._refuse_unmounted()
        copy_atomic(path, Path(place))

    def _container(self) -> str:
        return self._root

    def _refuse_unmounted(self) -> None:
        if not Path(self._root).is_dir():
            raise FileNotFoundError(self._root)
