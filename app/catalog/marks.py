"""Marks: which duplicates are chosen for quarantine, one by one or by a rule over all of an audit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.catalog.audit_models import Audit, Group, Member
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import PlaceKind, Role, Tier

File = tuple[int, int]  # a group's id, and the id of its file's location

_kept, _keeper = aliased(Image), aliased(Member)


@dataclass(frozen=True)
class Rule:
    """Which duplicates are meant: those of which all that is said here is true."""

    tiers: tuple[Tier, ...] = (Tier.IDENTICAL,)
    least_score: float = 0.0
    folder: str | None = None  # this folder and everything below it
    no_larger: bool = False  # no more pixels than its keeper
    loses_nothing: bool = False  # has nothing that its keeper lacks
    protected: tuple[str, ...] = field(default=())  # folders that are left alone


def find(session: Session, audit_id: int, files: Iterable[File]) -> Sequence[Row]:
    """(Member, Image, Location or None) of these files, each given by its group and location."""
    rows = select(Member, Image, Location).join(Image, Image.id == Member.image_id)
    rows = rows.outerjoin(Location, Location.id == Member.location_id).join(Group, Group.id == Member.group_id)
    chosen = tuple_(Member.group_id, Member.location_id).in_(sorted(set(files)))
    return session.execute(rows.where(Group.audit_id == audit_id, chosen)).all()


def set_marked(session: Session, files: Sequence[File], marked: bool) -> int:
    """Of those that are duplicates still: the keeper may be another by now, or one file with it. How many there are."""
    found = 0
    for chosen in portions(files):
        these = (tuple_(Member.group_id, Member.location_id).in_(chosen), Member.role == Role.DUPLICATE)
        changed = update(Member).where(*these, Member.linked.is_(False)).values(marked=marked)
        found += session.execute(changed.execution_options(synchronize_session=False)).rowcount
    return found


def files_at(session: Session, audit_id: int, location_ids: Iterable[int]) -> list[File]:
    """Where these places are in an audit's groups now: with another keeper a group is another one."""
    same = and_(Location.id == Member.location_id, Location.image_id == Member.image_id)
    rows = select(Member.group_id, Member.location_id).join(Location, same).join(Group, Group.id == Member.group_id)
    rows = rows.where(Group.audit_id == audit_id)
    parts = (rows.where(Location.id.in_(chosen)) for chosen in portions(sorted(location_ids)))
    return [tuple(row) for part in parts for row in session.execute(part)]


def matching(session: Session, audit: Audit, rule: Rule) -> tuple[int, int, int, int]:
    """(files, bytes, groups, sum of location ids) of what a rule would mark and is not marked yet."""
    sums = (
        func.count(),
        func.coalesce(func.sum(Image.size_bytes), 0),
        func.count(Member.group_id.distinct()),
        func.coalesce(func.sum(Member.location_id), 0),
    )
    return tuple(map(int, session.execute(_matching(audit, rule, *sums)).one()))


def first(session: Session, audit: Audit, rule: Rule, limit: int) -> Sequence[Row]:
    """(Member, Image, Location) of what a rule would mark, as far as one looks at it, in the order of groups."""
    rows = _matching(audit, rule, Member, Image, Location).order_by(Member.group_id, Member.place)
    return session.execute(rows.limit(limit)).all()


def files(session: Session, audit: Audit, rule: Rule) -> list[File]:
    """All that a rule would mark."""
    rows = _matching(audit, rule, Member.group_id, Member.location_id).order_by(Member.group_id, Member.location_id)
    return [tuple(row) for row in session.execute(rows)]


def marked_files(session: Session, audit_id: int) -> list[File]:
    rows = select(Member.group_id, Member.location_id).join(Group, Group.id == Member.group_id)
    return [tuple(row) for row in session.execute(rows.where(Group.audit_id == audit_id, Member.marked.is_(True)))]


def _matching(audit: Audit, rule: Rule, *columns) -> Select:
    rows = select(*columns).select_from(Member).join(Group, Group.id == Member.group_id)
    rows = rows.join(Image, Image.id == Member.image_id).join(Location, Location.id == Member.location_id)
    may_go = [
        Group.audit_id == audit.id,
        Group.settled.is_(False),
        Member.role == Role.DUPLICATE,
        Member.marked.is_(False),
        Member.linked.is_(False),
        Location.kind == PlaceKind.FILE,
        *([] if audit.against_id is None else [Image.collection_id != audit.against_id]),
        *(~_below(folder) for folder in rule.protected),
    ]
    if rule.no_larger:
        rows = rows.join(_keeper, and_(_keeper.group_id == Member.group_id, _keeper.place == 0))
        rows = rows.join(_kept, _kept.id == _keeper.image_id)
    return rows.where(*may_go, *_said(rule))


def _said(rule: Rule) -> list[ColumnElement[bool]]:
    said = [Member.tier.in_(rule.tiers), Member.score >= rule.least_score]
    if rule.folder:
        said.append(_below(rule.folder))
    if rule.no_larger:
        said.append(Image.width_px * Image.height_px <= _kept.width_px * _kept.height_px)
    if rule.loses_nothing:
        said.append(func.json_array_length(Member.loses) == 0)
    return said


def _below(folder: str) -> ColumnElement[bool]:
    root = folder.rstrip("/")
    return or_(Location.folder == (root or "/"), Location.folder.startswith(root + "/", autoescape=True))


def settle(session: Session, audit_id: int, group_ids: Sequence[int], settled: bool) -> int:
    """A person is done with these groups, or is not after all; how many it changed."""
    chosen = (Group.audit_id == audit_id, Group.id.in_(group_ids), Group.settled.is_(not settled))
    done = update(Group).where(*chosen).values(settled=settled).execution_options(synchronize_session=False)
    return session.execute(done).rowcount
