"""`dinoseek audit run|show|list` answer as `cli.md` says; what a person reads, and one line per refusal."""

from pathlib import Path

import pytest

from tests.audits.album import cropped, family, picture, write
from tests.program import Program
from tests.workshop import fill

MEMBER = {"image_id", "path", "role", "reason", "score", "relation"}
EDITS = {"resized", "recompressed", "recoloured", "cropped", "padded", "mirrored", "overlaid", "other"}
RELATIONS = EDITS | {"rotated_90", "rotated_180", "rotated_270"}
TIERS = {"identical", "same_pixels", "edited", "same_scene"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("album")
    family(made, 1)
    write(made / "alone.jpg", picture(2))
    return made


@pytest.fixture(scope="module")
def program(tmp_path_factory, photos, workshop_at):
    archive = tmp_path_factory.mktemp("archive")
    write(archive / "part of one.jpg", cropped(picture(1)))
    write(archive / "another.jpg", picture(3))
    with Program(tmp_path_factory.mktemp("cli") / "home") as opened:
        fill(shop := workshop_at(opened.home), photos)
        fill(shop, archive, collection="archive")
        yield opened


@pytest.fixture(scope="module")
def audited(program) -> dict:
    return program.json("audit", "run", "-c", "photos")


def test_run_answers_as_the_contract_says(audited, photos):
    names = {"audit_id", "collection", "against", "images", "pairs_checked", "groups", "reclaimable_bytes", "seconds"}
    assert names <= set(audited)
    assert (audited["collection"], audited["against"], audited["images"]) == ("photos", None, 6)
    assert audited["pairs_checked"] > 0
    [group] = audited["groups"]
    assert group["tier"] in TIERS
    keeper, *others = group["members"]
    assert (keeper["role"], keeper["path"]) == ("keeper", str(photos / "1" / "container.png"))  # it is without loss
    assert keeper["reason"]
    assert len(others) == 5
    for member in group["members"]:
        assert set(member) >= MEMBER
        assert Path(member["path"]).is_absolute()
        assert set(member["relation"]) <= RELATIONS
    assert {member["role"] for member in others} == {"duplicate"}
    assert group["weakest"] == min(member["score"] for member in others)
    assert audited["reclaimable_bytes"] == sum(Path(member["path"]).stat().st_size for member in others)


def test_show_says_the_same_and_of_one_tier_only_that(ask, audited):
    assert ask("audit", "show", audited["audit_id"])["groups"] == audited["groups"]
    assert ask("audit", "show", audited["audit_id"], "--tier", "same_scene")["groups"] == []


def test_a_person_reads_what_is_kept_and_why(here, audited):
    shown = here("audit", "show", audited["audit_id"])
    for words in (
        "kept: ",
        "mirrored",
        "resized",
        "cropped",
        "identical, ",
        "agrees to",
        "pairs checked",
        "reclaimable",
    ):
        assert words in shown.stdout
    listed = here("audit", "list")
    assert "photos" in listed.stdout
    assert "done" in listed.stdout


def test_list_names_every_audit(ask, audited):
    [row] = [row for row in ask("audit", "list") if row["id"] == audited["audit_id"]]
    assert (row["collection"], row["status"], row["images"]) == ("photos", "done", 6)


def test_against_another_collection_only_pairs_across(ask, photos):
    found = ask("audit", "run", "-c", "photos", "--against", "archive")
    assert found["against"] == "archive"
    paths = {member["path"] for group in found["groups"] for member in group["members"]}
    assert any(path.endswith("part of one.jpg") for path in paths)
    assert not any(path.endswith(("another.jpg", "alone.jpg")) for path in paths)


def test_the_rule_that_decides_can_be_chosen(ask, audited, photos):
    preferred = photos / "1" / "small.jpg"
    found = ask("audit", "run", "-c", "photos", "--prefer", preferred.parent, "--keep", "bytes")
    sizes = {member["path"]: Path(member["path"]).stat().st_size for member in found["groups"][0]["members"]}
    assert found["groups"][0]["members"][0]["path"] == max(sizes, key=sizes.get)
    again = ask("audit", "run", "-c", "photos", "--keep", "resolution,bytes,oldest")
    assert again["audit_id"] == found["audit_id"] == audited["audit_id"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "-c", "nothing"), "nothing"),
        (("run", "-c", "photos", "--against", "nowhere"), "nowhere"),
        (("run", "-c", "photos", "--keep", "beauty"), "beauty"),
        (("run", "-c", "photos", "--against", "photos"), "photos"),
        (("show", "99999"), "99999"),
    ],
)
def test_a_refusal_is_one_line(here, audited, arguments, words):
    done = here("audit", *arguments)
    assert done.returncode == 1, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert "Traceback" not in done.stderr
