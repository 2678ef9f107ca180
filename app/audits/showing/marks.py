"""What a person chooses for quarantine. Nothing but identical copies is ever chosen for them beforehand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.audits.grouping.rules import Rules
from app.audits.showing import members
from app.audits.showing.members import MemberFacts, may_go
from app.catalog import audits, marks, reviews
from app.catalog.audit_models import Audit
from app.catalog.marks import File, Rule
from app.catalog.states import COPIES, Role, Tier
from app.errors import InvalidInput
from app.resources import Resources

SHOWN = 24  # files of a preview
LOOSE = "another shot is no copy: mark it by itself, after a look"


@dataclass(frozen=True)
class Marking:
    """What was marked, or was not any more: enough to take it back."""

    audit_id: int
    files: tuple[File, ...]  # those alone that this changed
    marked: bool


@dataclass(frozen=True)
class Preview:
    """Exactly what a rule would mark now."""

    rule: Rule
    files: int
    bytes: int
    groups: int
    stamp: int  # of the very files: other ones have another


def mark(resources: Resources, audit_id: int, files: Iterable[File], marked: bool = True) -> Marking:
    """Choose these files, each given as (group_id, location_id), for quarantine, or don't.

    Raises InvalidInput for a keeper, and for a file that is not to be moved; then nothing is changed.
    """
    wanted = list(files)
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        rows = marks.find(session, audit_id, wanted)
        if len(rows) < len(set(wanted)):
            raise InvalidInput("a file is not in its group any more: look at the group again")
        if marked:
            _refuse_what_stays(audit, rows)
        changed = [(row.group_id, row.location_id) for row, _, _ in rows if row.marked is not marked]
        marks.set_marked(session, changed, marked)
    return Marking(audit_id, tuple(changed), marked)


def take_back(resources: Resources, done: Marking) -> None:
    """Undo `mark`, `mark_by_rule` and `unmark_all`. Raises InvalidInput where no such file is left."""
    with resources.catalog.begin() as session:
        files = marks.files_at(session, done.audit_id, {location_id for _, location_id in done.files})
        found = marks.set_marked(session, files, not done.marked)
    if done.files and not found:
        raise InvalidInput("those files are not in their groups any more, as copies: there is nothing to take back")


def preview(resources: Resources, audit_id: int, rule: Rule) -> Preview:
    """What `mark_by_rule` would mark. Raises InvalidInput for a rule that takes in what is no copy."""
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        return _preview(session, audit, _guarded(audit, rule))


def previewed(resources: Resources, audit_id: int, rule: Rule) -> list[MemberFacts]:
    """The first `SHOWN` files of a preview."""
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        rows = marks.first(session, audit, _guarded(audit, rule), SHOWN)
        keepers = {row[0].group_id: row[0].image_id for row in reviews.members(session, _groups(rows), 0, 0)}
        keys = {(keepers[row[0].group_id], row[0].image_id) for row in rows}
        return members.of_rows(audit, rows, reviews.pairs(session, audit_id, keys), keepers)


def mark_by_rule(resources: Resources, audit_id: int, shown: Preview) -> Marking:
    """Mark what the preview showed. Raises InvalidInput where that would be something else by now."""
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        if _preview(session, audit, _guarded(audit, shown.rule)) != shown:
            raise InvalidInput("the groups changed since this preview was made: look at it again, nothing was marked")
        files = marks.files(session, audit, _guarded(audit, shown.rule))
        marks.set_marked(session, files, True)
    return Marking(audit_id, tuple(files), True)


def unmark_all(resources: Resources, audit_id: int) -> Marking:
    with resources.catalog.begin() as session:
        files = marks.marked_files(session, audit_id)
        marks.set_marked(session, files, False)
    return Marking(audit_id, tuple(files), False)


def settle(resources: Resources, audit_id: int, group_ids: Sequence[int], settled: bool = True) -> int:
    """Be done with these groups: they are shown no more. How many it changed; undone with `settled=False`."""
    with resources.catalog.begin() as session:
        audits.get(session, audit_id)
        return marks.settle(session, audit_id, group_ids, settled)


def _refuse_what_stays(audit: Audit, rows: Sequence) -> None:
    rules = Rules.of(audit.rules)
    for row, image, location in rows:
        if row.role is Role.KEEPER:
            raise InvalidInput("the copy that is kept can't be marked: make another one the keeper first")
        if location is None:
            raise InvalidInput("no file is at this place any more: audit the collection again")
        if not may_go(audit, rules, row, image, location):
            raise InvalidInput(
                f"{location.path} stays: it is in a protected folder, in the collection that is compared against, "
                "one file with the kept one, or no file on a disk"
            )


def _guarded(audit: Audit, rule: Rule) -> Rule:
    """A rule looks at copies alone, and never into a protected folder. Raises InvalidInput."""
    loose = [tier for tier in rule.tiers if tier not in COPIES]
    if loose or not rule.tiers:
        raise InvalidInput(f"a rule can't mark {loose[0] if loose else 'no tier'}: {LOOSE}")
    return replace(rule, protected=Rules.of(audit.rules).protected)


def _preview(session: Session, audit: Audit, rule: Rule) -> Preview:
    files, size, groups, stamp = marks.matching(session, audit, rule)
    return Preview(rule, files, size, groups, stamp)


def _groups(rows: Sequence) -> list[int]:
    return sorted({row[0].group_id for row in rows})


ALL_IDENTICAL = Rule(tiers=(Tier.IDENTICAL,))
