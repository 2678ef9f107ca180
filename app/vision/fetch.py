"""Fetch published weights: resumed where they were cut, believed only by their SHA-256, in place by one rename."""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import httpx

from app.errors import AlreadyExists, InvalidInput, WeightsUnavailable
from app.vision import digests
from app.vision.architectures import OFFICIAL_BASE, Architecture

Progress = Callable[[int, int | None], None]  # bytes here, bytes in all where known

TIMEOUT = httpx.Timeout(30, connect=4)  # a closed network should say so while the person still looks
MOST_BYTES = 8 * 2**30  # larger than any of them: where a stream of unknown length is stopped
TRIES = 4  # in a row that bring nothing new
PAUSE_S = 0.5  # before another try, doubled each time


class _Cut(Exception):
    """The connection ended before the file did."""


def pull(
    architecture: Architecture, weights_dir: Path, on_progress: Progress | None = None, *, base_url: str = OFFICIAL_BASE
) -> Path:
    """The weights file of this model in `weights_dir`, fetched unless it is there. `base_url` may be a mirror's.

    Raises WeightsUnavailable, InvalidInput for a model without a file, AlreadyExists for another file of that name.
    """
    if architecture.file is None:
        raise InvalidInput(f"{architecture.name} needs no weights: they are made from a seed")
    path = Path(weights_dir) / architecture.file_name
    url = base_url.rstrip("/") + "/" + architecture.file
    if path.exists():
        return _published(path, architecture)
    with _in_words(architecture, url, weights_dir):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _part_of(path) as part:
            _fill(part, url, architecture, on_progress or _silent)
            _install(part, path, architecture)
    return path


def _published(path: Path, architecture: Architecture) -> Path:
    if (digests.recall(path) or digests.file_sha256(path)) != architecture.sha256:
        raise AlreadyExists(f"{path} is not the published file of {architecture.name}: move it away to fetch that")
    return path


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[BinaryIO]:
    """The unfinished file, ours alone, kept for the next try whatever happens."""
    with _part_path(path).open("a+b") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WeightsUnavailable("another process is fetching it") from None
        try:
            yield part
        finally:
            if not _size(part):
                _part_path(path).unlink(missing_ok=True)


def _fill(part: BinaryIO, url: str, architecture: Architecture, on_progress: Progress) -> None:
    """Until `part` holds the published bytes."""
    stale = _size(part) > 0  # of an earlier run, perhaps of another mirror
    _download(part, url, architecture, on_progress)
    if _is_published(part, architecture):
        return
    part.truncate(0)
    if not stale:
        raise WeightsUnavailable("its bytes are not the published ones and were removed")
    _fill(part, url, architecture, on_progress)


def _download(part: BinaryIO, url: str, architecture: Architecture, on_progress: Progress) -> None:
    """Try again while tries bring something; a server that always cuts at the same byte ends it."""
    longest, tries = _size(part), 0
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
        while True:
            try:
                return _stream(client, part, url, architecture, on_progress)
            except _Cut as cut:
                tries = 0 if _size(part) > longest else tries + 1
                longest = max(longest, _size(part))
                if tries >= TRIES:
                    raise WeightsUnavailable(f"{cut}; {_size(part):,} bytes are kept for the next try") from None
                time.sleep(PAUSE_S * 2**tries)


def _stream(client: httpx.Client, part: BinaryIO, url: str, architecture: Architecture, on_progress: Progress) -> None:
    """One request, from where the part ends. Raises _Cut when the server ends early."""
    start = _size(part)
    if start and start == architecture.size_bytes:
        return
    # Compressed on the way, a range would count other bytes than ours
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # nothing follows what we have: the digest will tell
            response.raise_for_status()
            start = _resumed_at(response, start)
            part.truncate(start)  # opened to append: writing goes on from there
            part.seek(start)
            _copy(response, part, architecture, on_progress)
    except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as cut:
        raise _Cut(f"the connection was cut ({_words(cut)})") from None
    if architecture.size_bytes is not None and _size(part) < architecture.size_bytes:
        raise _Cut("the server ended the file early")


def _resumed_at(response: httpx.Response, wanted: int) -> int:
    """The first byte this answer brings: 0 from a server that ignores ranges."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    told = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != wanted:
        raise WeightsUnavailable("the server sent another part of the file than was asked for")
    return wanted


def _copy(response: httpx.Response, part: BinaryIO, architecture: Architecture, on_progress: Progress) -> None:
    most = architecture.size_bytes or MOST_BYTES
    told = response.headers.get("Content-Length")
    total = architecture.size_bytes or (part.tell() + int(told) if told else None)
    for chunk in response.iter_raw():  # as they come: a chunk size would lose what is gathered when the line is cut
        part.write(chunk)
        on_progress(part.tell(), total)
        if part.tell() > most:
            return  # too long to be it; the digest refuses it


def _install(part: BinaryIO, path: Path, architecture: Architecture) -> None:
    """A reader sees no file or the whole one, also after the power fails."""
    os.fsync(part.fileno())
    _part_path(path).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    digests.remember(path, architecture.sha256)


@contextlib.contextmanager
def _in_words(architecture: Architecture, url: str, weights_dir: Path) -> Iterator[None]:
    """Whatever stops us leaves as one sentence with the way out."""
    try:
        yield
    except (WeightsUnavailable, httpx.HTTPError, httpx.InvalidURL, OSError) as trouble:
        raise WeightsUnavailable(
            f"{architecture.name} can't be fetched from {url} ({_words(trouble)}): "
            f"put {architecture.file_name} into {weights_dir} yourself, or name another place by `models pull --mirror`"
        ) from None


def _words(trouble: Exception) -> str:
    if isinstance(trouble, httpx.ConnectTimeout):
        return f"no connection within {TIMEOUT.connect:g} s"
    if isinstance(trouble, httpx.TimeoutException):
        return f"nothing came for {TIMEOUT.read:g} s"
    if isinstance(trouble, httpx.HTTPStatusError):
        return f"the server answered {trouble.response.status_code} {trouble.response.reason_phrase}".rstrip()
    if isinstance(trouble, OSError) and trouble.strerror:
        return trouble.strerror
    return re.sub(r"^\[.*?\] ", "", str(trouble)) or type(trouble).__name__


def _is_published(part: BinaryIO, architecture: Architecture) -> bool:
    part.flush()
    part.seek(0)
    return digests.stream_sha256(part) == architecture.sha256


def _part_path(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _size(part: BinaryIO) -> int:
    part.flush()
    return os.fstat(part.fileno()).st_size


def _silent(done_bytes: int, total_bytes: int | None) -> None:
    """For callers that do not watch."""
