"""One file under several names frees nothing, whoever made the link; given back its own bytes, it counts again."""

import csv
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import update

from app import library
from app.audits.acting import quarantine, restoring
from app.audits.grouping import decisions
from app.audits.grouping.planning import ONE_FILE
from app.audits.grouping.rules import default
from app.audits.showing import answers, export, marks, pages
from app.catalog.models import Location
from app.errors import InvalidInput
from app.ingest import scan
from app.ingest.embed import embed_pending
from tests.audits.album import picture, shrunk, write
from tests.audits.tree import Tree, held
from tests.workshop import COLLECTION, fill


def copied(source: Path, *names: str) -> list[Path]:
    made = [source.parent / name for name in names]
    for path in made:
        path.write_bytes(source.read_bytes())
    return made


def linked(source: Path, *names: str) -> list[Path]:
    made = [source.parent / name for name in names]
    for path in made:
        path.hardlink_to(source)
    return made


def frees(document: dict) -> int:
    (group,) = document["groups"]
    assert document["reclaimable_bytes"] == group["reclaimable_bytes"]
    return group["reclaimable_bytes"]


def names(document: dict, fact: str) -> set[str]:
    """Files of the only group that are this."""
    return {Path(member["path"]).name for member in document["groups"][0]["members"] if member[fact]}


def test_what_was_linked_frees_nothing_until_it_is_back(shop, audit, tmp_path):
    first = write(tmp_path / "photos" / "a.jpg", picture(1))
    copied(first, "b.jpg", "c.jpg")
    fill(shop, tmp_path / "photos")
    before, size = audit(), first.stat().st_size
    kept = Path(before["groups"][0]["members"][0]["path"]).name
    both = {"a.jpg", "b.jpg", "c.jpg"} - {kept}
    assert (frees(before), names(before, "marked"), names(before, "linked")) == (2 * size, both, set())
    quarantine.quarantine(shop.resources, before["audit_id"], link=True)
    for after in (answers.document(shop.resources, before["audit_id"]), audit()):
        assert (frees(after), names(after, "linked"), names(after, "marked")) == (0, both, set())
    scan.ingest(shop.resources, [tmp_path / "photos"], COLLECTION)  # their times are the keeper's now
    assert frees(audit()) == 0
    restoring.restore(shop.resources, before["audit_id"])
    for after in (answers.document(shop.resources, before["audit_id"]), audit()):
        assert (frees(after), names(after, "marked"), names(after, "linked")) == (2 * size, both, set())


def test_links_that_were_there_before_free_nothing_and_are_never_marked(shop, audit, tmp_path):
    first = write(tmp_path / "photos" / "a.jpg", picture(1))
    linked(first, "b.jpg")
    fill(shop, tmp_path / "photos")
    found = audit()
    assert (frees(found), len(names(found, "linked")), names(found, "marked")) == (0, 1, set())
    copy = found["groups"][0]["members"][1]
    assert copy["reason"] == ONE_FILE
    audit_id, group_id = found["audit_id"], found["groups"][0]["group_id"]
    (shown,) = pages.page(shop.resources, audit_id, pages.tallies(shop.resources, audit_id)).groups
    assert (shown.reclaimable_bytes, [member.may_go for member in shown.members]) == (0, [False, False])
    with pytest.raises(InvalidInput, match="one file with the kept one"):
        marks.mark(shop.resources, audit_id, [(group_id, shown.members[1].location_id)])
    assert marks.preview(shop.resources, audit_id, marks.ALL_IDENTICAL).files == 0


def test_a_link_made_or_broken_by_hand_is_seen_by_the_next_run(shop, audit, tmp_path):
    first = write(tmp_path / "photos" / "a.jpg", picture(1))
    (other,) = copied(first, "b.jpg")
    fill(shop, tmp_path / "photos")
    size = first.stat().st_size
    assert (frees(audit()), other.unlink(), linked(first, "b.jpg")) == (size, None, [other])
    now = audit()
    assert (frees(now), names(now, "marked")) == (0, set())  # it was marked as a copy of its own
    other.unlink()
    copied(first, "b.jpg")
    assert frees(audit()) == size


def test_taking_back_an_old_act_marks_no_link(resources, tmp_path):
    tree = Tree(resources, tmp_path / "photos")
    _, copy = tree.pair()
    tree.known()
    unmarked = marks.unmark_all(resources, tree.audit_id)
    tree.mark(copy)
    quarantine.quarantine(resources, tree.audit_id, link=True)
    with pytest.raises(InvalidInput, match="nothing to take back"):
        marks.take_back(resources, unmarked)
    assert tree.marked() == set()


def test_of_two_names_of_a_copy_the_room_counts_once(shop, audit, tmp_path):
    """Neither is marked for them, as each is the other; a person may mark both."""
    write(tmp_path / "photos" / "a.jpg", picture(1))
    small = write(tmp_path / "photos" / "small.jpg", shrunk(picture(1)))
    linked(small, "again.jpg")
    fill(shop, tmp_path / "photos")
    found = audit()
    assert (frees(found), names(found, "marked"), names(found, "linked")) == (small.stat().st_size, set(), set())
    stay = [str(tmp_path / "photos" / name) for name in ("a.jpg", "again.jpg")]
    assert frees(audit(rules=default().changed(protected=stay))) == 0


def test_a_file_of_the_other_collection_under_another_name_frees_nothing(shop, audit, tmp_path):
    first = write(tmp_path / "archive" / "a.jpg", picture(1))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").hardlink_to(first)
    (tmp_path / "photos" / "b.jpg").write_bytes(first.read_bytes())
    fill(shop, tmp_path / "photos")
    library.create_collection(shop.resources, "archive")
    scan.ingest(shop.resources, [tmp_path / "archive"], "archive")
    archive_id = library.collection(shop.resources, "archive").id
    embed_pending(shop, archive_id, budget_s=120, should_stop=lambda: False)
    found = audit("archive")
    assert (frees(found), names(found, "linked")) == (first.stat().st_size, {"a.jpg"})


def test_hosts_with_the_same_numbers_have_files_of_their_own(resources_on_both, tmp_path):
    """Device and number say nothing of another host's disk."""
    tree = Tree(resources_on_both, tmp_path / "photos")
    _, copy = tree.pair()
    tree.known()
    with tree.resources.catalog.begin() as session:
        session.execute(update(Location).values(inode="1:1"))
        session.execute(update(Location).where(Location.path_bytes == os.fsencode(copy)).values(host="elsewhere"))
    decisions.regroup(tree.resources, tree.audit_id, [tree.image_at(copy)])
    assert frees(answers.document(tree.resources, tree.audit_id)) == len(b"the same")


def test_both_databases_keep_what_a_link_changed(resources_on_both, tmp_path):
    tree = Tree(resources_on_both, tmp_path / "photos")
    tree.pair()
    tree.known()
    before = held(tree.root)
    quarantine.quarantine(tree.resources, tree.audit_id, link=True)
    assert frees(answers.document(tree.resources, tree.audit_id)) == 0
    restoring.restore(tree.resources, tree.audit_id)
    assert frees(answers.document(tree.resources, tree.audit_id)) == len(b"the same")
    assert held(tree.root) == before


def test_an_export_says_which_files_are_links(resources, tmp_path):
    tree = Tree(resources, tmp_path / "photos")
    tree.pair()
    tree.known()
    quarantine.quarantine(tree.resources, tree.audit_id, link=True)
    for suffix in ("csv", "json", "html"):
        export.write(tree.resources, tree.audit_id, tmp_path / f"audit.{suffix}")
    rows = list(csv.DictReader((tmp_path / "audit.csv").read_text("utf-8-sig").splitlines()))
    assert [row["linked"] for row in rows] == ["", "yes"]
    (group,) = json.loads((tmp_path / "audit.json").read_text())["groups"]
    assert ([member["linked"] for member in group["members"]], group["reclaimable_bytes"]) == ([False, True], 0)
    report = (tmp_path / "audit.html").read_text()
    assert ONE_FILE in report
    assert "could be freed" not in report
