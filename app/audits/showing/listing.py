"""The groups of an audit as reports list them: by tier, those that free most first, read as they are written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.alignment import METHOD
from app.audits.grouping.rules import Rules
from app.catalog import audits, collections, reports, thresholds
from app.catalog.reports import Tally
from app.catalog.states import AuditStatus, MoveState, Role, Tier, Word
from app.resources import Resources

PAGE = 500  # groups held in memory at once


@dataclass(frozen=True)
class ListedFile:
    """A file of a group."""

    image_id: int
    role: Role
    tier: Tier | None  # what it is to the keeper
    score: float
    relations: tuple[str, ...]
    reason: str
    loses: tuple[str, ...]
    marked: bool
    linked: bool  # one file with the keeper's, under another name
    digest: str
    width_px: int | None
    height_px: int | None
    format: str | None
    taken_at: datetime | None
    path: str | None  # None: it was moved or deleted since
    size_bytes: int | None


@dataclass(frozen=True)
class ListedGroup:
    group_id: int
    tier: Tier
    weakest: float
    reclaimable_bytes: int
    settled: bool
    files: tuple[ListedFile, ...]  # the keeper first


@dataclass(frozen=True)
class ListedMove:
    path: str
    state: MoveState
    size_bytes: int
    moved_at: float | None  # seconds since 1970 UTC
    restored_at: float | None
    reason: str | None


@dataclass(frozen=True)
class Overview:
    """An audit without its groups."""

    audit_id: int
    collection: str
    against: str | None
    model: str
    status: AuditStatus
    images: int
    pairs_checked: int
    reclaimable_bytes: int
    seconds: float
    done_at: float | None
    rules: Rules
    threshold: float | None  # None: the check's own
    target: float | None  # the precision that the threshold was set for
    tallies: tuple[Tally, ...]
    decided: dict[Word, int]

    @property
    def groups(self) -> int:
        return sum(tally.groups for tally in self.tallies)


def overview(resources: Resources, audit_id: int) -> Overview:
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        against = audit.against_id and collections.get_by_id(session, audit.against_id).name
        names = ("status", "images", "pairs_checked", "reclaimable_bytes", "seconds", "done_at")
        threshold = thresholds.find(session, audit, METHOD)
        return Overview(
            audit_id=audit.id,
            collection=collections.get_by_id(session, audit.collection_id).name,
            against=against,
            model=collections.get_model(session, audit.model_key_id).model,
            rules=Rules.of(audit.rules),
            threshold=threshold and threshold.score,
            target=threshold and threshold.target_precision,
            tallies=tuple(reports.tallies(session, audit_id)),
            decided=reports.decided(session, audit),
            **{name: getattr(audit, name) for name in names},
        )


def groups(resources: Resources, audit_id: int, tier: Tier) -> Iterator[ListedGroup]:
    """All of a tier; a page at a time is in memory."""
    with resources.catalog.read() as session:
        ids = reports.group_ids(session, audit_id, tier)
    for start in range(0, len(ids), PAGE):
        with resources.catalog.read() as session:
            rows = reports.groups(session, ids[start : start + PAGE])
            files = reports.files(session, [row.id for row in rows])
        yield from (_group(row, files[row.id]) for row in rows)


def moves(resources: Resources, audit_id: int) -> Iterator[ListedMove]:
    names = ("path", "state", "size_bytes", "moved_at", "restored_at", "reason")
    after_id = 0
    while True:
        with resources.catalog.read() as session:
            rows = reports.moves(session, audit_id, after_id, PAGE)
        yield from (ListedMove(**{name: getattr(row, name) for name in names}) for row in rows)
        if len(rows) < PAGE:
            return
        after_id = rows[-1].id


def _group(row, files) -> ListedGroup:
    members = tuple(_file(file) for file in files)
    return ListedGroup(row.id, row.tier, row.weakest, row.reclaimable_bytes, row.settled, members)


def _file(row) -> ListedFile:
    values = row._asdict()
    values.pop("group_id")
    return ListedFile(**values | {name: tuple(values[name]) for name in ("relations", "loses")})
