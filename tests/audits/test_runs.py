"""An audit from files to groups: what it says, what a second run examines, and how one that was stopped goes on."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from app import library
from app.audits import runs
from app.audits.finding import looking, verification
from app.audits.finding.lease import held
from app.audits.grouping.rules import default
from app.audits.showing import answers
from app.catalog import audits
from app.catalog.audit_models import Audit, Pair
from app.catalog.states import AuditStatus
from app.errors import AlreadyExists, InvalidInput
from app.ingest import scan
from app.ingest.embed import embed_pending
from app.search.refresh import Readers
from tests.audits.album import decoded, family, picture, shrunk, write
from tests.workshop import COLLECTION, fill


def by_path(document: dict) -> dict[str, dict]:
    return {member["path"]: member for group in document["groups"] for member in group["members"]}


def together(document: dict) -> set[frozenset[str]]:
    return {frozenset(member["path"] for member in group["members"]) for group in document["groups"]}


def count_pairs(resources) -> int:
    with resources.catalog.read() as session:
        return session.scalar(select(func.count()).select_from(Pair).where(Pair.tier.is_not(None)))


def test_copies_are_grouped_named_and_only_identical_bytes_are_marked(shop_on_both, tmp_path):
    shop = shop_on_both
    families = [family(tmp_path / "photos", number) for number in (1, 2)]
    write(tmp_path / "photos" / "alone.jpg", picture(3))
    fill(shop, tmp_path / "photos")
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    assert runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
    document = answers.document(shop.resources, audit_id)

    assert together(document) == {frozenset(map(str, paths.values())) for paths in families}
    found = by_path(document)
    for paths in families:
        assert found[str(paths["identical"])]["tier"] == "identical"
        tiers = {name: found[str(path)]["tier"] for name, path in paths.items()}
        assert {tiers["keeper"], tiers["identical"], tiers["same_pixels"]} <= {None, "identical", "same_pixels"}
        for name in ("resized", "cropped", "mirrored"):
            assert tiers[name] == "edited"
            assert name in found[str(paths[name])]["relation"]
    assert [member["marked"] for member in found.values()].count(True) == 2
    assert all(member["tier"] in ("identical", None) for member in found.values() if member["marked"])
    for group in document["groups"]:
        assert group["members"][0]["role"] == "keeper"
        assert group["weakest"] == min(member["score"] for member in group["members"][1:])
    assert document["status"] == AuditStatus.DONE
    assert document["images"] == 11


def test_a_second_run_examines_only_what_is_new(shop, audit, tmp_path):
    paths = family(tmp_path / "photos", 1)
    for number in (2, 3):
        write(tmp_path / "photos" / f"{number}.jpg", picture(number))
    fill(shop, tmp_path / "photos")
    first = audit()
    checked = count_pairs(shop.resources)
    assert audit() | {"seconds": 0} == first | {"seconds": 0}
    assert count_pairs(shop.resources) == checked

    late = write(tmp_path / "photos" / "late.jpg", shrunk(picture(2), 0.6))
    fill(shop, tmp_path / "photos")
    second = audit()
    assert together(second) == together(first) | {frozenset({str(late), str(tmp_path / "photos" / "2.jpg")})}
    assert {group["group_id"] for group in first["groups"]} < {group["group_id"] for group in second["groups"]}
    with shop.resources.catalog.read() as session:
        rows = session.scalars(select(Pair).order_by(Pair.second_id.desc()))
        news = rows.all()[: count_pairs(shop.resources) - checked]
    assert len({row.second_id for row in news}) == 1
    assert set(map(str, paths.values())) in map(set, together(second))


def test_groups_do_not_depend_on_the_order_of_files(shop, tmp_path):
    paths = [*family(tmp_path / "photos", 1).values(), write(tmp_path / "photos" / "alone.jpg", picture(2))]
    seen = []
    for name, order in (("there", paths), ("back", paths[::-1])):
        library.create_collection(shop.resources, name, encoders=shop.encoders)
        for path in order:
            scan.ingest(shop.resources, [path], name)
        _embed(shop, name)
        audit_id = runs.open_audit(shop.resources, name)
        runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
        document = answers.document(shop.resources, audit_id)
        seen.append(sorted([(m["path"], m["role"], m["relation"]) for m in g["members"]] for g in document["groups"]))
    assert seen[0] == seen[1]


def test_a_run_that_is_stopped_goes_on_where_it_was(shop, audit, tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "CHUNK", 4)
    monkeypatch.setattr(verification, "BATCH", 4)
    family(tmp_path / "photos", 1)
    fill(shop, tmp_path / "photos")
    whole = audit()
    stops = Counter()
    _forget(shop.resources)
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    runs.ask_for(shop.resources, audit_id)
    while not _run_until_it_is_asked_twice(shop, audit_id):
        stops["stopped"] += 1
        assert runs.facts(shop.resources, audit_id).status is AuditStatus.WAITING
        assert audit_id in runs.waiting(shop.resources)
        assert stops["stopped"] < 50
    assert stops["stopped"] > 1
    assert together(answers.document(shop.resources, audit_id)) == together(whole)


def test_what_cannot_be_looked_at_is_noted_and_looked_at_later(shop, audit, tmp_path):
    first = write(tmp_path / "photos" / "a.jpg", picture(1))
    second = write(tmp_path / "photos" / "b.jpg", shrunk(picture(1)))
    fill(shop, tmp_path / "photos")
    away = second.rename(tmp_path / "b.jpg")
    assert audit()["groups"] == []
    away.rename(second)
    assert together(audit()) == {frozenset({str(first), str(second)})}


def test_one_process_at_a_time_and_a_late_one_writes_nothing(shop, tmp_path):
    write(tmp_path / "photos" / "a.jpg", picture(1))
    fill(shop, tmp_path / "photos")
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    with held(shop.resources, audit_id, lambda: False) as hold:
        with pytest.raises(AlreadyExists, match="another process"):
            runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
        with shop.resources.catalog.begin() as session:
            audits.end_leases(session, {audit_id: hold.tenure.owner})
        assert runs.waiting(shop.resources) == [audit_id]
        assert runs.run(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
        with shop.resources.catalog.begin() as session:
            assert not audits.write(session, hold.tenure, done=7)


def test_another_collection_is_compared_and_never_touched(shop, audit, tmp_path):
    ours = [write(tmp_path / "photos" / f"{number}.jpg", picture(number)) for number in (1, 2, 3)]
    theirs = tmp_path / "archive"
    same = write(theirs / "same.jpg", picture(1))
    small = write(theirs / "small.png", shrunk(decoded(ours[1])))
    fill(shop, tmp_path / "photos")
    library.create_collection(shop.resources, "archive", encoders=shop.encoders)
    scan.ingest(shop.resources, [theirs], "archive")
    _embed(shop, "archive")

    document = audit("archive")
    assert document["contained"] == {"yes": 2, "no": 1}
    assert together(document) == {frozenset({str(ours[0]), str(same)}), frozenset({str(ours[1]), str(small)})}
    keepers = {member["path"] for group in document["groups"] for member in group["members"][:1]}
    assert keepers == {str(same), str(small)}
    assert by_path(document)[str(ours[0])]["tier"] == "identical"
    assert not any(member["marked"] for member in by_path(document).values() if member["role"] == "keeper")

    late = write(theirs / "late.jpg", shrunk(picture(3), 0.6))
    scan.ingest(shop.resources, [theirs], "archive")
    _embed(shop, "archive")
    assert frozenset({str(ours[2]), str(late)}) in together(audit("archive"))


def test_what_cannot_be_compared_is_refused(shop):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    library.create_collection(shop.resources, "other", "untrained_vits14", encoders=shop.encoders)
    with pytest.raises(InvalidInput, match="against itself"):
        runs.open_audit(shop.resources, COLLECTION, COLLECTION)
    with pytest.raises(InvalidInput, match="different models"):
        runs.open_audit(shop.resources, COLLECTION, "other")


def test_other_rules_choose_other_keepers(shop, audit, tmp_path):
    large = write(tmp_path / "photos" / "large.jpg", picture(1))
    small = write(tmp_path / "photos" / "kept" / "small.jpg", shrunk(picture(1)))
    fill(shop, tmp_path / "photos")
    assert audit()["groups"][0]["members"][0]["path"] == str(large)
    rules = default().changed(folders=[str(small.parent)])
    group = audit(rules=rules)["groups"][0]
    assert group["members"][0]["path"] == str(small)
    assert "folder you prefer" in group["members"][0]["reason"]
    assert "longer side" in group["members"][1]["loses"]


def _embed(shop, name: str) -> None:
    embed_pending(shop, library.collection(shop.resources, name).id, budget_s=60, should_stop=lambda: False)


def _forget(resources) -> None:
    with resources.catalog.begin() as session:
        session.query(Pair).delete()
        session.query(Audit).update({"seq": 0, "mark": None})


def _run_until_it_is_asked_twice(shop, audit_id: int) -> bool:
    asked = iter([False, True])
    return runs.run(shop.resources, audit_id, shop.decoder, Readers(shop.resources), lambda: next(asked, True))


def test_a_copy_that_was_edited_since_is_marked_no_more(shop, audit, tmp_path):
    """The same file at the same place in the same group: but nobody looked at what it is now."""
    kept, copy = tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "copies" / "a.jpg"
    write(kept, picture(1))
    write(copy, picture(1))
    fill(shop, tmp_path / "photos")
    assert by_path(audit())[str(copy)]["marked"]
    write(copy, shrunk(picture(1)))
    fill(shop, tmp_path / "photos")
    now = by_path(audit())[str(copy)]
    assert (now["tier"], now["marked"]) == ("edited", False)


def test_a_folder_of_two_collections_holds_no_copies_of_itself(shop, audit, tmp_path):
    write(tmp_path / "photos" / "a.jpg", picture(1))
    write(tmp_path / "photos" / "copies" / "a.jpg", picture(1))
    write(tmp_path / "photos" / "b.jpg", picture(2))
    fill(shop, tmp_path / "photos")
    library.create_collection(shop.resources, "again", encoders=shop.encoders)
    scan.ingest(shop.resources, [tmp_path / "photos"], "again")
    embed_pending(shop, library.collection(shop.resources, "again").id, budget_s=120, should_stop=lambda: False)
    document = audit(against="again")
    marked = [path for path, member in by_path(document).items() if member["marked"]]
    assert len(marked) == 1
    assert marked[0] not in {group["members"][0]["path"] for group in document["groups"]}
    assert document["reclaimable_bytes"] == (tmp_path / "photos" / "a.jpg").stat().st_size
