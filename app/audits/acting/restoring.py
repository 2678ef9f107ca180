"""Files back from quarantine to where they were, by the ledger's rows or, where those are lost, by the journal.

A file is read again before it moves, and never goes over another one.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from app.audits.acting import journal, returning, shelf
from app.audits.acting.journal import Entry
from app.audits.acting.refusals import Refusal, Refused
from app.audits.acting.returning import Shelved, bring_back
from app.audits.acting.settling import Run, alone, few
from app.catalog import audits, ledger
from app.catalog.audit_models import Batch, Move
from app.catalog.images import displayable
from app.catalog.ledger import Gone
from app.catalog.states import BatchStatus, MoveState
from app.errors import InvalidInput, NotFound
from app.faults import Point, reach
from app.resources import Resources

Progress = Callable[[int, int], None]  # files done, of all


@dataclass(frozen=True)
class Returned:
    """A file that is back at its place, or would be."""

    path: str
    source: str  # where it lay in quarantine
    bytes: int
    batch_id: int | None  # None where its row is lost


@dataclass(frozen=True)
class Restored:
    """What a restore has done, or would do now."""

    files: tuple[Returned, ...]
    refused: tuple[Refusal, ...]
    bytes: int


@dataclass
class _Away:
    """A file in quarantine, as its row or the journal tells."""

    file: Shelved
    size_bytes: int
    move: Move | None = None
    batch: Batch | None = None
    refusal: str | None = None

    @property
    def told(self) -> Returned:
        slot = self.file.slot
        facts = (displayable(slot.path), displayable(slot.quarantined), self.size_bytes)
        return Returned(*facts, None if self.batch is None else self.batch.id)


def restore(
    resources: Resources,
    audit_id: int | None = None,
    batch_id: int | None = None,
    paths: Sequence[Path] | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Restored:
    """Bring back all that an audit or a batch moved, or of that what came from `paths`, which may be folders.

    Raises NotFound; InvalidInput where neither is named; ServiceUnavailable while another one is at work.
    """
    if audit_id is None and batch_id is None:
        raise InvalidInput("nothing is named: give an audit's number, or a batch's")
    return _do(resources, lambda: _by_rows(resources, audit_id, batch_id), paths, dry_run, on_progress)


def restore_from(
    resources: Resources,
    folder: Path,
    paths: Sequence[Path] | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Restored:
    """The same by the journal in a quarantine folder: of a home that is lost, or of folders that have moved since.

    Raises NotFound where there is no journal; ServiceUnavailable while another one is at work.
    """
    return _do(resources, lambda: _by_journal(resources, folder), paths, dry_run, on_progress)


def _do(
    resources: Resources,
    find: Callable[[], list[_Away]],
    paths: Sequence[Path] | None,
    dry_run: bool,
    on_progress: Progress | None,
) -> Restored:
    tell = on_progress or (lambda done, total: None)
    if dry_run:
        found = _below(find(), paths)
        _rehearse(found, tell)
        return _outcome(found)
    with alone(resources):
        found = _below(find(), paths)
        _bring_all(resources, found, tell)
    return _outcome(found)


def _by_rows(resources: Resources, audit_id: int | None, batch_id: int | None) -> list[_Away]:
    with resources.catalog.read() as session:
        if audit_id is not None:
            audits.get(session, audit_id)
        if batch_id is not None:
            ledger.get_batch(session, batch_id)
        rows = ledger.in_quarantine(session, audit_id=audit_id, batch_id=batch_id)
    host = resources.storage.host
    return [_of_row(move, batch, host) for move, batch in rows]


def _of_row(move: Move, batch: Batch, host: str) -> _Away:
    away = _Away(returning.of_move(move, linked=batch.link), move.size_bytes, move, batch)
    if move.host != host:
        away.refusal = f"it lies on a disk of {move.host or 'another host'}: restore it there"
    return away


def _by_journal(resources: Resources, folder: Path) -> list[_Away]:
    entries = {(entry.slot.batch, entry.slot.inner): entry for entry in journal.read(folder)}
    with resources.catalog.read() as session:
        rows = {_key(move): (move, batch) for move, batch in ledger.in_quarantine(session)}
    found = [_of_entry(entry, *rows.get(key, (None, None))) for key, entry in reversed(entries.items())]
    # whether a file without a row ever moved, its place says
    return sorted(
        (away for away in found if away.move or returning.is_away(away.file)), key=_batch_number, reverse=True
    )


def _of_entry(entry: Entry, move: Move | None, batch: Batch | None) -> _Away:
    file = Shelved(entry.slot, entry.digest, entry.mtime_ns, entry.kept, entry.link)
    return _Away(file, entry.size_bytes, move, batch)


def _key(move: Move) -> tuple[bytes, bytes]:
    """What stays the same when the folders above the file have other names now."""
    slot = shelf.Slot.of(move.quarantine_bytes)
    return slot.batch, slot.inner


def _batch_number(away: _Away) -> int:
    return 0 if away.batch is None else away.batch.id


def _below(found: list[_Away], paths: Sequence[Path] | None) -> list[_Away]:
    """What came from these paths, or from below them. Raises NotFound for one from which nothing came."""
    if paths is None:
        return found
    wanted = {os.fsencode(os.path.abspath(path)): path for path in paths}  # noqa: PTH100  (resolve follows links)
    for at, path in wanted.items():
        if not any(_is_at(away.file.slot.path, at) for away in found):
            raise NotFound(f"nothing in quarantine came from {path}: see `dinoseek audit restore ID --dry-run`")
    return [away for away in found if any(_is_at(away.file.slot.path, at) for at in wanted)]


def _is_at(path: bytes, at: bytes) -> bool:
    return path == at or path.startswith(at.rstrip(b"/") + b"/")


def _rehearse(found: Sequence[_Away], tell: Progress) -> None:
    for done, away in enumerate(found, start=1):
        try:
            if away.refusal is None:
                returning.rehearse(away.file)
        except Refused as refusal:
            away.refusal = refusal.reason
        tell(done, len(found))


def _bring_all(resources: Resources, found: Sequence[_Away], tell: Progress) -> None:
    """Batch by batch, the last one first."""
    done = 0
    for _, some in groupby(found, key=_batch_number):
        mine = list(some)
        _bring_batch(Run(resources, mine[0].batch), mine, lambda within, before=done: tell(before + within, len(found)))
        done += len(mine)
    shelf.tidy(away.file.slot for away in found if away.refusal is None)


def _bring_batch(run: Run, found: Sequence[_Away], tell: Callable[[int], None]) -> None:
    _note(run, BatchStatus.RESTORING)
    for some in few(list(enumerate(found, start=1))):
        try:
            for done, away in some:
                _bring(run, away)
                tell(done)
        finally:
            run.flush()  # also what was done before the disk or a person stopped us
            reach(Point.AFTER_RETURNED)
    if run.batch is not None:
        with run.resources.catalog.begin() as session:
            ledger.finish(session, run.batch.id)


def _note(run: Run, status: BatchStatus) -> None:
    """So that whoever comes after a crash knows to look which files are back."""
    if run.batch is not None:
        with run.resources.catalog.begin() as session:
            ledger.set_status(session, run.batch.id, status)


def _bring(run: Run, away: _Away) -> None:
    if away.refusal is not None:
        return
    try:
        status = bring_back(away.file, run.unsynced)
    except Refused as refusal:
        away.refusal = refusal.reason
        return
    if away.move is not None:
        gone = Gone(away.move, away.file.slot.path, status.st_size, status.st_mtime_ns)
        run.found.back.append(gone)
        if away.move.state is MoveState.PLANNED:  # its disk was away when others of its batch were looked at
            run.found.moved.append(gone)


def _outcome(found: Iterable[_Away]) -> Restored:
    found = list(found)
    files = tuple(away.told for away in found if away.refusal is None)
    left = tuple(Refusal(away.told.path, away.refusal) for away in found if away.refusal is not None)
    return Restored(files, left, sum(file.bytes for file in files))
