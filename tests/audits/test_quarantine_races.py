"""Somebody else is at work at the same time: what was shown moves, and what changed at the last moment is back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.audits.acting import quarantine, restoring, settling
from app.audits.grouping.rules import default
from app.catalog.states import MoveState
from app.errors import InvalidInput, ServiceUnavailable
from app.faults import Point
from app.resources import Resources, open_resources
from tests.audits.quarantining import assert_untouched, run
from tests.audits.tree import Tree, held, shelved
from tests.conftest import make_settings


@pytest.fixture
def elsewhere(tmp_path) -> Resources:
    """Another home, of which this one knows nothing."""
    opened = open_resources(make_settings(tmp_path / "another home"))
    yield opened
    opened.catalog.dispose()


def test_what_was_not_shown_is_not_moved(tree_on_both):
    tree = tree_on_both
    (_, first), (_, second) = tree.pair("a", b"one"), tree.pair("b", b"two")
    tree.known()
    tree.mark(second, marked=False)
    shown = quarantine.plan(tree.resources, tree.audit_id)
    tree.mark(first, marked=False)
    tree.mark(second)
    before = held(tree.root)
    with pytest.raises(InvalidInput, match="changed since it was shown"):
        run(tree, shown=shown)
    assert_untouched(tree, before)
    assert run(tree, shown=quarantine.plan(tree.resources, tree.audit_id)).moved == 1


def at_the_last_moment(monkeypatch, act: Callable[[], object]) -> None:
    """Somebody else does this when both files were read, just before the one is moved."""
    monkeypatch.setattr(quarantine, "reach", lambda point: act() if point is Point.BEFORE_MOVE else None)


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_takes_its_name_at_the_last_moment_is_back_at_once(tree, monkeypatch, link):
    kept, copy = tree.pair()
    tree.known()
    new = tree.write("new.jpg", b"saved just now")
    at_the_last_moment(monkeypatch, lambda: new.replace(copy))
    (refusal,) = run(tree, link=link).refused
    assert "replaced or changed while it was moved, and it is back" in refusal.reason
    assert (copy.read_bytes(), kept.read_bytes()) == (b"saved just now", b"the same")
    assert shelved(tree.root) == {}
    assert kept.stat().st_nlink == 1


def test_a_link_that_takes_its_name_at_the_last_moment_is_back_at_once(tree, monkeypatch):
    kept, copy = tree.pair()
    tree.known()
    way = tree.root / "way"
    way.symlink_to(kept)
    at_the_last_moment(monkeypatch, lambda: way.replace(copy))
    assert "replaced or changed while it was moved" in run(tree).refused[0].reason
    assert copy.is_symlink()
    assert kept.read_bytes() == b"the same"


def test_only_one_is_at_work(tree):
    tree.pair()
    tree.known()
    with settling.alone(tree.resources), pytest.raises(ServiceUnavailable, match="at work"):
        run(tree)
    assert run(tree).moved == 1


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_is_written_to_at_the_last_moment_is_back_at_once(tree, monkeypatch, link):
    """In place, by a program that had it open: the same file with other bytes."""
    kept, copy = tree.pair()
    tree.known()
    writing = copy.open("r+b", buffering=0)
    at_the_last_moment(monkeypatch, lambda: writing.write(b"THE"))
    (refusal,) = run(tree, link=link).refused
    writing.close()
    assert "changed while it was moved, and it is back" in refusal.reason
    assert (copy.read_bytes(), kept.read_bytes()) == (b"THE same", b"the same")
    assert shelved(tree.root) == {}
    assert kept.stat().st_nlink == 1


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("act", [Path.unlink, lambda kept: kept.write_bytes(b"the other")])
def test_a_copy_stays_when_its_keeper_goes_at_the_last_moment(tree, monkeypatch, act, link):
    kept, copy = tree.pair()
    tree.known()
    at_the_last_moment(monkeypatch, lambda: act(kept))
    assert len(run(tree, link=link).refused) == 1
    assert copy.read_bytes() == b"the same"
    assert shelved(tree.root) == {}


def test_of_two_homes_that_move_each_others_keeper_one_stays(tree, elsewhere, monkeypatch):
    """Both have read both files before either has moved one."""
    one, other = tree.pair()
    tree.known()
    theirs = Tree(elsewhere, tree.root)
    theirs.known(default().changed(folders=[str(other.parent)]))
    assert (tree.marked(), theirs.marked()) == ({other}, {one})
    turns = iter([lambda: run(theirs)])
    at_the_last_moment(monkeypatch, lambda: next(turns, lambda: None)())
    assert "the copy that stays was changed or taken away" in run(tree).refused[0].reason
    assert list(held(tree.root)) == ["copies/a.jpg"]
    assert len(shelved(tree.root)) == 1


def test_who_moved_a_file_has_the_last_word_in_its_row(tree_on_both, monkeypatch):
    """Another home with the same catalogue takes this quarantine for a dead one, and finds the file at its place."""
    tree = tree_on_both
    kept, copy = tree.pair()
    tree.known()
    at_the_last_moment(monkeypatch, lambda: settling.settle(tree.resources))
    assert run(tree).moved == 1
    assert tree.moves() == [(copy, MoveState.MOVED)]
    assert tree.shown() == {kept}
    assert len(restoring.restore(tree.resources, tree.audit_id).files) == 1
    assert copy.exists()
