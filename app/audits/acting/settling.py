"""What a crash left: rows say planned, or moved, and the disk says where each file is. The disk is believed."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.audits.acting import returning
from app.audits.acting.checks import digest_of
from app.audits.acting.shelf import Slot
from app.audits.finding import inodes
from app.audits.grouping.regrouping import regroup_around
from app.catalog import audits, files, ledger
from app.catalog.audit_models import Batch, Move
from app.catalog.ledger import Gone
from app.catalog.states import BatchStatus, MoveState
from app.errors import ServiceUnavailable
from app.resources import Resources
from app.storage import locks
from app.storage.handles import Unsynced, held, inode, is_file

FILES_PER_COMMIT = 64  # a search may show a file that was moved for as long as these take
BUSY = "another quarantine or restore is at work: wait until it is done, then ask again"
INTERRUPTED = "the quarantine ended before it came to this file: quarantine again"


@dataclass
class Found:
    """What became of some moves of a batch."""

    moved: list[Gone] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    back: list[Gone] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.moved or self.refused or self.back)


@dataclass
class Run:
    """Files of a batch that are done on disk and not yet in rows. No batch: there are no rows, the disk is all."""

    resources: Resources
    batch: Batch | None
    unsynced: Unsynced = field(default_factory=Unsynced)
    found: Found = field(default_factory=Found)

    def flush(self) -> None:
        """On disk, then in rows."""
        found, self.found = self.found, Found()
        self.unsynced.sync()
        if self.batch is not None and found:
            record(self.resources, self.batch, found)


@contextlib.contextmanager
def alone(resources: Resources) -> Iterator[None]:
    """One quarantine or restore at a time, which first finishes what a dead one left. Raises ServiceUnavailable."""
    with locks.alone(resources.storage.home / "quarantine.lock", BUSY):
        settle(resources)
        yield


def finish_left(resources: Resources) -> None:
    """What a dead quarantine or restore left, where nobody is at work: a search must not go on showing what moved."""
    with resources.catalog.read() as session:
        left = ledger.unfinished(session, resources.storage.host)
    if left:
        with contextlib.suppress(ServiceUnavailable), alone(resources):
            pass


def settle(resources: Resources) -> None:
    """The caller is alone. A file whose disk is away stays as written down, until it is back."""
    with resources.catalog.read() as session:
        left = ledger.unfinished(session, resources.storage.host)
    for batch in left:
        _settle(resources, batch)


def few(things: Sequence) -> Iterator[Sequence]:
    """As many as one commit takes."""
    return (things[start : start + FILES_PER_COMMIT] for start in range(0, len(things), FILES_PER_COMMIT))


def record(resources: Resources, batch: Batch, found: Found) -> None:
    """In one transaction, moves, what searches know of them, and the groups that they were in."""
    everything = [one.move for one in (*found.moved, *found.back)]
    names = inodes.of_paths({path for move in everything for path in (move.path_bytes, move.kept_path_bytes)})
    with resources.catalog.begin() as session:
        ledger.lock_collections(session, everything)
        ledger.set_moved(session, found.moved, linked=batch.link)
        ledger.set_refused(session, found.refused)
        ledger.set_restored(session, found.back, linked=batch.link)
        files.note_inodes_at(session, resources.storage.host, names)  # what a link stands for frees nothing any more
        if everything:
            regroup_around(session, audits.get(session, batch.audit_id), {move.image_id for move in everything})


def look(move: Move, *, linked: bool) -> Gone | str | None:
    """Of a planned move: gone, or why nothing was done; None where nobody can tell now."""
    slot = Slot.of(move.quarantine_bytes)
    shelved, at_place = _there(slot, slot.shelf_folders), _there(slot, slot.folders)
    if shelved is None:
        return None if at_place is None else INTERRUPTED
    if linked and _is_link(shelved, move) and at_place is not None and inode(at_place) != inode(shelved):
        return _unlinked(slot, move)
    try:
        move.digest = _digest(slot)  # what is there is what comes back
    except OSError:
        return None
    return Gone(move, move.path_bytes, shelved.st_size, shelved.st_mtime_ns)


def _settle(resources: Resources, batch: Batch) -> None:
    with resources.catalog.read() as session:
        planned = ledger.moves_of(session, batch.id, MoveState.PLANNED)
        moved = ledger.moves_of(session, batch.id, MoveState.MOVED) if batch.status is BatchStatus.RESTORING else []
    for some in few(planned):
        record(resources, batch, _look_at_planned(batch, some))
    for some in few(moved):
        record(resources, batch, _look_at_moved(batch, some))
    with resources.catalog.begin() as session:
        ledger.finish(session, batch.id)


def _look_at_planned(batch: Batch, moves: Sequence[Move]) -> Found:
    found = Found()
    for move in moves:
        match look(move, linked=batch.link):
            case Gone() as gone:
                found.moved.append(gone)
            case str() as reason:
                found.refused[move.id] = reason
    return found


def _look_at_moved(batch: Batch, moves: Sequence[Move]) -> Found:
    """Those that are back already."""
    found = Found()
    for move in moves:
        back = returning.returned(returning.of_move(move, linked=batch.link))
        if back is not None:
            found.back.append(Gone(move, move.path_bytes, back.st_size, back.st_mtime_ns))
    return found


def _there(slot: Slot, folders: Sequence[bytes]) -> os.stat_result | None:
    """The file in one of a slot's two places."""
    try:
        with held(slot.root, folders) as opened:
            status = opened[-1].status(slot.name)
    except OSError:
        return None
    return status if status is not None and is_file(status) else None


def _is_link(shelved: os.stat_result, move: Move) -> bool:
    try:
        return inode(os.lstat(move.kept_path_bytes)) == inode(shelved)
    except OSError:
        return False


def _unlinked(slot: Slot, move: Move) -> str:
    """The link never took its place: its name in quarantine goes, and the keeper has its own."""
    with contextlib.suppress(OSError), held(slot.root, slot.shelf_folders) as shelf:
        returning.drop_link(shelf[-1], slot.name, move.kept_path_bytes)
    return INTERRUPTED


def _digest(slot: Slot) -> str:
    with held(slot.root, slot.shelf_folders) as shelf, shelf[-1].opened(slot.name) as file:
        return digest_of(file)
