"""What a person says of pictures is kept, by their bytes, whatever happens to the rows; and can be taken back."""

import pytest

from app.audits import runs
from app.audits.grouping import decisions
from app.audits.grouping.rules import default
from app.audits.showing import answers
from app.catalog import audits, groups, images
from app.catalog.audit_models import Decision
from app.catalog.states import Word
from app.errors import InvalidInput, NotFound
from app.ingest import scan
from tests.audits.album import cropped, picture, shrunk, write
from tests.workshop import COLLECTION, fill


@pytest.fixture
def folder(shop, tmp_path):
    """Two groups: a picture with two copies, and one with one copy."""
    folder = tmp_path / "photos"
    write(folder / "a.jpg", picture(1))
    write(folder / "a-small.jpg", shrunk(picture(1), 0.7))
    write(folder / "a-part.jpg", cropped(picture(1), 0.8))
    write(folder / "b.jpg", picture(2))
    write(folder / "b-small.jpg", shrunk(picture(2)))
    fill(shop, folder)
    return folder


def names(document: dict) -> list[list[str]]:
    """By group, the keeper first."""
    return sorted([member["path"].rsplit("/")[-1] for member in group["members"]] for group in document["groups"])


def group_of(document: dict, name: str) -> tuple[int, dict[str, int]]:
    """Its id, and its images by name."""
    for group in document["groups"]:
        images = {member["path"].rsplit("/")[-1]: member["image_id"] for member in group["members"]}
        if name in images:
            return group["group_id"], images
    raise AssertionError(f"{name} is in no group of {document['groups']}")


def decide(shop, document: dict, word: Word, *files: str) -> decisions.Said:
    group_id, images = group_of(document, files[0])
    chosen = [images[name] for name in files]
    return decisions.decide(shop.resources, document["audit_id"], group_id, word, chosen)


ALL = [["a.jpg", "a-small.jpg", "a-part.jpg"], ["b.jpg", "b-small.jpg"]]


def answer(shop, document: dict) -> dict:
    return answers.document(shop.resources, document["audit_id"])


@pytest.mark.parametrize("word", [Word.DIFFERENT, Word.KEEP_BOTH, Word.SAME_SCENE])
def test_a_word_splits_a_group_and_holds_in_the_next_run(shop, audit, folder, word):
    before = audit()
    assert list(map(sorted, names(before))) == list(map(sorted, ALL))
    decide(shop, before, word, "a-small.jpg")
    after = answer(shop, before)
    assert names(after) == [["a.jpg", "a-part.jpg"], ALL[1]]
    assert group_of(after, "b.jpg") == group_of(before, "b.jpg")
    assert names(audit()) == names(after)


def test_a_word_outlives_rows_files_and_moves(shop, audit, folder):
    decide(shop, audit(), Word.DIFFERENT, "b-small.jpg")
    (folder / "moved").mkdir()
    (folder / "b-small.jpg").rename(folder / "moved" / "other.jpg")
    scan.ingest(shop.resources, [folder], COLLECTION)
    fill(shop, folder)
    with shop.resources.catalog.begin() as session:
        audits.get(session, 1).method = "of another release"
    assert [group for group in names(audit()) if "b.jpg" in group] == []


def test_a_word_of_copies_joins_what_the_check_did_not(shop, audit, folder):
    before = audit()
    first, images = group_of(before, "a.jpg")
    _, others = group_of(before, "b.jpg")
    ids = (images["a.jpg"], others["b.jpg"])
    with pytest.raises(InvalidInput, match="not in group"):
        decisions.decide(shop.resources, before["audit_id"], first, Word.COPIES, [others["b.jpg"]])
    digests = _digests(shop, ids)
    with shop.resources.catalog.begin() as session:
        session.add(Decision(first_digest=min(digests), second_digest=max(digests), word=Word.COPIES))
    decisions.regroup(shop.resources, before["audit_id"], ids)
    assert audit()["groups"] != before["groups"]


def test_what_was_said_is_taken_back(shop, audit, folder):
    before = audit()
    said = decide(shop, before, Word.DIFFERENT, "a-small.jpg")
    second = decisions.undo(shop.resources, said)
    assert names(answer(shop, before)) == names(before)
    decisions.undo(shop.resources, second)
    assert names(answer(shop, before)) != names(before)


def test_a_keeper_is_chosen_by_hand(shop, audit, folder):
    before = audit()
    group_id, images = group_of(before, "a.jpg")
    decisions.keep(shop.resources, before["audit_id"], group_id, images["a-small.jpg"])
    group = next(group for group in names(answer(shop, before)) if "a.jpg" in group)
    assert group[0] == "a-small.jpg"
    again = audit(rules=None)
    assert names(again) == names(answer(shop, before))
    assert "you chose it" in next(g for g in again["groups"] if len(g["members"]) == 3)["members"][0]["reason"]


def test_marks_stay_with_a_group_for_as_long_as_its_files_do(shop, audit, folder):
    before = audit()
    group_id, _ = group_of(before, "b.jpg")
    with shop.resources.catalog.begin() as session:
        group = groups.get(session, before["audit_id"], group_id)
        group.settled = True
        groups.members_of(session, [group_id])[group_id][1].marked = True
    decide(shop, before, Word.DIFFERENT, "a-small.jpg")
    kept = next(group for group in audit(rules=default())["groups"] if group["group_id"] == group_id)
    assert kept["settled"]
    assert [member["marked"] for member in kept["members"]] == [False, True]
    write(folder / "b-late.jpg", shrunk(picture(2), 0.6))
    fill(shop, folder)
    grown = next(group for group in audit()["groups"] if group["group_id"] == group_id)
    assert not grown["settled"]


def test_a_group_that_is_gone_is_said_so(shop, audit, folder):
    document = audit()
    with pytest.raises(NotFound, match="has no group 99"):
        decisions.decide(shop.resources, document["audit_id"], 99, Word.DIFFERENT)
    with pytest.raises(NotFound, match="no audit"):
        runs.facts(shop.resources, 99)


def _digests(shop, image_ids) -> list[str]:
    with shop.resources.catalog.read() as session:
        return [row.digest for row in images.all_of(session, image_ids)]
