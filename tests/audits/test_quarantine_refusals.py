"""Nothing moves that is not what the audit saw, nor what a person protects; the dry run says so too."""

import shutil
from dataclasses import replace

import pytest

from app.audits.acting import quarantine
from app.audits.grouping.rules import default
from app.catalog.states import MoveState
from app.errors import InvalidInput
from app.storage import Storage
from tests.audits.quarantining import assert_untouched, refused_untouched, run
from tests.audits.tree import Tree, held
from tests.faults.disk import small_disk


class Elsewhere(Storage):
    host = "elsewhere"


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
