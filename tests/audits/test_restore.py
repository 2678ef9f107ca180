"""What was moved comes back to where it was, in part or whole, also when home, pictures or rows are lost."""

import os
from pathlib import Path

import pytest

from app.audits.acting import history, leaving, quarantine, restoring, returning
from app.audits.acting.restoring import Restored
from app.audits.acting.shelf import SHELF
from app.catalog.states import BatchStatus, MoveState
from app.errors import InvalidInput, NotFound
from app.resources import Resources, open_resources
from app.search.desk import SearchDesk
from app.storage import renames
from tests.audits.album import cropped, picture, write
from tests.audits.tree import Tree, held, shelved
from tests.conftest import make_settings
from tests.workshop import COLLECTION, fill


@pytest.fixture
def tree(resources, tmp_path) -> Tree:
    """Three pictures with a copy each."""
    return filled(Tree(resources, tmp_path / "photos"))


def filled(tree: Tree) -> Tree:
    for name in "abc":
        tree.pair(name, f"the bytes of {name}".encode())
    tree.known()
    return tree


def take(tree: Tree, **how) -> int:
    """The batch."""
    outcome = quarantine.quarantine(tree.resources, tree.audit_id, **how)
    assert outcome.refused == ()
    return outcome.batch_id


def back(tree: Tree, **how) -> Restored:
    return restoring.restore(tree.resources, tree.audit_id, **how)


def reasons(done: Restored) -> list[str]:
    assert all("\n" not in one.reason for one in done.refused)
    return [one.reason for one in done.refused]


def aside(tree: Tree, name: str) -> Path:
    (found,) = (tree.root / SHELF.decode()).glob(f"*/{name}")
    return found


def test_all_is_as_it_was(resources_on_both, tmp_path):
    tree = filled(Tree(resources_on_both, tmp_path / "photos"))
    before, shown, grouped, marked = held(tree.root), tree.shown(), tree.grouped(), tree.marked()
    batch_id = take(tree)
    assert len(shelved(tree.root)) == 3
    rehearsed = back(tree, dry_run=True)
    assert len(shelved(tree.root)) == 3
    done = back(tree)
    assert done == rehearsed
    assert (len(done.files), done.refused, done.bytes) == (3, (), 3 * 14)
    assert {one.batch_id for one in done.files} == {batch_id}
    assert held(tree.root) == before
    assert (tree.shown(), tree.grouped(), tree.marked()) == (shown, grouped, marked)
    assert {state for _, state in tree.moves()} == {MoveState.RESTORED}
    assert [batch.status for batch in tree.batches()] == [BatchStatus.RESTORED]
    assert [path.name for path in (tree.root / SHELF.decode()).iterdir()] == ["ledger.jsonl"]
    assert back(tree) == Restored((), (), 0)


def test_one_file_or_one_folder_comes_back(tree):
    take(tree)
    (one,) = back(tree, paths=[tree.root / "copies" / "b.jpg"]).files
    assert one.path == str(tree.root / "copies/b.jpg")
    assert sorted(path.name for path in (tree.root / "copies").iterdir()) == ["b.jpg"]
    assert [batch.status for batch in tree.batches()] == [BatchStatus.DONE]
    with pytest.raises(NotFound, match=r"nothing in quarantine came from .*b\.jpg"):
        back(tree, paths=[tree.root / "copies" / "b.jpg"])
    assert len(back(tree, paths=[tree.root / "copies"]).files) == 2


def test_one_batch_comes_back(tree):
    first_group, second_group, _ = (move.group_id for move in quarantine.plan(tree.resources, tree.audit_id).moves)
    first, second = take(tree, group_ids=[first_group]), take(tree, group_ids=[second_group])
    done = restoring.restore(tree.resources, batch_id=first)
    assert {one.batch_id for one in done.files} == {first}
    facts = {one.id: (one.status, one.moved, one.restored) for one in history.batches(tree.resources, tree.audit_id)}
    assert facts == {first: (BatchStatus.RESTORED, 0, 1), second: (BatchStatus.DONE, 1, 0)}
    with pytest.raises(NotFound, match="no batch 99"):
        restoring.restore(tree.resources, batch_id=99)
    with pytest.raises(NotFound, match="no audit 99"):
        restoring.restore(tree.resources, 99)
    with pytest.raises(InvalidInput, match="nothing is named"):
        restoring.restore(tree.resources)


def test_what_has_taken_its_place_is_not_written_over(tree):
    take(tree)
    place = tree.root / "copies" / "a.jpg"
    place.write_bytes(b"another picture of the same name")
    assert "something else lies at its place" in reasons(back(tree, dry_run=True))[0]
    done = back(tree)
    assert (len(done.files), len(done.refused)) == (2, 1)
    assert place.read_bytes() == b"another picture of the same name"
    assert aside(tree, "copies/a.jpg").read_bytes() == b"the bytes of a"
    place.rename(tree.root / "copies" / "new.jpg")
    assert len(back(tree).files) == 1
    assert place.read_bytes() == b"the bytes of a"


def test_a_link_at_its_place_is_not_followed(tree):
    take(tree)
    place = tree.root / "copies" / "a.jpg"
    place.symlink_to(tree.root / "a.jpg")
    assert len(back(tree).refused) == 1
    assert place.is_symlink()
    assert (tree.root / "a.jpg").read_bytes() == b"the bytes of a"


def test_other_bytes_in_quarantine_stay_there(tree):
    take(tree)
    aside(tree, "copies/a.jpg").write_bytes(b"somebody was here")
    assert "not those that were moved" in reasons(back(tree, dry_run=True))[0]
    assert "not those that were moved" in reasons(back(tree))[0]
    assert aside(tree, "copies/a.jpg").read_bytes() == b"somebody was here"


def test_a_file_that_is_nowhere_is_said_so(tree):
    take(tree)
    aside(tree, "copies/a.jpg").unlink()
    assert "neither at its place nor in quarantine" in reasons(back(tree, dry_run=True))[0]
    done = back(tree)
    assert (len(done.files), len(done.refused)) == (2, 1)


def test_who_moved_it_back_by_hand_is_believed(tree):
    before = held(tree.root)
    take(tree)
    aside(tree, "copies/a.jpg").rename(tree.root / "copies" / "a.jpg")
    assert len(back(tree).files) == 3
    assert held(tree.root) == before


def test_folders_that_went_are_made_again(tree):
    before = held(tree.root)
    take(tree)
    (tree.root / "copies").rmdir()
    assert back(tree, dry_run=True).refused == ()
    assert not (tree.root / "copies").exists()
    back(tree)
    assert held(tree.root) == before


def test_what_was_closed_to_others_is_closed_in_quarantine_and_when_it_comes_back(tree):
    private = tree.root / "copies"
    private.chmod(0o700)
    take(tree)
    assert aside(tree, "copies/a.jpg").parent.stat().st_mode & 0o777 == 0o700
    private.rmdir()
    back(tree)
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_link_gives_its_place_back(resources_on_both, tmp_path):
    tree = filled(Tree(resources_on_both, tmp_path / "photos"))
    before, marked = held(tree.root), tree.marked()
    take(tree, link=True)
    linked = held(tree.root)
    back(tree, dry_run=True)
    assert held(tree.root) == linked
    back(tree)
    assert held(tree.root) == before
    assert shelved(tree.root) == {}
    assert (tree.root / "a.jpg").stat().st_nlink == 1
    assert tree.marked() == marked


def test_a_keeper_edited_through_its_link_keeps_its_new_bytes(tree):
    take(tree, link=True)
    kept, copy = tree.root / "a.jpg", tree.root / "copies" / "a.jpg"
    kept.write_bytes(b"edited")
    assert copy.read_bytes() == b"edited"
    assert back(tree).refused == ()
    assert (kept.read_bytes(), copy.read_bytes()) == (b"edited", b"the bytes of a")


def test_a_file_saved_in_place_of_its_link_is_somebodys_work(tree):
    take(tree, link=True)
    copy = tree.root / "copies" / "a.jpg"
    copy.unlink()
    copy.write_bytes(b"new work")
    assert "something else lies at its place" in reasons(back(tree))[0]
    assert copy.read_bytes() == b"new work"


def test_a_link_is_not_the_file_when_the_quarantine_folder_is_gone(tree):
    """A person put it elsewhere: what stands at the place is the keeper's, and the row goes on saying where to look."""
    before = held(tree.root)
    take(tree, link=True)
    folder = tree.root / SHELF.decode()
    away = folder.rename(tree.root.parent / "put elsewhere")
    for dry_run in (True, False):
        assert set(reasons(back(tree, dry_run=dry_run))) == {returning.NOWHERE}
    away.rename(folder)
    assert len(back(tree).files) == 3
    assert held(tree.root) == before
    assert (tree.root / "a.jpg").stat().st_nlink == 1


def test_after_the_home_has_moved(resources, tmp_path):
    tree = filled(Tree(resources, tmp_path / "photos"))
    before = held(tree.root)
    take(tree)
    resources.catalog.dispose()
    resources.storage.home.rename(tmp_path / "elsewhere")
    tree.resources = open_resources(make_settings(tmp_path / "elsewhere"))
    assert len(back(tree).files) == 3
    assert held(tree.root) == before
    tree.resources.catalog.dispose()


@pytest.mark.parametrize("link", [False, True])
def test_after_the_pictures_have_moved(resources_on_both, tmp_path, link):
    tree = filled(Tree(resources_on_both, tmp_path / "photos"))
    before = held(tree.root)
    take(tree, link=link)
    tree.root = tree.root.rename(tmp_path / "another disk")
    done = back(tree)
    assert (len(done.files), len(done.refused)) == (0, 3)
    rehearsed = restoring.restore_from(tree.resources, tree.root, dry_run=True)
    done = restoring.restore_from(tree.resources, tree.root)
    assert (len(done.files), done.refused) == (3, ())
    assert done == rehearsed
    assert held(tree.root) == before
    assert {state for _, state in tree.moves()} == {MoveState.RESTORED}
    assert {tree.root / "copies" / f"{name}.jpg" for name in "abc"} <= tree.shown()


@pytest.fixture
def lost(tmp_path) -> Resources:
    """A home that knows nothing."""
    opened = open_resources(make_settings(tmp_path / "new home"))
    yield opened
    opened.catalog.dispose()


@pytest.mark.parametrize("link", [False, True])
def test_without_rows_the_journal_tells(tree, lost, link):
    before = held(tree.root)
    take(tree, link=link)
    (one,) = restoring.restore_from(lost, tree.root / SHELF.decode(), [tree.root / "copies" / "c.jpg"]).files
    assert (one.path, one.batch_id) == (str(tree.root / "copies/c.jpg"), None)
    assert len(restoring.restore_from(lost, tree.root).files) == 2
    assert held(tree.root) == before
    assert restoring.restore_from(lost, tree.root).files == ()


def test_a_journal_that_was_cut_short_or_forged_leads_nowhere_else(tree, lost):
    take(tree)
    journal = tree.root / SHELF.decode() / "ledger.jsonl"
    lines = journal.read_text().splitlines()
    forged = lines[0].replace('"copies/a.jpg"', '"../../stolen.jpg"')
    assert forged != lines[0]
    journal.write_text("\n".join([*lines[:2], forged, "[]", lines[2][:40]]))
    assert len(restoring.restore_from(lost, tree.root).files) == 2
    assert len(shelved(tree.root)) == 1
    assert not (tree.root.parent / "stolen.jpg").exists()
    with pytest.raises(NotFound, match="no readable ledger"):
        restoring.restore_from(lost, tree.root.parent)


def test_a_journal_goes_on_after_a_line_that_was_cut_short(tree, lost):
    journal = tree.root / SHELF.decode() / "ledger.jsonl"
    journal.parent.mkdir()
    journal.write_text('{"batch": "audit')
    take(tree)
    assert len(restoring.restore_from(lost, tree.root).files) == 3


def test_on_a_file_system_without_exclusive_renames_two_steps_do_it(tree, monkeypatch):
    """NFS, say: no rename there refuses to go over another file, and none lets two change places."""
    monkeypatch.setattr(renames, "_renameat2", None)
    before = held(tree.root)
    refused = quarantine.quarantine(tree.resources, tree.audit_id, link=True).refused
    assert {one.reason for one in refused} == {leaving.STAYS}
    assert (held(tree.root), (tree.root / "a.jpg").stat().st_nlink) == (before, 1)
    take(tree)
    (tree.root / "copies" / "a.jpg").write_bytes(b"another")
    assert "something else lies at its place" in reasons(back(tree))[0]
    (tree.root / "copies" / "a.jpg").unlink()
    back(tree)
    assert (held(tree.root), shelved(tree.root)) == (before, {})


def test_names_that_are_no_text_come_back(resources_on_both, tmp_path):
    tree = Tree(resources_on_both, tmp_path / "photos")
    tree.write("a.jpg", b"same")
    copy = tree.write(os.fsdecode(b"copies/\xff\xfe.jpg"), b"same")
    tree.known()
    take(tree)
    assert back(tree, paths=[copy]).refused == ()
    assert copy.read_bytes() == b"same"


def test_from_a_real_audit_out_of_every_search_and_back(shop, audit, tmp_path):
    folder = tmp_path / "photos"
    first = write(folder / "a.jpg", picture(1))
    again = folder / "backup" / "a.jpg"
    again.parent.mkdir()
    again.write_bytes(first.read_bytes())
    part = write(folder / "part.jpg", cropped(picture(1), 0.8))
    write(folder / "b.jpg", picture(2))
    fill(shop, folder)
    document = audit()
    tree = Tree(shop.resources, folder)
    tree.audit_id, before = document["audit_id"], held(folder)
    assert tree.marked() == {again}
    tree.mark(part)
    assert len(quarantine.quarantine(shop.resources, tree.audit_id).moves) == 2
    assert str(part) not in found(shop, first)
    assert tree.grouped() == []
    counts = fill(shop, folder).counts
    assert (counts["seen"], counts["known"], len(shelved(folder))) == (2, 2, 2)
    assert audit()["groups"] == []
    assert len(back(tree).files) == 2
    assert held(folder) == before
    assert str(part) in found(shop, first)
    assert [len(group) for group in tree.grouped()] == [3]
    assert fill(shop, folder).counts["known"] == 4


def found(shop, path: Path) -> set[str]:
    desk = SearchDesk(shop.resources, shop.decoder)
    return {str(hit.path) for hit in desk.by_file(COLLECTION, path, k=10).hits}
