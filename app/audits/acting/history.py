"""What an audit's batches moved, and how much of it is in quarantine now."""

from dataclasses import dataclass
from itertools import groupby

from app.catalog import audits, ledger
from app.catalog.states import BatchStatus, MoveState
from app.resources import Resources


@dataclass(frozen=True)
class BatchFacts:
    """A batch as it is at this moment. What is undone as one."""

    id: int
    status: BatchStatus
    link: bool  # hard links took the files' places
    created_at: float  # seconds since 1970 UTC
    moved: int  # files in quarantine
    bytes: int  # of those
    restored: int
    refused: int
    planned: int  # of a quarantine that is at work, or died, or whose disk is away


def batches(resources: Resources, audit_id: int) -> list[BatchFacts]:
    """The latest first. Raises NotFound."""
    with resources.catalog.read() as session:
        audits.get(session, audit_id)
        rows = ledger.facts(session, audit_id)
    return [_facts(list(states)) for _, states in groupby(rows, key=lambda row: row[0].id)]


def _facts(states: list) -> BatchFacts:
    batch = states[0][0]
    counts = {state: (count, int(size)) for _, state, count, size in states}
    moved, size = counts.get(MoveState.MOVED, (0, 0))
    others = {state.value: counts.get(state, (0, 0))[0] for state in MoveState if state is not MoveState.MOVED}
    return BatchFacts(batch.id, batch.status, batch.link, batch.created_at, moved, size, **others)
