"""Marked files into quarantine: written down first, looked at again one by one, moved, and gone from every search.

Undone by `restore`. Nothing is ever deleted or written over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.audits.acting import journal, settling, shelf
from app.audits.acting.checks import Spoken, Wanted, sound
from app.audits.acting.choice import Candidate, Choice, choose
from app.audits.acting.journal import Entry
from app.audits.acting.leaving import put_away
from app.audits.acting.refusals import Refusal, Refused, refused
from app.audits.acting.settling import Found, Run, alone, few
from app.audits.acting.shelf import Slot
from app.catalog import ledger
from app.catalog.audit_models import Batch, Move
from app.catalog.images import displayable
from app.catalog.ledger import Gone
from app.catalog.states import MoveState
from app.errors import InvalidInput
from app.faults import Point, reach
from app.resources import Resources

Progress = Callable[[int, int], None]  # files done, of all
CHANGED = "what is marked changed since it was shown: look at it again, nothing was moved"


@dataclass(frozen=True)
class PlannedMove:
    """What is to be done with one marked file, or why nothing is."""

    path: str
    to: str | None  # None where it is refused before a place was found
    kept: str  # the copy that stays
    digest: str
    kept_digest: str
    bytes: int
    place: int  # within its group
    group_id: int
    refusal: str | None


@dataclass(frozen=True)
class Plan:
    """What a quarantine would do now."""

    moves: tuple[PlannedMove, ...]
    bytes: int  # of the files that would go
    stamp: bytes  # of the very files and those that stay: other ones have another


@dataclass(frozen=True)
class Outcome:
    """What a quarantine has done. `batch_id` is what to restore; None where no file could be tried."""

    batch_id: int | None
    moved: int
    refused: tuple[Refusal, ...]
    bytes: int
    moves: tuple[PlannedMove, ...]  # those that were done, in their order


@dataclass
class _Step:
    """A candidate on its way."""

    candidate: Candidate
    link: bool
    slot: Slot | None = None
    refusal: str | None = None

    @property
    def wanted(self) -> Wanted:
        one = self.candidate
        return Wanted(self.slot, one.digest, one.kept, one.kept_digest, self.link)

    @property
    def told(self) -> PlannedMove:
        one = self.candidate
        to = None if self.slot is None else displayable(self.slot.quarantined)
        facts = (displayable(one.kept), one.digest, one.kept_digest, one.size_bytes, one.place, one.group_id)
        return PlannedMove(one.shown, to, *facts, self.refusal)


def plan(
    resources: Resources,
    audit_id: int,
    group_ids: Sequence[int] | None = None,
    link: bool = False,
    on_progress: Progress | None = None,
) -> Plan:
    """The dry run: all that `quarantine` would look at, in its order, and nothing touched. Raises NotFound."""
    choice = choose(resources, audit_id, group_ids, link=link)
    steps = _steps(choice, link)
    spoken, tell = Spoken(), _teller(on_progress)
    for done, step in enumerate(steps, start=1):
        if step.refusal is None:
            _try(step, spoken)
        tell(done, len(steps))
    moves = tuple(step.told for step in steps)
    return Plan(moves, sum(move.bytes for move in moves if move.refusal is None), choice.batch)


def quarantine(
    resources: Resources,
    audit_id: int,
    group_ids: Sequence[int] | None = None,
    link: bool = False,
    on_progress: Progress | None = None,
    shown: Plan | None = None,
) -> Outcome:
    """Move what is marked in an audit, or in some groups of it; `link`: a hard link to the keeper takes its place.

    Raises NotFound, ServiceUnavailable while another one is at work, and InvalidInput where that would be something
    else than the plan a person was shown.
    """
    with alone(resources):
        choice = choose(resources, audit_id, group_ids, link=link)
        if shown is not None and shown.stamp != choice.batch:
            raise InvalidInput(CHANGED)
        steps = _steps(choice, link)
        reach(Point.BEFORE_LEDGER)
        batch, moves = _write_down(resources, choice, steps, link)
        if batch is not None:
            _act(Run(resources, batch), steps, moves, _teller(on_progress))
    return _outcome(batch, steps)


def _teller(on_progress: Progress | None) -> Progress:
    return on_progress or (lambda done, total: None)


def _steps(choice: Choice, link: bool) -> list[_Step]:
    """Each with its place in quarantine, or why it has none."""
    steps = [_Step(candidate, link, refusal=candidate.refusal) for candidate in choice.candidates]
    for step in steps:
        if step.refusal is None:
            try:
                step.slot = shelf.find(step.candidate.root, step.candidate.path, choice.batch)
            except Refused as refusal:
                step.refusal = refusal.reason
    return steps


def _try(step: _Step, spoken: Spoken) -> None:
    try:
        with sound(step.wanted, spoken) as looked_at:
            spoken.note(looked_at)
    except Refused as refusal:
        step.refusal = refusal.reason


def _write_down(
    resources: Resources, choice: Choice, steps: Sequence[_Step], link: bool
) -> tuple[Batch | None, dict[int, Move]]:
    """The batch, and the planned moves by number of their step; in rows, then beside the files."""
    if all(step.refusal for step in steps):
        return None, {}
    numbers = [number for number, step in enumerate(steps) if step.candidate.path is not None]
    with resources.catalog.begin() as session:
        batch_id = ledger.write(session, choice.audit_id, [_row(steps[number]) for number in numbers], link=link)
    reach(Point.AFTER_LEDGER)
    with resources.catalog.read() as session:
        batch = ledger.get_batch(session, batch_id)
        rows = ledger.moves_of(session, batch_id, *MoveState)
    moves = {number: row for number, row in zip(numbers, rows, strict=True) if row.state is MoveState.PLANNED}
    _write_beside(resources, batch, steps, moves)
    return batch, moves


def _write_beside(resources: Resources, batch: Batch, steps: Sequence[_Step], moves: dict[int, Move]) -> None:
    """Where no journal can be written, nothing is moved."""
    troubles = journal.write(_entry(steps[number]) for number in moves)
    reach(Point.AFTER_JOURNAL)
    found = Found()
    for number in [number for number in moves if steps[number].slot.root in troubles]:
        refusal = refused(troubles[steps[number].slot.root], "its journal can't be written")
        steps[number].refusal = found.refused[moves.pop(number).id] = refusal.reason
    if found.refused:
        settling.record(resources, batch, found)


def _act(run: Run, steps: Sequence[_Step], moves: dict[int, Move], tell: Progress) -> None:
    spoken = Spoken()
    for numbers in few(list(moves)):
        try:
            for number in numbers:
                _take(run, spoken, steps[number], moves[number])
                tell(number + 1, len(steps))
        finally:
            run.flush()  # also what was done before the disk or a person stopped us
            reach(Point.AFTER_MOVED)
    with run.resources.catalog.begin() as session:
        ledger.finish(session, run.batch.id)


def _take(run: Run, spoken: Spoken, step: _Step, move: Move) -> None:
    try:
        with sound(step.wanted, spoken) as looked_at:
            reach(Point.BEFORE_MOVE)
            put_away(step.wanted, looked_at, run.unsynced)
            reach(Point.AFTER_MOVE)
            spoken.note(looked_at)
    except Refused as refusal:
        step.refusal = run.found.refused[move.id] = refusal.reason
        return
    run.found.moved.append(Gone(move, move.path_bytes, looked_at.status.st_size, looked_at.status.st_mtime_ns))


def _row(step: _Step) -> dict:
    one = step.candidate
    return {
        "collection_id": one.collection_id,
        "image_id": one.image_id,
        "group_id": one.group_id,
        "host": one.host,
        "path_bytes": one.path,
        "path": displayable(one.path),
        "quarantine_bytes": b"" if step.slot is None else step.slot.quarantined,
        "digest": one.digest,
        "size_bytes": one.size_bytes,
        "mtime_ns": one.mtime_ns,
        "kept_path_bytes": one.kept,
        "kept_digest": one.kept_digest,
        "state": MoveState.PLANNED if step.refusal is None else MoveState.REFUSED,
        "reason": step.refusal,
    }


def _entry(step: _Step) -> Entry:
    one = step.candidate
    return Entry(step.slot, one.digest, one.size_bytes, one.mtime_ns, one.kept, step.link)


def _outcome(batch: Batch | None, steps: Sequence[_Step]) -> Outcome:
    told = [step.told for step in steps]
    moves = tuple(move for move in told if move.refusal is None)
    left = tuple(Refusal(move.path, move.refusal) for move in told if move.refusal is not None)
    return Outcome(None if batch is None else batch.id, len(moves), left, sum(move.bytes for move in moves), moves)
