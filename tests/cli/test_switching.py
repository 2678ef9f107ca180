"""`dinoseek collections switch` as a script and a person meet it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import library
from tests.conftest import paint
from tests.program import Program
from tests.workshop import COLLECTION, fill

OLD, NEW = "untrained_vits14", "dinoseek_tiny14"
SWITCH = ("collections", "switch", "photos")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        paint(made / f"{number}.jpg", number)
    return made


@pytest.fixture(scope="module")
def ingested(tmp_path_factory, folder, workshop_at) -> Path:
    """A home with four searchable pictures. Embedded once; each test has a copy."""
    shop = workshop_at(tmp_path_factory.mktemp("ingested") / "home")
    library.create_collection(shop.resources, COLLECTION, OLD, encoders=shop.encoders)
    fill(shop, folder)
    shop.resources.catalog.dispose()
    return shop.resources.settings.home


@pytest.fixture
def program(tmp_path, ingested) -> Iterator[Program]:
    shutil.copytree(ingested, tmp_path / "home")
    with Program(tmp_path / "home", model=OLD) as opened:
        yield opened


def refusal(done) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.strip().splitlines()[-1]


def test_instances_are_turned_on_and_off(program, here, ask):
    done = program.json(*SWITCH, "--model", NEW, "--instances", "light", "--preprocessing", "squash168-v1")
    assert (done["state"], done["instances"], done["preprocessing"]) == ("done", "light", "squash168-v1")
    assert [row["instances"] for row in ask("collections", "list")] == ["light"]
    assert ask("index", "build", "-c", "photos")["regions"]["snapshot"]["vectors"] == 4 * 8
    assert "8 each, fresh" in here("index", "status", "-c", "photos").stdout
    made = ask("collections", "create", "more", "--instances", "full")
    assert (made["instances"], made["preprocessing"]) == ("full", "grid336-v1")


def test_a_switch_is_waited_for_and_the_new_model_answers(program, ask, folder):
    done = program.json(*SWITCH, "--model", NEW)
    assert {name: done[name] for name in ("collection", "state", "model", "images", "ready", "failed", "change")} == {
        "collection": "photos",
        "state": "done",
        "model": NEW,
        "images": 4,
        "ready": 4,
        "failed": 0,
        "change": None,
    }
    assert ask("search", folder / "1.jpg", "-c", "photos")["model"] == NEW


def test_a_change_under_way_is_listed_and_cancelled(ask, here):
    begun = ask(*SWITCH, "--model", NEW, "--no-wait")
    assert (begun["state"], begun["model"], begun["change"]["waiting"]) == ("changing", OLD, 4)
    (listed,) = ask("collections", "list")
    assert listed["change"]["label"] == f"{NEW}, squash168-v1"
    assert f"{OLD}, changing to {NEW}, squash168-v1: 0 of 4" in here("collections", "list").stdout
    assert "wait for that, or stop it with --cancel" in refusal(here(*SWITCH, "--precision", "int8"))
    assert ask(*SWITCH, "--cancel")["state"] == "cancelled"
    assert "nothing to cancel" in refusal(here(*SWITCH, "--cancel"))


def test_vectors_are_added_and_switched_to_another_time(ask):
    added = ask(*SWITCH, "--model", NEW, "--add-only")
    assert (added["state"], added["model"], added["change"]) == ("added", OLD, None)
    switched = ask(*SWITCH, "--model", NEW, "--no-wait")  # nobody has to work for it
    assert (switched["state"], switched["model"]) == ("done", NEW)


def test_what_can_not_begin_is_one_line_at_once(ask, here):
    assert "run `dinoseek models pull dinov2_vitl14`" in refusal(here(*SWITCH, "--model", "dinov2_vitl14"))
    assert "say to which with --model" in refusal(here(*SWITCH))
    assert "--cancel goes alone" in refusal(here(*SWITCH, "--cancel", "--model", NEW))
    assert "no collection is called 'nope'" in refusal(here("collections", "switch", "nope", "--model", NEW))
    assert ask(*SWITCH, "--model", OLD)["state"] == "done"


@pytest.mark.soak
def test_a_picture_that_vanished_stops_the_wait_with_the_way_out(program, folder, tmp_path):
    (folder / "0.jpg").rename(tmp_path / "away.jpg")
    told = refusal(program.run(*SWITCH, "--model", NEW))
    assert f"1 picture can't be embedded with {NEW}, squash168-v1 (first {folder / '0.jpg'}: " in told
    assert told.endswith("put them back and run this again, or add --leave-behind")
    left = program.json(*SWITCH, "--leave-behind")
    assert (left["model"], left["ready"], left["failed"]) == (NEW, 3, 1)
    (tmp_path / "away.jpg").rename(folder / "0.jpg")
    assert program.json("ingest", folder, "-c", "photos")["failed"] == 0
    assert program.json("collections", "list")[0]["ready"] == 4
