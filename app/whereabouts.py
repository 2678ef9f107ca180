"""Where a picture's bytes are: with us, on a disk that this host can reach, or on a server."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app import remote
from app.catalog import images
from app.catalog.images import Place
from app.catalog.models import Image
from app.catalog.states import PlaceKind
from app.errors import NotFound
from app.resources import Resources
from app.storage.files import digest_of


@dataclass(frozen=True)
class Source:
    """Where a picture's bytes may be read."""

    digest: str
    stored: bool  # we keep them ourselves
    paths: list[Path]  # where they were seen, on any host's disks
    addresses: list[str]  # on servers
    seen_here: bool  # one of the paths is on this host


def original(resources: Resources, image_id: int) -> Path | bytes:
    """A file that holds this picture's bytes, or the bytes of one that lies on a server.

    Raises NotFound when none is left, UnreadableImage for a damaged copy, ServiceUnavailable.
    """
    with resources.catalog.read() as session:
        source = sources(resources, session, [images.get(session, image_id)])[image_id]
    found = find_file(resources, source)
    if found is None:
        place = next(iter([*source.paths, *source.addresses]), "any path")
        raise NotFound(f"the file of picture {image_id} is not at {place} any more")
    return found


def sources(resources: Resources, session: Session, rows: Sequence[Image]) -> dict[int, Source]:
    """What the functions below need to know, asked before a transaction ends: they may read the network."""
    places = images.places_of(session, [row.id for row in rows])
    return {row.id: _source(resources, row, places.get(row.id, [])) for row in rows}


def find_file(resources: Resources, source: Source) -> Path | bytes | None:
    """Our own copy, brought from the store if need be; else a path where the bytes are; else what a server has."""
    own = resources.storage.find_original(source.digest) if source.stored else None
    return own or _find_elsewhere(resources, source)


def read(resources: Resources, source: Source) -> Path | bytes | None:
    """As `find_file`, for one look: nothing stays on this disk that was not here."""
    own = resources.storage.read_original(source.digest) if source.stored else None
    return own or _find_elsewhere(resources, source)


def _source(resources: Resources, row: Image, places: Sequence[Place]) -> Source:
    files = [place for place in places if place.kind is PlaceKind.FILE]
    paths = [Path(os.fsdecode(place.address)) for place in files]
    addresses = [os.fsdecode(place.address) for place in places if place.kind is PlaceKind.REMOTE]
    seen_here = any(place.host == resources.storage.host for place in files)
    return Source(row.digest, row.stored, paths, addresses, seen_here)


def _find_elsewhere(resources: Resources, source: Source) -> Path | bytes | None:
    path = _find_path(resources, source)
    if path is not None or not source.addresses:
        return path
    settings = resources.settings
    server = remote.server_of(source.addresses[0], settings.remote_timeout_s)
    return server.read(source.addresses[0], settings.max_file_bytes)


def _find_path(resources: Resources, source: Source) -> Path | None:
    if resources.storage.store is None:
        return first_present(source.paths)
    # the same path on this host's disk may be another picture
    return next((path for path in source.paths if _holds(path, source.digest)), None)


def _holds(path: Path, digest: str) -> bool:
    try:
        return os.path.isfile(path) and digest_of(path) == digest  # noqa: PTH113
    except OSError:
        return False


def first_present(paths: Sequence[Path]) -> Path | None:
    """The first that is a file. One behind a folder we may not enter, or on a dead disk, counts as absent."""
    return next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113  (Path.is_file raises there)
