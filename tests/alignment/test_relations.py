"""What one copy is to another is told by name, as `cli.md` has the names."""

import pytest

from app.alignment import Facts, compare, relations
from tests.alignment.edits import EDITS, SHOWN, view


def facts(made, format: str = "JPEG", size_bytes: int = 0) -> Facts:
    return Facts(made.height, made.width, format, size_bytes or made.width * made.height // 4)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_named(name):
    edit = EDITS[name]
    made = edit.made(SHOWN)
    named = relations(compare(view(SHOWN), view(made)), facts(SHOWN), facts(made))
    assert edit.names <= set(named)
    assert not edit.never & set(named)


@pytest.mark.parametrize(("name", "back"), [("a quarter turn", "rotated_270"), ("on a plain canvas", "cropped")])
def test_the_other_way_round_it_has_the_inverse_name(name, back):
    made = EDITS[name].made(SHOWN)
    assert back in relations(compare(view(made), view(SHOWN)), facts(made), facts(SHOWN))


def test_the_same_pixels_in_a_leaner_file_are_recompressed():
    same = compare(view(SHOWN), view(SHOWN))
    lean = facts(SHOWN, size_bytes=20_000)
    assert relations(same, facts(SHOWN), lean) == ("recompressed",)
    assert relations(same, facts(SHOWN), facts(SHOWN, "PNG")) == ("recompressed",)


def test_a_larger_file_of_one_picture_is_resized():
    """Both are seen at one size: their files tell."""
    large = Facts(2 * SHOWN.height, 2 * SHOWN.width, "JPEG", 500_000)
    assert "resized" in relations(compare(view(SHOWN), view(SHOWN)), facts(SHOWN), large)


def test_what_was_not_aligned_is_other():
    flat = view(SHOWN.crop((0, 0, 1, 1)).resize((60, 60)))
    assert relations(compare(view(SHOWN), flat), facts(SHOWN), facts(SHOWN)) == ("other",)
