"""Folders that appear whole under their name or not at all, and what becomes of those that went wrong.

42                     a generation
42.building-9f2c11aa   one being written; locked by its builder for as long as that lives
42.damaged-1           one set aside
"""

import contextlib
import errno
import fcntl
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.errors import AlreadyExists
from app.index.durable import storage_trouble

BUILDING = ".building-"
DAMAGED = ".damaged-"
TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


@contextlib.contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A new folder next to `folder` to write in before `publish`. If it isn't published, it is deleted again."""
    if folder.exists():
        raise AlreadyExists(f"{folder} is there already: a generation never changes, build under a new name")
    part = folder.with_name(f"{folder.name}{BUILDING}{secrets.token_hex(4)}")
    with storage_trouble(folder):
        part.mkdir(parents=True)
    try:
        with _held(part):
            yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def publish(part: Path, folder: Path) -> None:
    """Rename, and flush the names. Raises AlreadyExists if another builder was first."""
    _flush(part)
    try:
        part.rename(folder)
    except OSError as error:
        if error.errno not in TAKEN:
            raise
        raise AlreadyExists(f"{folder} was published by another builder: drop this one") from error
    _flush(folder.parent)


def set_aside(folder: Path) -> Path | None:
    """Rename a damaged generation for a person to look at; its new place, None if it is gone. Nothing is deleted."""
    targets = (folder.with_name(f"{folder.name}{DAMAGED}{number}") for number in itertools.count(1))
    target = next(target for target in targets if not target.exists())
    try:
        publish(folder, target)
    except FileNotFoundError:  # another reader may have been faster
        return None
    return target


def sweep_leftovers(parent: Path) -> list[Path]:
    """Delete what killed builds left in `parent`, and tell which. A running build keeps its folder."""
    swept = []
    for part in sorted(parent.glob(f"*{BUILDING}*")):
        with contextlib.suppress(FileNotFoundError), _held(part) as ours:  # not found: published or swept meanwhile
            if ours:
                shutil.rmtree(part)
                swept.append(part)
    return swept


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether this process has the folder to itself now. A killed holder lets go without doing anything."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flush(folder: Path) -> None:
    """A name is on the disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
