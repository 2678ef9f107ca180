"""Files below folders, one at a time, in a steady order, without following links out of the tree."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.errors import NotFound

SORTED_AT_ONCE = 10_000  # entries of one folder: a million in one would take 250 MB


@dataclass(frozen=True)
class Found:
    """A file as it was listed."""

    address: bytes
    size_bytes: int
    mtime_ns: int
    trouble: str | None = None  # of a folder that can't be listed: why


def absolute(paths: Sequence[Path]) -> list[Path]:
    """The paths as a person means them. Raises NotFound for the first that is not there, or is no file or folder."""
    for path in paths:
        meant = path.expanduser()
        if not os.path.exists(meant):  # noqa: PTH110  (Path.exists raises behind a folder we may not enter)
            raise NotFound(f"{path} is not there: check the path (a disk not mounted?)")
        if not (meant.is_file() or meant.is_dir()):  # a pipe or a device would be read for ever
            raise NotFound(f"{path} is neither a file nor a folder: give one with pictures in it")
    return [Path(os.path.abspath(path.expanduser())) for path in paths]  # noqa: PTH100  (resolve would follow links)


def files_below(paths: Sequence[Path]) -> Iterator[Path]:
    """Regular files of folders and the files named themselves, each once."""
    seen: set[bytes] = set()
    for path in paths:
        for found in folder(path) if path.is_dir() else named([os.fsencode(path)]):
            if found.address not in seen and found.trouble is None:
                seen.add(found.address)
                yield Path(os.fsdecode(found.address))


def folder(root: Path) -> Iterator[Found]:
    """Regular files below a folder, and the folders in it that can't be listed. Links are not followed."""
    folders = [os.fspath(root)]
    while folders:
        current, below = folders.pop(), []
        try:
            for entry in _entries(current):
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield _found(entry)
        except FileNotFoundError:
            continue  # went meanwhile; its neighbours go on
        except OSError as error:
            yield Found(os.fsencode(current), 0, 0, error.strerror or str(error))
        folders.extend(reversed([path for path in below if not is_hidden(os.fsencode(path))]))


def named(addresses: Iterable[bytes]) -> Iterator[Found]:
    """Files by their own paths; a link that was named is followed."""
    for address in addresses:
        try:
            status = os.stat(address)  # noqa: PTH116  (bytes, as everywhere here)
        except OSError:
            yield Found(address, -1, 0)  # reading it says why
        else:
            yield Found(address, status.st_size, status.st_mtime_ns)


def is_hidden(path: bytes) -> bool:
    return path.rpartition(b"/")[2].startswith(b".")  # .git, .Trash, .thumbnails: nobody's photos


def is_missing(address: bytes) -> bool:
    """Surely not there. What can't be looked at, behind a folder that is closed or a disk that fails, may be there."""
    try:
        os.lstat(address)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _entries(path: str) -> Iterator[os.DirEntry]:
    with os.scandir(path) as listing:
        while block := sorted(islice(listing, SORTED_AT_ONCE), key=lambda entry: entry.name):
            yield from block


def _found(entry: os.DirEntry) -> Found:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return Found(os.fsencode(entry.path), -1, 0)
    return Found(os.fsencode(entry.path), status.st_size, status.st_mtime_ns)
