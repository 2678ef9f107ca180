"""Marked files move aside and out of every search; nothing moves that is not what the audit saw."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.audits.acting import quarantine, restoring, settling
from app.audits.acting.quarantine import Outcome
from app.audits.acting.shelf import SHELF
from app.audits.grouping.rules import default
from app.catalog.states import BatchStatus, MoveState
from app.errors import InvalidInput, NotFound, ServiceUnavailable
from app.faults import Point
from app.ingest import scan, walk
from app.resources import Resources, open_resources
from app.storage import Storage
from tests.audits.tree import Tree, held, shelved
from tests.conftest import make_settings
from tests.faults.disk import small_disk


@pytest.fixture
def tree(resources, tmp_path) -> Tree:
    return Tree(resources, tmp_path / "photos")


@pytest.fixture
def tree_on_both(resources_on_both, tmp_path) -> Tree:
    return Tree(resources_on_both, tmp_path / "photos")


@pytest.fixture
def elsewhere(tmp_path) -> Resources:
    """Another home, of which this one knows nothing."""
    opened = open_resources(make_settings(tmp_path / "another home"))
    yield opened
    opened.catalog.dispose()


class Elsewhere(Storage):
    host = "elsewhere"


def run(tree: Tree, **how) -> Outcome:
    return quarantine.quarantine(tree.resources, tree.audit_id, **how)


def assert_untouched(tree: Tree, before: dict) -> None:
    assert held(tree.root) == before
    assert shelved(tree.root) == {}


def refused_untouched(tree: Tree, why: str, **how) -> None:
    """The dry run says so too."""
    before = held(tree.root)
    plan = quarantine.plan(tree.resources, tree.audit_id, **how)
    assert [why in move.refusal for move in plan.moves] == [True]
    outcome = run(tree, **how)
    assert (outcome.moved, outcome.bytes) == (0, 0)
    (refusal,) = outcome.refused
    assert why in refusal.reason
    assert "\n" not in refusal.reason
    assert_untouched(tree, before)


def test_what_is_marked_lies_aside_under_its_old_name_and_is_found_no_more(tree_on_both):
    tree = tree_on_both
    kept, copy = tree.pair(data=b"eight by")
    other = tree.write("other.jpg", b"another one")
    tree.known()
    before = held(tree.root)
    plan = quarantine.plan(tree.resources, tree.audit_id)
    assert held(tree.root) == before
    outcome = run(tree)
    assert outcome.moves == plan.moves
    assert (outcome.moved, outcome.bytes, outcome.refused) == (1, 8, ())
    (move,) = outcome.moves
    assert (move.path, move.kept, move.bytes) == (str(copy), str(kept), 8)
    aside = Path(move.to)
    assert aside.relative_to(tree.root).parts[0] == SHELF.decode()
    assert (aside.name, aside.read_bytes()) == ("a.jpg", b"eight by")
    assert aside.stat().st_mtime_ns == before["copies/a.jpg"][1]
    assert not copy.exists()
    assert tree.shown() == {kept, other}
    assert tree.moves() == [(copy, MoveState.MOVED)]
    assert [batch.status for batch in tree.batches()] == [BatchStatus.DONE]
    assert tree.grouped() == []


def test_an_edited_copy_goes_out_of_every_search_when_a_person_marked_it(tree_on_both):
    tree = tree_on_both
    kept, copy = tree.write("large.jpg", b"large"), tree.write("small.jpg", b"small")
    tree.known()
    tree.edited(kept, copy)
    assert run(tree).moved == 1
    assert tree.shown() == {kept}


def test_only_chosen_groups_are_touched(tree):
    (_, first), (_, second) = tree.pair("a", b"one"), tree.pair("b", b"two")
    tree.known()
    group_id = quarantine.plan(tree.resources, tree.audit_id).moves[1].group_id
    assert run(tree, group_ids=[group_id]).moved == 1
    assert (first.exists(), second.exists()) == (True, False)
    with pytest.raises(NotFound, match="no group 99"):
        run(tree, group_ids=[99])
    with pytest.raises(NotFound, match="no audit 99"):
        quarantine.plan(tree.resources, 99)


def test_nothing_marked_is_nothing_done(tree):
    tree.pair()
    tree.known()
    tree.mark(tree.root / "copies/a.jpg", marked=False)
    outcome = run(tree)
    assert (outcome.batch_id, outcome.moved, outcome.moves, outcome.refused) == (None, 0, (), ())


def test_what_a_person_left_unmarked_stays_so_when_its_neighbour_goes(tree):
    tree.write("a.jpg", b"same")
    left, going = tree.write("copies/a.jpg", b"same"), tree.write("copies/b.jpg", b"same")
    tree.known()
    tree.mark(left, marked=False)
    assert run(tree).moved == 1
    assert (left.exists(), going.exists()) == (True, False)
    assert run(tree).moved == 0
    assert left.exists()


def test_names_that_are_no_text_move_too(tree):
    tree.write("a.jpg", b"same")
    copy = tree.write(os.fsdecode(b"copies/\xff\xfe.jpg"), b"same")
    tree.known()
    assert run(tree).moved == 1
    assert not copy.exists()


def test_a_second_batch_has_a_folder_of_its_own(tree):
    _, copy = tree.pair()
    tree.known()
    first = run(tree)
    tree.write("copies/a.jpg", b"the same")
    tree.known()
    second = run(tree)
    assert (first.moved, second.moved) == (1, 1)
    assert first.moves[0].to != second.moves[0].to
    assert len(shelved(tree.root)) == 2
    assert not copy.exists()


def test_a_link_takes_the_place_and_the_copy_stays_searchable(tree_on_both):
    tree = tree_on_both
    kept, copy = tree.pair()
    tree.known()
    outcome = run(tree, link=True)
    assert outcome.moved == 1
    assert copy.stat().st_ino == kept.stat().st_ino
    assert Path(outcome.moves[0].to).read_bytes() == copy.read_bytes() == b"the same"
    assert tree.shown() == {kept, copy}
    assert tree.marked() == set()
    assert run(tree, link=True).batch_id is None


def test_a_link_stands_for_the_same_bytes_only(tree):
    kept, copy = tree.write("large.jpg", b"large"), tree.write("small.jpg", b"small")
    tree.known()
    tree.edited(kept, copy)
    refused_untouched(tree, "move it without a link", link=True)


def test_a_keeper_that_is_missing_holds_its_copies_back(tree):
    kept, _ = tree.pair()
    tree.known()
    kept.unlink()
    refused_untouched(tree, "the copy that stays is not there any more")


def test_a_keeper_that_was_changed_holds_its_copies_back(tree):
    kept, _ = tree.pair()
    tree.known()
    kept.write_bytes(b"they are")
    refused_untouched(tree, "the copy that stays has other bytes than the audit saw")


def test_a_file_that_was_changed_is_not_what_was_audited(tree):
    _, copy = tree.pair()
    tree.known()
    copy.write_bytes(b"edited a minute ago")
    refused_untouched(tree, "it has other bytes than the audit saw")


def test_a_file_that_was_replaced_by_a_link_is_left(tree):
    kept, copy = tree.pair()
    tree.known()
    copy.unlink()
    copy.symlink_to(kept)
    refused_untouched(tree, "it is a link now")


def test_a_keeper_that_is_a_link_now_is_no_copy(tree):
    kept, copy = tree.pair()
    tree.known()
    kept.unlink()
    kept.symlink_to(copy)
    refused_untouched(tree, "the copy that stays is a link now")


def test_a_folder_that_was_replaced_by_a_link_leads_nowhere(tree):
    _, copy = tree.pair()
    tree.known()
    shutil.move(copy.parent, tree.root / "elsewhere")
    copy.parent.symlink_to(tree.root / "elsewhere")
    refused_untouched(tree, "put the folder back")


def test_two_names_of_one_file_gain_nothing(tree):
    kept, copy = tree.pair()
    copy.unlink()
    copy.hardlink_to(kept)
    tree.known()
    refused_untouched(tree, "one file under two names")


def test_the_same_file_by_two_ways_is_not_its_own_copy(tree, tmp_path):
    """A folder that was ingested twice, once through a link: both paths lead to the only file there is."""
    tree.write("real/a.jpg", b"only one")
    (tree.root / "way").symlink_to(tree.root / "real")
    tree.known(None, tree.root / "way" / "a.jpg")
    before = held(tree.root)
    outcome = run(tree)
    assert (outcome.moved, len(outcome.refused)) == (0, 1)
    assert held(tree.root) == before


def test_of_two_that_each_keep_what_the_other_moves_none_goes(tree):
    one, other = tree.write("one.jpg", b"the larger one"), tree.write("other.jpg", b"other")
    tree.known()
    tree.edited(one, other)
    tree.group(kept=other, copy=one)
    before = held(tree.root)
    outcome = run(tree)
    assert [refusal.reason for refusal in outcome.refused] == [
        "the copy that stays is chosen for quarantine itself: keep one of the two"
    ] * 2
    assert_untouched(tree, before)


def test_a_protected_folder_is_never_touched(tree):
    _, copy = tree.pair()
    tree.known(default().changed(protected=[str(copy.parent)]))
    tree.mark(copy)
    outcome = run(tree)
    assert copy.exists()
    assert all(move.path != str(copy) for move in outcome.moves)


def test_a_protected_file_is_never_touched(tree):
    _, copy = tree.pair()
    tree.known()
    tree.known(default().changed(protected=[str(copy)]))
    assert tree.marked() == {tree.root / "a.jpg"}
    tree.mark(copy)
    assert all(move.path != str(copy) for move in run(tree).moves)
    assert copy.exists()


@pytest.mark.parametrize("folder", ["copies", "~/photos", ""])
def test_what_would_protect_nothing_is_refused(folder):
    with pytest.raises(InvalidInput, match="is no folder from the root on: write it as /home/me/photos"):
        default().changed(protected=[folder])


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


def test_a_protected_folder_is_known_by_another_name_too(tree):
    _, copy = tree.pair()
    way = tree.root.parent / "way"
    way.symlink_to(copy.parent)
    tree.known(default().changed(protected=[str(way)]))
    refused_untouched(tree, "is protected")


def test_a_file_of_another_host_is_left(tree):
    tree.pair()
    tree.known()
    elsewhere = replace(tree.resources, storage=Elsewhere(tree.resources.storage.home))
    outcome = quarantine.quarantine(elsewhere, tree.audit_id)
    assert outcome.moved == 0
    assert "another host" in outcome.refused[0].reason


def test_a_full_disk_is_said_and_nothing_moves(resources, tmp_path):
    with small_disk(tmp_path / "disk", 1) as disk:
        tree = Tree(resources, disk.folder / "photos")
        tree.pair()
        tree.known()
        disk.fill()
        before = held(tree.root)
        (refusal,) = run(tree).refused
        assert "No space left on device): free space on that disk" in refusal.reason
        assert held(tree.root) == before
        assert tree.moves() == [(tree.root / "copies/a.jpg", MoveState.REFUSED)]
        disk.make_room()
        assert run(tree).moved == 1


def test_a_file_stays_on_its_own_file_system(resources, tmp_path):
    with small_disk(tmp_path / "photos" / "copies", 1) as disk:
        tree = Tree(resources, tmp_path / "photos")
        tree.pair()
        tree.known()
        before = held(tree.root)
        refused = run(tree, link=True).refused
        assert "two file systems, no link spans these" in refused[0].reason
        assert held(tree.root) == before
        (move,) = run(tree).moves
        assert Path(move.to).relative_to(disk.folder).parts[0] == SHELF.decode()


def test_no_ingest_looks_into_quarantine(tree):
    _, copy = tree.pair()
    tree.known()
    (move,) = run(tree).moves
    assert [path for path in walk.files_below([tree.root]) if path.name == "a.jpg"] == [tree.root / "a.jpg"]
    for path in (move.to, tree.root / SHELF.decode()):
        with pytest.raises(InvalidInput, match="lies in quarantine: bring it back first"):
            scan.ingest(tree.resources, [path], "photos")
    assert copy not in tree.shown()


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
