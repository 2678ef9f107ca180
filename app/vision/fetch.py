"""Fetch published weights: resumed where cut, believed only by what is known of them, in place by one rename."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import httpx

from app.errors import AlreadyExists, BadCheckpoint, WeightsUnavailable
from app.vision import digests
from app.vision.architectures import Architecture
from app.vision.download import Download, Progress, part_bytes, words
from app.vision.published import BASES, Publication, Source, publication


def pull(
    architecture: Architecture,
    weights_dir: Path,
    on_progress: Progress | None = None,
    *,
    source: Source = Source.OFFICIAL,
    base_url: str | None = None,
) -> Path:
    """This model's published weights in `weights_dir`, fetched unless they are there. `base_url` may be a mirror's.

    A file whose SHA-256 is not known in full must have its size, the digits known, the digest the server announces, and
    every tensor of the network. Raises WeightsUnavailable, InvalidInput for a model that this publisher has not,
    AlreadyExists for another file of that name.
    """
    file = publication(architecture, source)
    path = Path(weights_dir) / file.target
    url = (base_url or BASES[source]).rstrip("/") + "/" + file.path
    if path.exists():
        return _kept(path, file, architecture)
    with _in_words(architecture, url, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _part_of(path) as part:
            digest = _fill(part, url, file, architecture, on_progress or _silent)
            _install(part, path, digest)
    return path


def _kept(path: Path, file: Publication, architecture: Architecture) -> Path:
    digest = digests.recall(path) or digests.file_sha256(path)
    if _fault(path, digest, file, architecture) is not None:
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
            if not part_bytes(part):
                _part_path(path).unlink(missing_ok=True)


def _fill(part: BinaryIO, url: str, file: Publication, architecture: Architecture, on_progress: Progress) -> str:
    """Until `part` holds the published bytes. Their SHA-256."""
    stale = part_bytes(part) > 0  # of an earlier run, perhaps of another mirror
    download = Download(part, url, file.size_bytes, file.sha256, on_progress)
    download.run()
    part.seek(0)
    digest = digests.stream_sha256(part)
    fault = _fault(Path(part.name), digest, file, architecture, download.announced_sha256)
    if fault is None:
        return digest
    part.truncate(0)
    if not stale:
        raise WeightsUnavailable(f"its bytes {fault} and were removed")
    return _fill(part, url, file, architecture, on_progress)


def _fault(
    path: Path, digest: str, file: Publication, architecture: Architecture, announced: str | None = None
) -> str | None:
    """Why these bytes can't be the published ones; the more is known of those, the less is asked."""
    if not digest.startswith(file.sha256):
        return "are not the published ones"
    if file.is_pinned:
        return None
    size_bytes = path.stat().st_size
    if file.size_bytes not in (None, size_bytes):
        return f"are {size_bytes:,}, not the {file.size_bytes:,} published,"
    if announced not in (None, digest):
        return "are not those the server announced"
    return _not_loadable(path, architecture)


def _not_loadable(path: Path, architecture: Architecture) -> str | None:
    from app.vision import checkpoints  # torch takes seconds: only files whose digest is not known wait for it

    try:
        checkpoints.verify(architecture, path)
    except BadCheckpoint as refusal:
        return f"do not load ({refusal})"
    return None


def _install(part: BinaryIO, path: Path, digest: str) -> None:
    """A reader sees no file or the whole one, also after the power fails."""
    os.fsync(part.fileno())
    _part_path(path).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    digests.remember(path, digest)


@contextlib.contextmanager
def _in_words(architecture: Architecture, url: str, path: Path) -> Iterator[None]:
    """Whatever stops us leaves as one sentence with the way out."""
    try:
        yield
    except (WeightsUnavailable, httpx.HTTPError, httpx.InvalidURL, OSError) as trouble:
        raise WeightsUnavailable(
            f"{architecture.name} can't be fetched from {url} ({words(trouble)}): "
            f"put {path.name} into {path.parent} yourself, or name another place by `models pull --mirror`"
        ) from None


def _part_path(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _silent(done_bytes: int, total_bytes: int | None) -> None:
    """For callers that do not watch."""
