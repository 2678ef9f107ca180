"""What a person did with groups, kept with what takes it back: the last first, also tomorrow, from another browser."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from app.audits.grouping import decisions
from app.audits.grouping.decisions import Kept, Said
from app.audits.showing import marks
from app.audits.showing.marks import Marking
from app.catalog import acts
from app.catalog.audit_models import Act
from app.catalog.states import ActKind, Word
from app.resources import Resources


@dataclass(frozen=True)
class Settling:
    """Groups that a person was done with, or was not after all."""

    audit_id: int
    group_ids: tuple[int, ...]
    settled: bool


Done = Marking | Said | Kept | Settling


@dataclass(frozen=True)
class Way:
    """Of one kind of acts: from what is stored to the act, and how that is taken back."""

    read: Callable[[dict], Any]
    back: Callable[[Resources, Any], object]


def note(resources: Resources, audit_id: int, text: str, done: Done) -> None:
    """It can be taken back from now on."""
    with resources.catalog.begin() as session:
        acts.add(session, audit_id, KINDS[type(done)], text, asdict(done))


def can_undo(resources: Resources, audit_id: int) -> bool:
    with resources.catalog.read() as session:
        return acts.is_there(session, audit_id)


def undo(resources: Resources, audit_id: int) -> str | None:
    """Take back the last act; what it was, in words. None where there is none.

    Raises AppError where it can't be taken back any more: then the one before it is the last.
    """
    act = _taken(resources, audit_id)
    if act is None:
        return None
    way = WAYS[act.kind]
    way.back(resources, way.read(act.before))
    return act.text


def _taken(resources: Resources, audit_id: int) -> Act | None:
    with resources.catalog.begin() as session:
        act = acts.find_last(session, audit_id)
        return act if act is not None and acts.take(session, act) else None


def _settle_as_before(resources: Resources, done: Settling) -> None:
    marks.settle(resources, done.audit_id, done.group_ids, not done.settled)


def _marking(stored: dict) -> Marking:
    return Marking(**stored | {"files": tuple(map(tuple, stored["files"]))})


def _said(stored: dict) -> Said:
    before = tuple((one, other, word and Word(word)) for one, other, word in stored["before"])
    return Said(**stored | {"word": Word(stored["word"]), "before": before})


KINDS = {Marking: ActKind.MARK, Said: ActKind.WORD, Kept: ActKind.KEEP, Settling: ActKind.SETTLE}
WAYS = {
    ActKind.MARK: Way(_marking, marks.take_back),
    ActKind.WORD: Way(_said, decisions.undo),
    ActKind.KEEP: Way(lambda stored: Kept(**stored), decisions.keep_as_before),
    ActKind.SETTLE: Way(lambda stored: Settling(**stored), _settle_as_before),
}
