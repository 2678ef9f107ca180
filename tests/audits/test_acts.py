"""A person's last act is taken back tomorrow too; and each decision, from a list of all of them."""

from itertools import pairwise

import pytest
from sqlalchemy import select, update

from app.audits.grouping import decisions
from app.audits.showing import acts, marks, pages, said
from app.audits.showing.acts import Settling
from app.audits.showing.pages import FIRST, Cursor
from app.catalog import acts as rows
from app.catalog.audit_models import Act, Decision, Member
from app.catalog.decisions import key
from app.catalog.states import Role, Word
from app.errors import InvalidInput, NotFound
from tests.audits.many import fill
from tests.audits.tree import Tree

GROUPS = 100


@pytest.fixture
def audit_id(resources_on_both) -> int:
    return fill(resources_on_both, GROUPS)


@pytest.fixture
def tree(resources_on_both, tmp_path) -> Tree:
    """Three copies of a picture, of other bytes each, in one group."""
    made = Tree(resources_on_both, tmp_path / "photos")
    first, *copies = (made.write(f"{name}.jpg", name.encode()) for name in ("a", "b", "c"))
    made.known()
    for copy in copies:
        made.edited(first, copy)
    return made


def whole(tree: Tree) -> bool:
    return [len(group) for group in tree.grouped()] == [3]


def say(tree: Tree, word: Word, name: str) -> decisions.Said:
    """Of this file and the one that is kept."""
    ((group_id, *_),) = groups_of(tree)
    made = decisions.decide(tree.resources, tree.audit_id, group_id, word, [tree.image_at(tree.root / name)])
    acts.note(tree.resources, tree.audit_id, f"{word} {name}", made)
    return made


def groups_of(tree: Tree) -> list[tuple]:
    counted = pages.tallies(tree.resources, tree.audit_id)
    return [(one.id, one) for one in pages.page(tree.resources, tree.audit_id, counted).groups]


def test_acts_are_taken_back_the_last_first(tree):
    """Each call stands for another browser: nothing but rows is between them."""
    resources, audit_id = tree.resources, tree.audit_id
    ((group_id, group),) = groups_of(tree)
    keeper, _, second = group.members
    before = tree.marked()
    acts.note(resources, audit_id, "unmarked", marks.unmark_all(resources, audit_id))
    acts.note(resources, audit_id, "kept", decisions.keep(resources, audit_id, group_id, second.image_id))
    assert groups_of(tree)[0][1].members[0].image_id == second.image_id
    ((group_id, group),) = groups_of(tree)
    marks.settle(resources, audit_id, [group_id])
    acts.note(resources, audit_id, "done", Settling(audit_id, (group_id,), True))
    assert groups_of(tree) == []
    assert [acts.undo(resources, audit_id), len(groups_of(tree))] == ["done", 1]
    assert acts.undo(resources, audit_id) == "kept"
    assert groups_of(tree)[0][1].members[0].image_id == keeper.image_id
    say(tree, Word.DIFFERENT, "b.jpg")
    assert not whole(tree)
    assert acts.can_undo(resources, audit_id)
    assert (acts.undo(resources, audit_id), whole(tree)) == ("different b.jpg", True)
    assert (acts.undo(resources, audit_id), acts.undo(resources, audit_id)) == ("unmarked", None)
    assert tree.marked() == before != set()
    assert not acts.can_undo(resources, audit_id)


def test_an_act_that_can_not_be_taken_back_does_not_stand_before_the_others(resources_on_both, audit_id):
    counted = pages.tallies(resources_on_both, audit_id)
    first, second = pages.page(resources_on_both, audit_id, counted, limit=2).groups
    for group in (first, second):
        file = (group.id, group.members[1].location_id)
        done = marks.mark(resources_on_both, audit_id, [file], not group.members[1].marked)
        acts.note(resources_on_both, audit_id, f"group {group.id}", done)
    with resources_on_both.catalog.begin() as session:
        session.execute(update(Member).where(Member.group_id == second.id).values(role=Role.KEEPER))
    with pytest.raises(InvalidInput, match="nothing to take back"):
        acts.undo(resources_on_both, audit_id)
    assert acts.undo(resources_on_both, audit_id) == f"group {first.id}"


def test_only_the_newest_acts_are_kept(resources_on_both, audit_id, monkeypatch):
    monkeypatch.setattr(rows, "KEPT", 3)
    for number in range(5):
        acts.note(resources_on_both, audit_id, str(number), Settling(audit_id, (1,), True))
    with resources_on_both.catalog.read() as session:
        assert session.scalars(select(Act.text).order_by(Act.id)).all() == ["2", "3", "4"]


def test_every_decision_is_listed_the_newest_first_and_taken_back_by_itself(tree):
    say(tree, Word.DIFFERENT, "b.jpg")
    say(tree, Word.SAME_SCENE, "c.jpg")
    page = said.page(tree.resources, tree.audit_id)
    assert [(one.word, {one.first.name, one.second.name}) for one in page.decisions] == [
        (Word.SAME_SCENE, {"a.jpg", "c.jpg"}),
        (Word.DIFFERENT, {"a.jpg", "b.jpg"}),
    ]
    assert (page.total, page.before, page.after) == (2, None, None)
    older = page.decisions[1]
    made = decisions.take_back(tree.resources, tree.audit_id, older.id)
    assert {frozenset(path.name for path in group) for group in tree.grouped()} >= {frozenset({"a.jpg", "b.jpg"})}
    assert [one.word for one in said.page(tree.resources, tree.audit_id).decisions] == [Word.SAME_SCENE]
    with pytest.raises(NotFound, match="taken back already"):
        decisions.take_back(tree.resources, tree.audit_id, older.id)
    acts.note(tree.resources, tree.audit_id, "struck off", made)
    assert acts.undo(tree.resources, tree.audit_id) == "struck off"
    assert said.page(tree.resources, tree.audit_id).total == 2


def test_pages_of_decisions_hold_each_once_and_the_same_on_the_way_back(resources_on_both, audit_id):
    digests = [f"{number:064x}" for number in range(1, 46)]
    with resources_on_both.catalog.begin() as session:
        for at, (one, other) in enumerate(pairwise(digests)):
            pair = dict(zip(("first_digest", "second_digest"), key(one, other), strict=True))
            session.add(Decision(**pair, word=Word.KEEP_BOTH, decided_at=at // 3))
        session.add(Decision(first_digest="e" * 64, second_digest="f" * 64, word=Word.DIFFERENT))  # of no picture here
    there, cursor = [], FIRST
    while cursor is not None:
        page = said.page(resources_on_both, audit_id, cursor)
        there.append([one.id for one in page.decisions])
        last, cursor = page, page.after
    back, cursor = [there[-1]], last.before
    while cursor is not None:
        page = said.page(resources_on_both, audit_id, cursor)
        back.append([one.id for one in page.decisions])
        cursor = page.before
    assert there == back[::-1]
    assert [len(page) for page in there] == [20, 20, 4]
    assert [one for page in there for one in page] == sorted(range(1, 45), reverse=True)
    assert said.page(resources_on_both, audit_id, Cursor((0.0, 1))).decisions == ()
