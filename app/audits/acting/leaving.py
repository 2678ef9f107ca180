"""One file on its way into quarantine. At each instant every byte is in its place or in quarantine."""

import contextlib
import os

from app.audits.acting.checks import Sound, Wanted
from app.audits.acting.refusals import AGAIN, Refused, refused
from app.faults import Point, reach
from app.storage import renames
from app.storage.handles import Folder, Unsynced, held, inode

STAYS = "this file system can't let two files change places: move it without a link"
BACK = f"and it is back at its place: {AGAIN}"
LATE = f"it was replaced or changed while it was moved, {BACK}"
ALONE = f"the copy that stays was changed or taken away while it was moved, {BACK}"


def put_away(wanted: Wanted, looked_at: Sound, unsynced: Unsynced) -> None:
    """Move it, or let a link to the copy that stays take its place. Folders to be flushed go to `unsynced`.

    Raises Refused, with the file at its place.
    """
    try:
        with held(wanted.slot.root, wanted.slot.shelf_folders, wanted.slot.shelf_rights) as folders:
            unsynced.add(looked_at.folder)
            unsynced.add(folders[-1])
            _MOVES[wanted.link](wanted, looked_at, folders[-1])
            _look_after(wanted, looked_at, folders[-1])
    except OSError as error:
        raise refused(error) from None


def _move(wanted: Wanted, looked_at: Sound, shelved: Folder) -> None:
    renames.move_in(looked_at.folder, wanted.slot.name, shelved, wanted.slot.name)


def _put_link(wanted: Wanted, looked_at: Sound, shelved: Folder) -> None:
    """A link to the keeper goes into quarantine, then it and the file change places: the place is never empty."""
    name, kept_name = wanted.slot.name, wanted.kept_name
    renames.link(looked_at.kept_folder, kept_name, shelved, name)
    reach(Point.MID_LINK)
    try:
        renames.exchange(looked_at.folder, name, shelved, name)
    except OSError as error:
        renames.drop_name(shelved, name, looked_at.kept_folder, kept_name)
        raise (Refused(STAYS) if error.errno in renames.UNABLE else error) from None


_MOVES = {False: _move, True: _put_link}


def _look_after(wanted: Wanted, looked_at: Sound, shelved: Folder) -> None:
    """What lies in quarantine now is what was read, and the copy that stays is there still.

    Another file may have taken its name at the last moment, or another home moved the copy that stays, for which this
    one was to stay: each looks after its own move, and so one of the two goes back at least.
    """
    name = wanted.slot.name
    if not _is_as_read(looked_at.status, shelved.status(name)):
        _put_back(wanted, looked_at, shelved)
        raise Refused(LATE)
    if not _is_as_read(looked_at.kept_status, looked_at.kept_folder.status(wanted.kept_name)):
        _put_back(wanted, looked_at, shelved)
        raise Refused(ALONE)


def _put_back(wanted: Wanted, looked_at: Sound, shelved: Folder) -> None:
    name = wanted.slot.name
    if not wanted.link:
        renames.move_out(shelved, name, looked_at.folder, name)
        return
    renames.exchange(looked_at.folder, name, shelved, name)
    with contextlib.suppress(FileNotFoundError):  # its other name is gone: this one is the last, and stays
        renames.drop_name(shelved, name, looked_at.kept_folder, wanted.kept_name)


def _is_as_read(before: os.stat_result, now: os.stat_result | None) -> bool:
    """The time of its last change of names is another after a move."""
    return now is not None and _standing(now) == _standing(before)


def _standing(status: os.stat_result) -> tuple[int, ...]:
    return *inode(status), status.st_size, status.st_mtime_ns
