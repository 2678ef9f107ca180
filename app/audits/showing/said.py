"""What was said of an audit's pictures, the newest first, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from app.audits.showing.pages import FIRST, Cursor
from app.catalog import audits, decisions
from app.catalog.audit_models import Audit, Decision
from app.catalog.states import Word
from app.resources import Resources

PER_PAGE = 20


@dataclass(frozen=True)
class Picture:
    """One of the two."""

    digest: str
    path: str | None  # None: it lies nowhere any more

    @property
    def name(self) -> str:
        return PurePath(self.path).name if self.path else "no file is here any more"


@dataclass(frozen=True)
class DecisionFacts:
    id: int
    word: Word
    decided_at: float  # seconds since 1970 UTC
    first: Picture
    second: Picture


@dataclass(frozen=True)
class DecisionPage:
    decisions: tuple[DecisionFacts, ...]
    total: int
    before: Cursor | None  # of the page before, if there is one
    after: Cursor | None


def page(resources: Resources, audit_id: int, cursor: Cursor = FIRST, limit: int = PER_PAGE) -> DecisionPage:
    """Decisions of which both pictures are of the audit's collections, whatever audit they were made in."""
    with resources.catalog.read() as session:
        here = _collections(audits.get(session, audit_id))
        rows = list(decisions.page(session, here, cursor.key, cursor.backwards, limit + 1))
        total = decisions.count(session, here)
        more = len(rows) > limit
        rows = (rows[1:] if cursor.backwards else rows[:limit]) if more else rows
        digests = {digest for row in rows for digest in (row.first_digest, row.second_digest)}
        paths = decisions.pictures(session, here, digests)
    told = tuple(_facts(row, paths) for row in rows)
    return DecisionPage(told, total, *_beside(rows, cursor, more))


def each(resources: Resources, audit_id: int) -> Iterator[DecisionFacts]:
    """All of them, a page in memory at a time."""
    cursor: Cursor | None = FIRST
    while cursor is not None:
        found = page(resources, audit_id, cursor)
        yield from found.decisions
        cursor = found.after


def _collections(audit: Audit) -> list[int]:
    return [audit.collection_id, *([] if audit.against_id is None else [audit.against_id])]


def _beside(rows: Sequence[Decision], cursor: Cursor, more: bool) -> tuple[Cursor | None, Cursor | None]:
    """Where the pages before and after begin."""
    if not rows:
        return None, None
    earlier = more if cursor.backwards else cursor.key is not None
    later = cursor.backwards or more
    before = Cursor((rows[0].decided_at, rows[0].id), backwards=True) if earlier else None
    return before, Cursor((rows[-1].decided_at, rows[-1].id)) if later else None


def _facts(row: Decision, paths: dict[str, str | None]) -> DecisionFacts:
    first, second = (Picture(digest, paths.get(digest)) for digest in (row.first_digest, row.second_digest))
    return DecisionFacts(row.id, row.word, row.decided_at, first, second)
