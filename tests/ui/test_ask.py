"""The question in the address bar: there and back, and what can't be read."""

from datetime import datetime

import pytest

from app.catalog.images import Filters
from app.errors import InvalidInput
from app.ui.ask import Ask, from_address, to_address

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    "ask",
    [
        Ask(),
        Ask("photos", digest=DIGEST),
        Ask("Ferien & Meer", image_id=7, box=(0.1, 0.25, 0.9, 1.0), k=20),
        Ask("photos", digest=DIGEST, filters=Filters(formats=("JPEG", "PNG"), folder="/a b/ü", min_px=800)),
        Ask("photos", filters=Filters(taken_from=datetime(2020, 1, 2), min_bytes=2**20, max_bytes=5 * 2**19)),
    ],
)
def test_a_question_comes_back_from_its_address(ask):
    assert from_address(to_address(ask)) == ask


def test_an_empty_question_leaves_the_address_empty():
    assert to_address(Ask()) == {}


def test_a_last_day_is_meant_to_its_end():
    assert from_address({"to": "2020-05-01"}).filters.taken_to == datetime(2020, 5, 1, 23, 59, 59, 999999)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q", "abc"),
        ("q", "../secret"),
        ("image", "one"),
        ("box", "0,0,1"),
        ("k", "1e3"),
        ("from", "spring"),
        ("min_mb", "x"),
    ],
)
def test_what_can_not_be_read_is_named(name, text):
    with pytest.raises(InvalidInput, match=f"{name}='.*can't be read"):
        from_address({name: text})


def test_another_collection_keeps_a_dropped_picture_and_forgets_one_of_the_old_collection():
    assert Ask("a", digest=DIGEST, box=(0, 0, 1, 1)).within("b") == Ask("b", digest=DIGEST, box=(0, 0, 1, 1))
    assert Ask("a", image_id=3, box=(0, 0, 1, 1)).within("b") == Ask("b")
