"""Files below the given paths, each once, in a steady order, without following links out of the tree."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.errors import NotFound


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
    """Regular files of folders and the files named themselves. Symlinks inside a folder are not followed."""
    seen: set[Path] = set()
    for path in paths:
        found = _folder(path) if path.is_dir() else iter([path])
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _folder(root: Path) -> Iterator[Path]:
    folders = [os.fspath(root)]
    while folders:
        entries = _entries(folders.pop())
        yield from (Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False))
        below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        folders.extend(reversed([folder for folder in below if not _is_hidden(folder)]))


def _entries(folder: str) -> list[os.DirEntry]:
    """Sorted entries; a folder that vanished or may not be read has none: its neighbours go on."""
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_hidden(folder: str) -> bool:
    return os.path.basename(folder).startswith(".")  # noqa: PTH119  (.git, .Trash, .thumbnails: nobody's photos)
