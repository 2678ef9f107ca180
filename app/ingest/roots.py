"""What `ingest` was given: folders, single files, archives, addresses of servers; and whether each is there."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app import remote
from app.audits.acting.shelf import is_shelved
from app.catalog import collections, sources
from app.catalog.images import displayable
from app.catalog.models import Source
from app.catalog.states import SourceKind
from app.errors import AppError, InvalidInput, NotFound
from app.ingest import archives
from app.ingest.walk import absolute, is_hidden
from app.resources import Resources

ORDER = (SourceKind.FILES, SourceKind.ARCHIVE, SourceKind.REMOTE, SourceKind.FOLDER)  # what is named goes first
EMPTY = "it is empty, and pictures were below it: is a disk not mounted?"


@dataclass(frozen=True)
class Root:
    """One of them. Files that were named one by one are one root per folder."""

    kind: SourceKind
    address: bytes
    names: frozenset[bytes] = field(default=frozenset(), compare=False)  # FILES: their addresses

    @property
    def path(self) -> Path:
        return Path(os.fsdecode(self.address))

    @property
    def shown(self) -> str:
        return displayable(self.address)

    def covers(self, address: bytes) -> bool:
        """Whether something at this address would be below it."""
        if self.kind is SourceKind.FILES:
            return address.rpartition(b"/")[0] == self.address
        return address == self.address or address.startswith(self.address.rstrip(b"/") + b"/")

    def reaches(self, address: bytes) -> bool:
        """Whether reading this root comes by the file at this address: not through hidden folders, nor links."""
        if self.kind is SourceKind.FILES:
            return address in self.names
        if not self.covers(address) or self.kind is not SourceKind.FOLDER:
            return self.covers(address)
        between, above = [], address.rpartition(b"/")[0]
        while len(above) > len(self.address):
            between.append(above)
            above = above.rpartition(b"/")[0]
        closed = any(is_hidden(folder) or os.path.islink(folder) for folder in between)  # noqa: PTH114
        return not closed and not os.path.islink(address)  # noqa: PTH114


def given(resources: Resources, collection: str, texts: Sequence[str | Path]) -> list[Root]:
    """The roots that a person named, each once. One that is away is among them when it is remembered.

    Raises NotFound for a path that is not there and never was, InvalidInput for an address nothing here can read, or
    in quarantine.
    """
    timeout_s = resources.settings.remote_timeout_s
    named: dict[bytes, set[bytes]] = {}
    roots: dict[Root, None] = {}
    for text in map(str, texts):
        if remote.is_address(text):
            address = remote.server_of(text, timeout_s).normal(text)
            roots[Root(SourceKind.REMOTE, os.fsencode(address))] = None
        else:
            _add_local(resources, collection, Path(text.removeprefix("file://")), roots, named)
    files = [Root(SourceKind.FILES, folder, frozenset(names)) for folder, names in named.items()]
    return sorted([*files, *roots], key=lambda root: ORDER.index(root.kind))


def look(root: Root | Source, timeout_s: float) -> str | None:
    """Why a root is away; None when it is there. It may block for as long as a disk or a server does."""
    try:
        return LOOKS[root.kind](os.fsdecode(_address(root)), timeout_s)
    except AppError as refusal:
        return str(refusal)
    except OSError as error:
        return f"{error.strerror or error}: is a disk not mounted?"


def host_of(resources: Resources, kind: SourceKind) -> str:
    """Whose disks a root of this kind is on; empty where all hosts see the same."""
    return "" if kind is SourceKind.REMOTE else resources.storage.host


def root_of(source: Source) -> Root:
    return Root(source.kind, source.address_bytes)


def _address(root: Root | Source) -> bytes:
    return root.address if isinstance(root, Root) else root.address_bytes


def _add_local(
    resources: Resources, collection: str, path: Path, roots: dict[Root, None], named: dict[bytes, set[bytes]]
) -> None:
    try:
        (path,) = absolute([path])
    except NotFound:
        root = _remembered(resources, collection, path)
        if root is None:
            raise
        roots[root] = None
        return
    address = os.fsencode(path)
    if is_shelved(address):
        raise InvalidInput(f"{path} lies in quarantine: bring it back first, `dinoseek audit restore --path`")
    if path.is_dir():
        roots[Root(SourceKind.FOLDER, address)] = None
    elif archives.is_archive(path):
        roots[Root(SourceKind.ARCHIVE, address)] = None
    else:
        named.setdefault(os.fsencode(path.parent), set()).add(address)


def _remembered(resources: Resources, collection: str, path: Path) -> Root | None:
    """The root that a missing path is, or lies below, when that one is away."""
    address = os.fsencode(os.path.abspath(path.expanduser()))  # noqa: PTH100
    known = [root_of(source) for source in _sources(resources, collection)]
    covering = [root for root in known if root.covers(address)]
    away = (root for root in covering if look(root, resources.settings.remote_timeout_s) is not None)
    return max(away, key=lambda root: len(root.address), default=None)


def _sources(resources: Resources, collection: str) -> Iterable[Source]:
    with resources.catalog.read() as session:
        found = collections.find(session, collection)
        return sources.all_of(session, found.id, resources.storage.host) if found is not None else []


def _look_at_folder(path: str, _: float) -> str | None:
    with os.scandir(path) as listing:
        return None if next(listing, None) is not None else EMPTY


def _look_at_file(path: str, _: float) -> str | None:
    os.stat(path)  # noqa: PTH116
    return None


def _look_at_server(address: str, timeout_s: float) -> str | None:
    remote.server_of(address, timeout_s).look(address)
    return None


LOOKS = {
    SourceKind.FOLDER: _look_at_folder,
    SourceKind.FILES: _look_at_folder,
    SourceKind.ARCHIVE: _look_at_file,
    SourceKind.REMOTE: _look_at_server,
}
