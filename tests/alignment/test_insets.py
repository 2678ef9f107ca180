"""Pictures within pictures are found, so that their hashes are those of what was framed, shrunk or pasted."""

import numpy as np
import PIL.Image
import pytest

from app.alignment import View, content_share, hash_of, hashes_of
from app.alignment.hashes import BYTES
from app.alignment.insets import MOST, insets
from tests.alignment.edits import view
from tests.audits.album import picture

NEAR_BITS = 48  # what audits compare by


def pasted(ground: PIL.Image.Image, share: float, at: tuple[float, float]) -> PIL.Image.Image:
    made = ground.copy()
    small = picture(5, (800, 600)).resize((round(share * made.width), round(share * made.height)))
    made.paste(
        small, tuple(round((side - part) * place) for side, part, place in zip(made.size, small.size, at, strict=True))
    )
    return made


def nearest(made: PIL.Image.Image) -> int:
    """Bits between the picture alone and the nearest hash of what was made with it."""
    packed = np.frombuffer(hashes_of(view(made)), np.uint8).reshape(-1, BYTES)
    own = np.frombuffer(hash_of(view(picture(5, (800, 600))).rgb), np.uint8)
    return int(np.bitwise_count(packed ^ own).sum(axis=1).min())


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("at", [(0.5, 0.5), (0.1, 0.9), (0.0, 0.0)])
@pytest.mark.parametrize("colour", ["white", "black", "#4a7"])
def test_what_lies_on_a_plain_canvas_has_a_hash_of_its_own(share, at, colour):
    assert nearest(pasted(PIL.Image.new("RGB", (900, 700), colour), share, at)) <= NEAR_BITS


@pytest.mark.parametrize("share", [0.45, 0.7])
@pytest.mark.parametrize("at", [(0.3, 0.6), (0.7, 0.2)])
def test_what_is_pasted_on_a_shaded_ground_too(share, at):
    ground = PIL.Image.linear_gradient("L").resize((900, 700)).convert("RGB")
    assert nearest(pasted(ground, share, at)) <= NEAR_BITS


def test_a_plain_picture_has_its_own_hash_first_and_a_few_more_at_most():
    for number in range(6):
        seen = view(picture(number, (640, 480)))
        packed = hashes_of(seen)
        assert packed[:BYTES] == hash_of(seen.rgb)
        assert len(packed) == BYTES * (1 + len(insets(seen))) <= BYTES * (1 + MOST)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (33, 33)])
def test_small_and_flat_pictures_have_none(size):
    for rgb in (np.zeros((*size, 3), np.uint8), np.full((*size, 3), 200, np.uint8)):
        assert hashes_of(View(rgb)) == hash_of(rgb)


@pytest.mark.parametrize(("colour", "share"), [("black", 0.8), ("white", 0.5)])
def test_a_border_of_one_colour_is_no_content(colour, share):
    made = pasted(PIL.Image.new("RGB", (900, 700), colour), share, (0.5, 0.5))
    assert content_share(view(made)) == pytest.approx(share**2, abs=0.02)


def test_a_picture_without_a_border_is_all_content_and_so_is_a_plain_one():
    assert content_share(view(picture(5, (800, 600)))) == 1.0
    assert content_share(View(np.full((40, 60, 3), 9, np.uint8))) == 1.0
