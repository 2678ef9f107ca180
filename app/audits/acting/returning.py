"""One file on its way back from quarantine. At each instant every byte is in its place or in quarantine."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from app.audits.acting.checks import digest_of
from app.audits.acting.refusals import Refused, refused
from app.audits.acting.shelf import Slot
from app.catalog.audit_models import Move
from app.faults import Point, reach
from app.storage import renames
from app.storage.handles import Folder, Unsynced, held, inode, is_file

TAKEN = "something else lies at its place now: move or rename that, then restore again"
NOWHERE = "it is neither at its place nor in quarantine: is its disk mounted?"
OTHER = "its bytes in quarantine are not those that were moved: look at it there, and move it by hand"


@dataclass(frozen=True)
class Shelved:
    """A file in quarantine, as it was when it was moved."""

    slot: Slot
    digest: str
    mtime_ns: int
    kept: bytes  # path of the copy that stayed
    linked: bool  # a hard link to it took the file's place


@dataclass(frozen=True)
class Seen:
    """A file that is open: its status, and the digest of its bytes."""

    status: os.stat_result
    digest: str


def of_move(move: Move, *, linked: bool) -> Shelved:
    return Shelved(Slot.of(move.quarantine_bytes), move.digest, move.mtime_ns, move.kept_path_bytes, linked)


def is_away(file: Shelved) -> bool:
    """Whether the file lies in quarantine: not only a link to the copy that stays, that no file made room for."""
    there = _inode_of(file.slot.quarantined)
    return there is not None and not (file.linked and there == _inode_of(file.kept))


def returned(file: Shelved) -> os.stat_result | None:
    """The file at its place where it is back already; a link that stood for it goes. None where it is not back."""
    try:
        with held(file.slot.root, file.slot.folders) as place, _shelf(file.slot) as shelf:
            there = None if shelf is None else shelf.status(file.slot.name)
            if there is not None and not file.linked and not _is_same(there, place[-1].status(file.slot.name)):
                return None
            return _finished(file, place[-1], shelf, there)
    except (OSError, Refused):
        return None


def bring_back(file: Shelved, unsynced: Unsynced) -> os.stat_result:
    """The file at its place. Folders to be flushed go to `unsynced`. Raises Refused, with nothing changed."""
    back = returned(file)
    if back is not None:
        return back
    try:
        with held(file.slot.root, file.slot.shelf_folders) as shelf:
            before = _verified(file, shelf[-1])
            reach(Point.BEFORE_RETURN)
            return _move(file, shelf[-1], before, unsynced)
    except FileNotFoundError:
        raise Refused(NOWHERE) from None
    except FileExistsError:
        raise Refused(TAKEN) from None
    except OSError as error:
        raise refused(error, "it can't be moved back") from None


def rehearse(file: Shelved) -> None:
    """All that `bring_back` looks at, and nothing changed. Raises Refused where that would."""
    try:
        with _shelf(file.slot) as shelf:
            if shelf is not None and shelf.status(file.slot.name) is not None:
                _verified(file, shelf)
                _rehearse_place(file)
            elif returned(file) is None:
                raise Refused(NOWHERE)
    except OSError as error:
        raise refused(error, "it can't be moved back") from None


def drop_link(shelf: Folder, name: bytes, kept: bytes) -> None:
    """Take a keeper's second name away from a quarantine folder. Raises OSError when it is none."""
    with held(kept.rpartition(b"/")[0] or b"/") as folders:
        renames.drop_name(shelf, name, folders[-1], kept.rpartition(b"/")[2])


def _move(file: Shelved, shelf: Folder, before: os.stat_result, unsynced: Unsynced) -> os.stat_result:
    name = file.slot.name
    with held(file.slot.root, file.slot.folders, file.slot.rights) as place:
        at_place = _free(file, place[-1])
        unsynced.add(shelf)
        unsynced.add(place[-1])
        if at_place is None:
            renames.move_out(shelf, name, place[-1], name)
        else:
            _change_places(file, shelf, place[-1], at_place)
        reach(Point.AFTER_RETURN)
        status = place[-1].status(name)
    if not _is_same(before, status):
        raise Refused(NOWHERE)  # someone else is at work on this very file
    return status


def _free(file: Shelved, place: Folder) -> Seen | None:
    """The link that stands for the file at its place, None where nothing does. Raises Refused for anything else."""
    at_place = _look(place, file.slot.name)
    if at_place is not None and not (file.linked and _is_ours(file, at_place)):
        raise Refused(TAKEN)
    return at_place


def _rehearse_place(file: Shelved) -> None:
    with contextlib.suppress(FileNotFoundError), held(file.slot.root, file.slot.folders) as place:
        _free(file, place[-1])  # a folder that is not there any more is made again


def _change_places(file: Shelved, shelf: Folder, place: Folder, link: Seen) -> None:
    """The link that stood for the file goes once it is in quarantine, proven again to be that."""
    name = file.slot.name
    renames.exchange(shelf, name, place, name)
    reach(Point.MID_RETURN)
    now = shelf.status(name)
    if not _is_same(link.status, now) or _age(link.status) != _age(now):
        renames.exchange(shelf, name, place, name)
        raise Refused(TAKEN)
    if link.digest == file.digest:
        os.unlink(name, dir_fd=shelf.descriptor)
        return
    with contextlib.suppress(OSError):  # the keeper, changed since: its last name is never taken away
        drop_link(shelf, name, file.kept)


def _verified(file: Shelved, shelf: Folder) -> os.stat_result:
    seen = _look(shelf, file.slot.name)
    if seen is None:
        raise Refused(NOWHERE)
    if seen.digest != file.digest:
        raise Refused(OTHER)
    return seen.status


def _look(folder: Folder, name: bytes) -> Seen | None:
    """None where nothing has this name. Raises Refused for a link or a folder."""
    status = folder.status(name)
    if status is None:
        return None
    if not is_file(status):
        raise Refused(TAKEN)
    with folder.opened(name) as opened:
        return Seen(os.fstat(opened.fileno()), digest_of(opened))


def _is_ours(file: Shelved, at_place: Seen) -> bool:
    """The link that took the file's place: the keeper itself, or the same bytes."""
    return at_place.digest == file.digest or inode(at_place.status) == _inode_of(file.kept)


def _finished(
    file: Shelved, place: Folder, shelf: Folder | None, there: os.stat_result | None
) -> os.stat_result | None:
    """What is at the place, if that is the file; then what is left of it in quarantine goes."""
    status = place.status(file.slot.name)
    if status is None or not is_file(status):
        return None
    if there is None:
        return status if _look(place, file.slot.name).digest == file.digest and not _stands_in(file, status) else None
    if _is_same(there, status):  # two names, as a rename in two steps leaves it
        renames.drop_name(shelf, file.slot.name, place, file.slot.name)
        return status
    return _finished_link(file, place, shelf, there)


def _finished_link(file: Shelved, place: Folder, shelf: Folder, there: os.stat_result) -> os.stat_result | None:
    """They changed places, and the link is still in quarantine."""
    at_place, shelved = _look(place, file.slot.name), _look(shelf, file.slot.name)
    if not at_place.digest == file.digest == shelved.digest or not _is_link(file, there, at_place.status):
        return None
    os.unlink(file.slot.name, dir_fd=shelf.descriptor)
    return at_place.status


def _stands_in(file: Shelved, at_place: os.stat_result) -> bool:
    """Whether the link is at its place still: the file itself is away, wherever its quarantine folder was put."""
    return file.linked and inode(at_place) == _inode_of(file.kept)


def _is_link(file: Shelved, shelved: os.stat_result, at_place: os.stat_result) -> bool:
    """Whether the link is the one in quarantine; where the keeper is gone, their ages tell."""
    kept = _inode_of(file.kept)
    if kept is not None:
        return inode(shelved) == kept != inode(at_place)
    return shelved.st_mtime_ns != file.mtime_ns == at_place.st_mtime_ns


def _inode_of(path: bytes) -> tuple[int, int] | None:
    try:
        return inode(os.lstat(path))
    except OSError:
        return None


def _age(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _is_same(one: os.stat_result, other: os.stat_result | None) -> bool:
    return other is not None and inode(one) == inode(other)


@contextlib.contextmanager
def _shelf(slot: Slot) -> Iterator[Folder | None]:
    """The folder in quarantine; None where it is not there."""
    with contextlib.ExitStack() as held_ones:
        try:
            folder = held_ones.enter_context(held(slot.root, slot.shelf_folders))[-1]
        except FileNotFoundError:
            folder = None
        yield folder
