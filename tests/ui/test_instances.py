"""The page of instances as Streamlit runs it: what it offers, says and sends to the grid."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import library, switching
from app.api import face
from app.catalog.images import Filters
from app.resources import open_resources
from app.search.examples import Example
from app.ui import failures
from app.ui.instances import hits
from app.ui.instances.question import Question, from_address, to_address
from tests.conftest import make_settings
from tests.program import PATIENCE_S
from tests.ui.hunted import easiest, hunted
from tests.workshop import COLLECTION, fill, workshop

MAIN = Path(failures.__file__).parent / "main.py"
INSTANCES = "views/instances.py"
PICTURES = 8
PLAIN, PLAIN_PICTURES = "plain", 2  # without detail


@pytest.fixture(scope="module")
def hunting(tmp_path_factory, encoders):
    root = tmp_path_factory.mktemp("hunted")
    truth = hunted(root, encoders, pictures=PICTURES)
    resources = open_resources(make_settings(root / "home"))
    with workshop(resources, encoders) as shop:
        fill(shop, *(root / "hunt" / path for path in truth.pictures[:PLAIN_PICTURES]), collection=PLAIN)
    resources.catalog.dispose()
    return root, truth


@pytest.fixture
def hunted_home(hunting, tmp_path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(hunting[0] / "home", tmp_path / "home")


@pytest.fixture
def resources(request, tmp_path):
    if {"asked", "hunted_home"} & {*request.fixturenames}:
        request.getfixturevalue("hunted_home")
    opened = open_resources(make_settings(tmp_path / "home"))
    yield opened
    opened.catalog.dispose()


@pytest.fixture
def page(resources):
    face.install(resources)
    yield AppTest.from_file(str(MAIN), default_timeout=PATIENCE_S)
    face.close()


@pytest.fixture
def asked(page, hunting) -> Question:
    """For the easiest thing of the hunt, as a person draws it on another picture."""
    root, truth = hunting
    wanted = easiest(truth)
    digest = face.current().desk.prepare_query((root / "hunt" / wanted.picture).read_bytes()).digest
    return Question(COLLECTION, (Example(digest=digest, box=wanted.box),))


def ask(page: AppTest, question: Question) -> AppTest:
    page.query_params.clear()
    for name, value in to_address(question).items():
        page.query_params[name] = value
    return page.switch_page(INSTANCES).run()


def sent(page: AppTest, key: str) -> dict:
    """What a part of ours was given to draw."""
    element = next(part for part in page.get("bidi_component") if part.key == key)
    return json.loads(element.proto.json)


def tiles(page: AppTest) -> list[dict]:
    return sent(page, "sightings")["tiles"]


def test_without_a_collection_the_first_step_is_to_make_one(page):
    page.switch_page(INSTANCES).run()
    assert not page.exception
    assert "Find the same thing" in page.markdown[0].value
    assert page.button[0].label == "Make a collection"


def test_a_collection_without_detail_says_what_it_costs_and_turns_it_on(page, resources, encoders):
    library.create_collection(resources, COLLECTION, encoders=encoders)
    page.switch_page(INSTANCES).run()
    assert any("looked at once more" in text.value for text in page.markdown)
    assert any("8 windows and 580 places of each picture: up to 10 kB" in text.value for text in page.caption)
    page.button(key="turn on light").click().run()
    assert not page.exception
    assert library.collection(resources, COLLECTION).instances == "light"
    assert any("This collection is empty" in said.value for said in page.info)


def test_a_change_to_detail_is_followed_and_can_be_stopped(page, resources, encoders, hunted_home):
    switching.begin(resources, PLAIN, encoders, detail="light")
    ask(page, Question(PLAIN))
    (bar,) = page.get("progress")
    assert bar.proto.text.endswith(f"instances light: 0 of {PLAIN_PICTURES}")
    next(button for button in page.button if button.label == "Stop this").click().run()
    assert not page.exception
    assert library.collection(resources, PLAIN).change is None
    assert [button.label for button in page.button] == ["Turn on light", "Turn on full"]


def test_pictures_are_offered_to_start_from_and_lead_to_this_page(page, hunted_home):
    ask(page, Question(COLLECTION))
    starters = sent(page, "starters")
    assert (len(starters["tiles"]), starters["click"]) == (PICTURES, "like")
    assert starters["tiles"][0]["href"].startswith("/instances?collection=photos&like=i")


def test_the_picture_with_the_thing_comes_first_with_its_outline_and_what_speaks_for_it(page, asked, hunting):
    first = tiles(ask(page, asked))[0]
    assert first["name"] == Path(easiest(hunting[1]).find.picture).name
    assert re.fullmatch(r"\d+ of \d+ places agree", first["word"])
    assert (len(first["outline"]), first["faint"], first["part"]) == (4, False, True)
    assert (0 < first["share"] <= 1, first["whose"]) == (True, 0)
    (evidence,) = first["evidence"]
    assert evidence.startswith(f"/api/evidence/photos/{to_address(asked)['like']}/{first['id']}?until=")


def test_what_only_looks_alike_stands_apart_without_an_outline(page, asked):
    found = face.current().instances.find(COLLECTION, asked.examples)
    doubtful = {"supported": False, "box": None, "outline": None}
    mixed = [replace(hit, **doubtful if hit.rank in (1, 4) else {"supported": True}) for hit in found.hits]
    drawn = hits.Grid(face.current(), asked, replace(found, hits=mixed)).tiles()
    assert [tile["id"] for tile in drawn[-2:]] == [mixed[0].image_id, mixed[3].image_id]
    assert [tile["faint"] for tile in drawn] == [False] * (len(mixed) - 2) + [True, True]
    assert [tile.get("apart") for tile in drawn[-3:]] == [None, hits.APART, None]
    assert {(tile["word"], tile["outline"], tile["part"]) for tile in drawn[-2:]} == {(hits.ALIKE_ONLY, None, False)}


def test_a_sliver_at_the_edge_of_a_picture_is_no_region(asked, page):
    hit = face.current().instances.find(COLLECTION, asked.examples).hits[0]
    assert hits.region(hit) == hit.box
    assert hits.region(replace(hit, box=(0.99, 0.2, 1.0, 0.8))) is None
    assert hits.region(replace(hit, supported=False)) is None


def test_examples_are_shown_with_their_signs_and_one_in_hand(page, asked):
    question = asked.adding(Example(image_id=1, wanted=False))
    ask(page, question)
    strip = sent(page, "examples")
    assert [example["wanted"] for example in strip["examples"]] == [True, False]
    assert (strip["hand"], strip["full"]) == (1, False)
    assert sent(page, "picker")["picture"]["name"] == strip["examples"][1]["name"] != ""
    assert len(sent(page, "sightings")["query"]) == 1
    ask(page, replace(question, hand=0))
    assert sent(page, "picker")["box"] == list(from_address(page.query_params).examples[0].box)


def test_examples_of_what_is_not_meant_alone_ask_nothing(page, hunted_home):
    ask(page, Question(COLLECTION, (Example(image_id=1, wanted=False),)))
    assert "All examples say what is not meant" in page.info[-1].value
    assert not page.exception


def test_where_nothing_is_kept_yet_a_dropped_picture_finds_nothing_and_says_what_to_do(
    page, resources, asked, encoders
):
    library.create_collection(resources, "empty", detail="light", encoders=encoders)
    ask(page, replace(asked, collection="empty"))
    assert "add some in the Library" in page.info[-1].value
    assert not page.exception


def test_filters_narrow_and_the_best_hits_can_be_asked_too(page, asked):
    ask(page, replace(asked, filters=Filters(min_px=5000)))
    assert "Nothing fits these filters" in page.info[-1].value
    ask(page, asked)
    page.toggle(key="expand").set_value(True).run()
    assert from_address({name: page.query_params[name] for name in page.query_params}) == replace(asked, expand=True)
    assert not page.exception


@pytest.mark.parametrize(
    ("like", "sentence"),
    [
        ("lamp", "like='lamp'"),
        ("i9999", "9999"),
        ("q" + "0" * 64, "drop it again"),
        ("i1.5000.0.2000.9", "box"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(page, hunted_home, like, sentence):
    page.query_params["like"] = like
    page.switch_page(INSTANCES).run()
    assert not page.exception
    assert [sentence in error.value and "\n" not in error.value for error in page.error] == [True]
