"""The last look, just before a file is moved: both files are opened without following links, and read again."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.audits.acting.refusals import AGAIN, Refused, refused
from app.audits.acting.shelf import Slot, is_shelved
from app.storage.handles import Folder, Inode, held, inode, is_file


@dataclass(frozen=True)
class Wanted:
    """A file to move, the copy that stays, and what both should hold."""

    slot: Slot
    digest: str
    kept: bytes
    kept_digest: str
    link: bool

    @property
    def kept_name(self) -> bytes:
        return self.kept.rpartition(b"/")[2]


@dataclass(frozen=True)
class Sound:
    """A file that may be moved as long as this is held, and its folder; the copy that stays, and that one's folder."""

    folder: Folder
    status: os.stat_result
    kept_folder: Folder
    kept_status: os.stat_result


class Spoken:
    """What this run has moved, and what must stay for it: under other names the same files must not be chosen again."""

    def __init__(self) -> None:
        self.moved: set[Inode] = set()
        self.kept: set[Inode] = set()

    def note(self, sound: Sound) -> None:
        self.moved.add(inode(sound.status))
        self.kept.add(inode(sound.kept_status))

    def look_at(self, file: os.stat_result, kept: os.stat_result) -> None:
        if inode(file) == inode(kept):
            raise Refused("it and the copy that stays are one file under two names: nothing would be gained")
        if inode(file) in self.kept:
            raise Refused("it is the copy that stays for another file, under another name: keep one of the two")
        if inode(kept) in self.moved:
            raise Refused("the copy that stays goes into quarantine under another name: keep one of the two")


@contextlib.contextmanager
def sound(wanted: Wanted, spoken: Spoken) -> Iterator[Sound]:
    """Raises Refused, with the file untouched."""
    name, kept_name = wanted.slot.name, wanted.kept_name
    with contextlib.ExitStack() as held_ones:
        folder = _enter(held_ones, wanted.slot, "its folder can't be entered")
        kept_folder = _enter_above(held_ones, wanted.kept)
        status, kept_status = _status(folder, name, "it"), _status(kept_folder, kept_name, "the copy that stays")
        spoken.look_at(status, kept_status)
        _look_between(wanted, folder, kept_folder)
        file = held_ones.enter_context(_verified(folder, name, status, wanted.digest, "it"))
        kept = _verified(kept_folder, kept_name, kept_status, wanted.kept_digest, "the copy that stays")
        held_ones.enter_context(kept)
        _look_again(file, status, "it")  # the other one may have taken minutes to read
        yield Sound(folder, status, kept_folder, kept_status)


def digest_of(file: BinaryIO) -> str:
    """SHA-256 of an open file, in hex."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _enter(held_ones: contextlib.ExitStack, slot: Slot, doing: str) -> Folder:
    try:
        return held_ones.enter_context(held(slot.root, slot.folders))[-1]
    except OSError as error:
        raise refused(error, doing) from None


def _enter_above(held_ones: contextlib.ExitStack, kept: bytes) -> Folder:
    try:
        return held_ones.enter_context(held(kept.rpartition(b"/")[0] or b"/"))[-1]
    except OSError as error:
        raise Refused(f"the copy that stays can't be reached ({error.strerror}): {AGAIN}") from None


def _status(folder: Folder, name: bytes, which: str) -> os.stat_result:
    try:
        status = folder.status(name)
    except OSError as error:
        raise refused(error, f"{which} can't be looked at") from None
    if status is None:
        raise Refused(f"{which} is not there any more: {AGAIN}")
    if not is_file(status):
        raise Refused(f"{which} is a link now, or no regular file: {AGAIN}")
    return status


def _look_between(wanted: Wanted, folder: Folder, kept_folder: Folder) -> None:
    real = os.path.realpath(wanted.kept.rpartition(b"/")[0] or b"/")
    if is_shelved(real + b"/"):
        raise Refused(f"the copy that stays lies in a quarantine folder: restore it, or {AGAIN}")
    if wanted.link and folder.mount != kept_folder.mount:
        raise Refused("it and the copy that stays are on two file systems, no link spans these: move it without a link")


@contextlib.contextmanager
def _verified(folder: Folder, name: bytes, status: os.stat_result, digest: str, which: str) -> Iterator[BinaryIO]:
    try:
        file = folder.opened(name)
    except OSError as error:
        raise refused(error, f"{which} can't be read") from None
    with file:
        _look_again(file, status, which)
        if _read(file, which) != digest:
            raise Refused(f"{which} has other bytes than the audit saw: {AGAIN}")
        _look_again(file, status, which)
        yield file


def _read(file: BinaryIO, which: str) -> str:
    try:
        return digest_of(file)
    except OSError as error:
        raise refused(error, f"{which} can't be read") from None


def _look_again(file: BinaryIO, before: os.stat_result, which: str) -> None:
    if _standing(os.fstat(file.fileno())) != _standing(before):
        raise Refused(f"{which} was changed while it was looked at: {AGAIN}")


def _standing(status: os.stat_result) -> tuple[int, ...]:
    return *inode(status), status.st_size, status.st_mtime_ns, status.st_ctime_ns
