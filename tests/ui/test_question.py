"""The question of an instance search: its examples, and its place in the address bar."""

from datetime import datetime

import pytest

from app.catalog.images import Filters
from app.errors import InvalidInput
from app.search.examples import Example
from app.ui.instances.question import Question, from_address, to_address

DIGEST = "ab" * 32
LAMP = Example(image_id=7, box=(0.1, 0.25, 0.9, 1.0))
ROOM = Example(digest=DIGEST)
OTHER = Example(image_id=9, wanted=False)


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question("Ferien & Meer", (LAMP,), k=20),
        Question("photos", (ROOM, LAMP, OTHER), hand=2, expand=True),
        Question("photos", (ROOM,), filters=Filters(formats=("JPEG",), taken_from=datetime(2020, 1, 2))),
    ],
)
def test_a_question_comes_back_from_its_address(question):
    assert from_address(to_address(question)) == question


def test_an_address_is_short_and_nothing_in_its_examples_is_escaped():
    assert to_address(Question()) == {}
    assert Question("photos").lead(7) == "/instances?collection=photos&like=i7"
    assert to_address(Question(None, (LAMP, OTHER), hand=1)) == {"like": "i7.1000.2500.9000.10000~-i9", "at": "1"}


@pytest.mark.parametrize(("name", "text"), [("like", "i7~lamp"), ("like", "../secret"), ("at", "1"), ("at", "-1")])
def test_what_can_not_be_read_is_named(name, text):
    with pytest.raises(InvalidInput, match=f"{name}='.*can't be read"):
        from_address({"like": "i7"} | {name: text})


def test_a_further_example_is_taken_in_hand_and_none_is_there_twice():
    question = Question("photos", (LAMP,)).adding(ROOM)
    assert (question.examples, question.in_hand) == ((LAMP, ROOM), ROOM)
    again = question.adding(Example(image_id=7, box=LAMP.box, wanted=False))
    assert again.examples == (ROOM, Example(image_id=7, box=LAMP.box, wanted=False))
    assert again.wanted == [ROOM]


def test_a_box_is_drawn_on_the_example_in_hand():
    question = Question("photos", (LAMP, ROOM), hand=1).boxed((0.0, 0.0, 0.5, 0.5))
    assert question.examples == (LAMP, Example(digest=DIGEST, box=(0.0, 0.0, 0.5, 0.5)))
    assert question.boxed(None).examples == (LAMP, ROOM)


def test_an_example_changes_its_sign_and_back():
    question = Question("photos", (LAMP, ROOM))
    assert question.swapped(0).wanted == [ROOM]
    assert question.swapped(0).swapped(0) == question


@pytest.mark.parametrize(
    ("hand", "out", "left"), [(0, 0, LAMP), (1, 0, LAMP), (2, 0, OTHER), (2, 2, LAMP), (1, 2, LAMP)]
)
def test_what_is_in_hand_stays_there_when_another_is_taken_out(hand, out, left):
    assert Question("photos", (ROOM, LAMP, OTHER), hand=hand).without(out).in_hand == left


def test_the_last_example_taken_out_leaves_nothing_asked():
    assert Question("photos", (LAMP,)).without(0) == Question("photos")


def test_another_collection_keeps_dropped_pictures_and_forgets_those_of_the_old_one():
    question = Question("a", (LAMP, ROOM, OTHER), hand=2, filters=Filters(min_px=9))
    assert question.within("b") == Question("b", (ROOM,))
