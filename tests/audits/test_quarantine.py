"""Marked files move aside and out of every search, and stand where they stood by a link if that was asked for."""

import os
from pathlib import Path

import pytest

from app.audits.acting import quarantine
from app.audits.acting.shelf import SHELF
from app.catalog.states import BatchStatus, MoveState
from app.errors import InvalidInput, NotFound
from app.ingest import scan, walk
from tests.audits.quarantining import run
from tests.audits.tree import Tree, held, shelved
from tests.faults.disk import small_disk


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
