"""Marks for quarantine: one by one, by a rule after its preview, and taken back."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from app.audits.grouping.rules import default
from app.audits.showing import marks, pages
from app.catalog.audit_models import Audit, Member
from app.catalog.marks import Rule
from app.catalog.states import Role, Tier
from app.errors import InvalidInput
from tests.audits.many import fill

GROUPS = 100


@pytest.fixture
def audit_id(resources_on_both) -> int:
    audit_id = fill(resources_on_both, GROUPS)
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Member).values(marked=False))
    return audit_id


def marked(resources) -> set[tuple[int, int]]:
    with resources.catalog.read() as session:
        columns = select(Member.group_id, Member.location_id).where(Member.marked.is_(True))
        return {tuple(row) for row in session.execute(columns)}


def edited(resources, audit_id: int):
    counted = pages.tallies(resources, audit_id)
    return pages.page(resources, audit_id, counted, tier=Tier.EDITED, limit=1).groups[0]


def protect(resources, audit_id: int, folder: str) -> None:
    with resources.catalog.begin() as session:
        session.get(Audit, audit_id).rules = default().changed(protected=[folder]).stored()


def test_a_file_is_marked_and_taken_back(resources_on_both, audit_id):
    group = edited(resources_on_both, audit_id)
    file = (group.id, group.members[1].location_id)
    done = marks.mark(resources_on_both, audit_id, [file])
    assert marked(resources_on_both) == {file}
    marks.take_back(resources_on_both, done)
    assert marked(resources_on_both) == set()


def test_what_was_marked_before_stays_so_when_a_later_mark_is_taken_back(resources_on_both, audit_id):
    group = edited(resources_on_both, audit_id)
    file = (group.id, group.members[1].location_id)
    marks.mark(resources_on_both, audit_id, [file])
    again = marks.mark(resources_on_both, audit_id, [file])
    marks.take_back(resources_on_both, again)
    assert marked(resources_on_both) == {file}


def test_the_keeper_and_what_is_protected_are_never_marked(resources_on_both, audit_id):
    group = edited(resources_on_both, audit_id)
    keeper, copy = group.members[:2]
    with pytest.raises(InvalidInput, match="the copy that is kept"):
        marks.mark(resources_on_both, audit_id, [(group.id, keeper.location_id)])
    protect(resources_on_both, audit_id, copy.path.rsplit("/", 1)[0])
    with pytest.raises(InvalidInput, match="stays"):
        marks.mark(resources_on_both, audit_id, [(group.id, copy.location_id)])
    with pytest.raises(InvalidInput, match="not in its group"):
        marks.mark(resources_on_both, audit_id, [(group.id, 10**6)])
    assert marked(resources_on_both) == set()


def test_a_file_that_became_the_keeper_is_not_marked_by_taking_back(resources_on_both, audit_id):
    group = edited(resources_on_both, audit_id)
    file = (group.id, group.members[1].location_id)
    marks.mark(resources_on_both, audit_id, [file])
    unmarked = marks.mark(resources_on_both, audit_id, [file], marked=False)
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Member).where(Member.location_id == file[1]).values(role=Role.KEEPER))
    with pytest.raises(InvalidInput, match="nothing to take back"):
        marks.take_back(resources_on_both, unmarked)
    assert marked(resources_on_both) == set()


def test_a_rule_marks_exactly_what_its_preview_shows(resources_on_both, audit_id):
    shown = marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL)
    done = marks.mark_by_rule(resources_on_both, audit_id, shown)
    assert len(marked(resources_on_both)) == shown.files == len(done.files) > 0
    assert {member.tier for member in marks.previewed(resources_on_both, audit_id, marks.ALL_IDENTICAL)} == set()
    total = pages.marked(resources_on_both, audit_id)
    assert (total.files, total.bytes) == (shown.files, shown.bytes)
    marks.take_back(resources_on_both, done)
    assert marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL) == shown


def test_a_rule_asks_for_all_it_says(resources_on_both, audit_id):
    anywhere = Rule((Tier.SAME_PIXELS, Tier.EDITED), 0.9, no_larger=True, loses_nothing=True)
    first, *_ = marks.previewed(resources_on_both, audit_id, anywhere)
    rule = replace(anywhere, folder=first.path.rsplit("/", 1)[0])
    found = marks.previewed(resources_on_both, audit_id, rule)
    assert first in found
    assert all(member.path.startswith(f"{rule.folder}/") and member.score >= 0.9 for member in found)
    assert marks.preview(resources_on_both, audit_id, replace(rule, folder=rule.folder[:-1])).files == 0
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Member).values(loses=["GPS position"]))
    assert marks.preview(resources_on_both, audit_id, rule).files == 0


def test_a_rule_leaves_protected_folders_alone(resources_on_both, audit_id):
    before = marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL)
    protect(resources_on_both, audit_id, "/photos")
    assert before.files > 0
    assert marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL).files == 0


def test_a_preview_that_is_out_of_date_marks_nothing(resources_on_both, audit_id):
    shown = marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL)
    counted = pages.tallies(resources_on_both, audit_id)
    group = pages.page(resources_on_both, audit_id, counted, tier=Tier.IDENTICAL, limit=1).groups[0]
    marks.settle(resources_on_both, audit_id, [group.id])
    with pytest.raises(InvalidInput, match="look at it again"):
        marks.mark_by_rule(resources_on_both, audit_id, shown)
    assert marked(resources_on_both) == set()


def test_another_shot_is_never_marked_by_a_rule(resources_on_both, audit_id):
    for tiers in ((Tier.SAME_SCENE,), ()):
        with pytest.raises(InvalidInput, match="another shot is no copy"):
            marks.preview(resources_on_both, audit_id, Rule(tiers))


def test_all_marks_are_taken_away_and_come_back(resources_on_both, audit_id):
    marks.mark_by_rule(resources_on_both, audit_id, marks.preview(resources_on_both, audit_id, marks.ALL_IDENTICAL))
    before = marked(resources_on_both)
    none = marks.unmark_all(resources_on_both, audit_id)
    assert marked(resources_on_both) == set()
    marks.take_back(resources_on_both, none)
    assert marked(resources_on_both) == before
