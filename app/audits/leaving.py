"""One file on its way into quarantine. At each instant every byte is in its place or in quarantine."""

from app.audits.checks import Sound, Wanted
from app.audits.refusals import Refused, refused
from app.faults import Point, reach
from app.storage import renames
from app.storage.handles import Folder, Unsynced, held, inode

STAYS = "this file system can't let two files change places: quarantine without --link"
LATE = "it was replaced while it was moved, and is back at its place: run the audit again"


def put_away(wanted: Wanted, looked_at: Sound, unsynced: Unsynced) -> None:
    """Move it, or let a link to the copy that stays take its place. Folders to be flushed go to `unsynced`.

    Raises Refused, with the file at its place.
    """
    try:
        with held(wanted.slot.root, wanted.slot.shelf_folders, make=True) as folders:
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
    """What lies in quarantine now is what was looked at: another file may have taken its name at the last moment."""
    name = wanted.slot.name
    now = shelved.status(name)
    if now is not None and inode(now) == inode(looked_at.status):
        return
    if wanted.link:
        renames.exchange(looked_at.folder, name, shelved, name)
        renames.drop_name(shelved, name, looked_at.kept_folder, wanted.kept_name)
    else:
        renames.move_out(shelved, name, looked_at.folder, name)
    raise Refused(LATE)
