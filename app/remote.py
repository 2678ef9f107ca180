"""Files behind addresses such as s3://bucket/prefix, by fsspec. Bounded and with time limits; nothing is written.

Where the server is and who we are, its library learns from its usual variables: for S3 AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID and their like.
"""

import contextlib
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import fsspec
from fsspec.asyn import sync
from fsspec.registry import known_implementations

from app.errors import AppError, InvalidInput, NotFound, ServiceUnavailable, UnreadableImage

EXTRAS = {"s3": "dinoseek[s3]", "s3a": "dinoseek[s3]"}  # what brings a protocol's library along
CONNECT_TIMEOUT_S = 10.0
BLOCK_BYTES = 4 * 2**20  # fetched at a time of what is streamed
TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated")  # what libraries call it


@dataclass(frozen=True)
class Object:
    address: str
    size_bytes: int
    mtime_ns: int  # 0 where the server does not tell


def is_address(text: str) -> bool:
    return "://" in text and not text.startswith("file://")


class Server:
    """The filesystem behind an address. Raises InvalidInput when its library is not here.

    Its methods raise NotFound for what is not there and ServiceUnavailable for what can't be reached.
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self._fs = _filesystem(address, timeout_s)
        self._timeout_s = timeout_s

    def normal(self, address: str) -> str:
        """The address as its files are called: one spelling for each."""
        return self._fs.unstrip_protocol(self._fs._strip_protocol(address.rstrip("/")))

    def look(self, address: str) -> None:
        """Returns when something is at this address or below it."""
        if not self._is_file(address):
            files, folders = self._list(address, self._fs._strip_protocol(address))
            if not (files or folders):
                raise NotFound(f"{address} is empty or not there: check the address")

    def find(self, address: str) -> Iterator[Object]:
        """Files below the address, or the one that it is; folder by folder, those of a hidden name left out."""
        folders = [self._fs._strip_protocol(address)]
        if self._is_file(address):
            with _plainly(address):
                yield self._object(self._fs.info(address))
            return
        # not fsspec's own walk: it leaves out folders that can't be listed, and their files would seem to be gone
        while folders:
            current = folders.pop()
            files, below = self._list(address, current)
            yield from (self._object(facts) for facts in files)
            folders.extend(reversed(below))

    def _list(self, address: str, folder: str) -> tuple[list[dict], list[str]]:
        """Files, and the folders that are not hidden."""
        with _plainly(address):
            listing = sorted(self._fs.ls(folder, detail=True), key=lambda facts: facts["name"])
        files = [facts for facts in listing if facts["type"] == "file" and not facts["name"].endswith("/")]
        names = [facts["name"].rstrip("/") for facts in listing if facts["type"] == "directory"]
        return files, [name for name in names if name != folder and not name.rpartition("/")[2].startswith(".")]

    def read(self, address: str, max_bytes: int) -> bytes:
        """All of a file. Raises UnreadableImage when that is more than `max_bytes`."""
        path = self._fs._strip_protocol(address)
        with _plainly(address):
            if self._fs.async_impl:  # these can be given up on; others keep to time limits of their own, if any
                part = {"start": 0, "end": max_bytes + 1}
                data = sync(self._fs.loop, self._fs._cat_file, path, **part, timeout=self._timeout_s)
            else:
                data = self._fs.cat_file(path, start=0, end=max_bytes + 1)
        if len(data) > max_bytes:
            rule = "make the file smaller or raise DINOSEEK_MAX_FILE_BYTES"
            raise UnreadableImage(f"it has more than {max_bytes:,} bytes, which is the limit: {rule}", "too_large")
        return data

    def open(self, address: str) -> BinaryIO:
        """A file to be read from its start to its end, a few MB at a time."""
        with _plainly(address):
            return _Stream(address, self._fs.open(address, "rb", block_size=BLOCK_BYTES))

    def _is_file(self, address: str) -> bool:
        try:
            with _plainly(address):
                return self._fs.info(address)["type"] == "file"
        except NotFound:
            return False

    def _object(self, facts: dict[str, Any]) -> Object:
        return Object(self._fs.unstrip_protocol(facts["name"]), facts.get("size") or 0, _mtime_ns(facts))


class _Stream(io.RawIOBase):
    """A file whose reading fails in our words."""

    def __init__(self, address: str, file: BinaryIO) -> None:
        self._address, self._file = address, file

    def read(self, size: int = -1) -> bytes:
        with _plainly(self._address):
            return self._file.read(size)

    def close(self) -> None:
        self._file.close()
        super().close()


@functools.lru_cache(maxsize=32)
def server(address_root: str, timeout_s: float) -> Server:
    return Server(address_root, timeout_s)


def server_of(address: str, timeout_s: float) -> Server:
    """The server of an address, opened once."""
    protocol, _, rest = address.partition("://")
    return server(f"{protocol}://{rest.partition('/')[0]}", timeout_s)


def _filesystem(address: str, timeout_s: float) -> fsspec.AbstractFileSystem:
    protocol = address.partition("://")[0]
    if "::" in address:
        raise InvalidInput(f"{address}: a chain of filesystems can't be ingested, give the last one's own address")
    try:
        kind = fsspec.get_filesystem_class(protocol)
    except ImportError:
        raise InvalidInput(f"{address}: what reads {protocol}:// is not installed: {_way_out(protocol)}") from None
    except ValueError:
        raise InvalidInput(f"{address}: nothing we know reads {protocol}://, give a folder, a file or s3://…") from None
    options = kind._get_kwargs_from_urls(address) | _options(protocol, timeout_s)
    with _plainly(address):
        return kind(**options)


def _options(protocol: str, timeout_s: float) -> dict:
    if protocol not in EXTRAS:
        return {}
    limits = {"connect_timeout": CONNECT_TIMEOUT_S, "read_timeout": timeout_s, "retries": {"max_attempts": 2}}
    return {"config_kwargs": limits, "use_listings_cache": False}


def _way_out(protocol: str) -> str:
    if protocol in EXTRAS:
        return f"pip install '{EXTRAS[protocol]}'"
    facts = known_implementations[protocol]
    package = facts["class"].partition(".")[0]
    return f"pip install {package}" if package != "fsspec" else facts.get("err", "see fsspec's documentation")


@contextlib.contextmanager
def _plainly(address: str) -> Iterator[None]:
    """In our words. A file that is not there is told from a server that can't be reached."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{address} is not there: check the address") from None
    except AppError:
        raise
    except Exception as error:  # noqa: BLE001  (each library has a tree of its own, often not below OSError)
        said = " ".join(str(error).split()) or type(error).__name__
        raise ServiceUnavailable(f"{address} can't be reached ({said}): check the server and its credentials") from None


def _mtime_ns(facts: dict[str, Any]) -> int:
    told = next((facts[name] for name in TIMES if facts.get(name)), None)
    if isinstance(told, datetime):
        told = (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    return int(told * 1e9) if isinstance(told, int | float) else 0
