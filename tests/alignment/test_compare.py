"""Copies are told from pictures that look like them, and where one lies in the other is found."""

import cv2
import numpy as np
import PIL.Image
import pytest

from app.alignment import DEFAULT_THRESHOLD, View, compare
from tests.alignment.edits import EDITS, SHOWN, captioned, cut, view
from tests.audits.album import picture

NEAR = 0.012  # of a side
SHOWS = np.array([(0.4, 0.35), (0.75, 0.4), (0.6, 0.8), (0.5, 0.6)])  # points that every edit keeps


def moved(warp: tuple[float, ...], points: np.ndarray) -> np.ndarray:
    map = np.array(warp).reshape(2, 3)
    return points @ map[:, :2].T + map[:, 2]


@pytest.mark.parametrize("name", EDITS)
def test_a_copy_is_told_with_where_each_point_went(name):
    edit = EDITS[name]
    found = compare(view(SHOWN), view(edit.made(SHOWN)))
    assert found.score >= DEFAULT_THRESHOLD
    assert moved(found.warp, SHOWS) == pytest.approx(np.array([edit.moved(*point) for point in SHOWS]), abs=NEAR)


@pytest.mark.parametrize("name", ["a third of it", "mirrored", "on a plain canvas", "captions"])
def test_the_other_way_round_all_is_the_same_and_the_map_its_inverse(name):
    first, second = view(SHOWN), view(EDITS[name].made(SHOWN))
    there, back = compare(first, second), compare(second, first)
    assert (back.score, back.area, back.scene) == (there.score, there.area, there.scene)
    assert moved(back.warp, moved(there.warp, SHOWS)) == pytest.approx(SHOWS, abs=0.002)


def test_the_matched_area_is_the_share_of_the_smaller_picture():
    whole, part = view(SHOWN), view(cut((0.0, 0.0, 0.5, 1.0)).made(SHOWN))
    right = view(cut((0.25, 0.0, 0.75, 1.0)).made(SHOWN))
    assert compare(whole, part).area == pytest.approx(1.0, abs=0.02)
    assert compare(part, right).area == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("number", range(4, 16))
def test_other_pictures_are_no_copies(number):
    assert compare(view(SHOWN), view(picture(number, (800, 600)))).score < 0.7


def another_shot(number: int, by: float) -> PIL.Image.Image:
    """Of a hilly ground: what is near moves by up to a share of the width, what is far by less."""
    one = np.asarray(picture(number, (800, 600)))
    depth = np.random.default_rng(number).uniform(-by, by, (4, 5)).astype(np.float32) * one.shape[1]
    moves = cv2.resize(depth, one.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    down, across = np.indices(moves.shape, np.float32)
    return PIL.Image.fromarray(cv2.remap(one, across + moves, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


@pytest.mark.parametrize("number", range(3, 9))
def test_another_shot_of_a_scene_is_no_copy(number):
    first, second = view(picture(number, (800, 600))), view(another_shot(number, 0.02))
    assert compare(first, second).score < DEFAULT_THRESHOLD


@pytest.mark.parametrize("number", range(3, 9))
def test_another_thing_in_the_same_box_is_no_copy(number):
    """Two flavours of one brand: a good part is the very same, the middle says something else."""
    made = picture(number, (800, 600))
    made.paste(picture(number + 50, (480, 400)), (160, 100))
    assert compare(view(picture(number, (800, 600))), view(made)).score < DEFAULT_THRESHOLD


@pytest.mark.parametrize("number", range(3, 11))
def test_words_above_and_below_do_not_move_the_map_away(number):
    """What lies upon a copy draws a plain refinement towards itself."""
    made = picture(number, (800, 600))
    first, second = view(made), view(captioned(made, 0.03, 0.85))
    found = compare(first, second)
    assert found.score >= DEFAULT_THRESHOLD
    assert moved(found.warp, SHOWS) == pytest.approx(SHOWS, abs=NEAR)


def test_two_captions_on_one_picture_are_copies_of_it_and_of_each_other():
    other = PIL.Image.Image.transpose(captioned(PIL.Image.Image.transpose(SHOWN, 1)), 1)  # below the other edge
    assert compare(view(captioned(SHOWN)), view(other)).score >= DEFAULT_THRESHOLD


FLAT, EMPTY = np.full((90, 120, 3), 128, np.uint8), np.zeros((300, 448, 3), np.uint8)
ODD = [
    FLAT,
    EMPTY,
    FLAT[:1, :1],
    FLAT[:1],
    FLAT[:, :2],
    np.asarray(view(SHOWN).rgb)[:3],
    np.asarray(view(SHOWN).rgb)[:, :5],
]


@pytest.mark.parametrize("first", range(len(ODD)))
def test_flat_and_narrow_pictures_are_compared_without_a_fall(first):
    for second in (*ODD, view(SHOWN).rgb):
        found = compare(View(ODD[first]), View(second))
        same = ODD[first].shape == second.shape and np.array_equal(ODD[first], second)
        assert found.score == 1.0 if same else 0 <= found.score < DEFAULT_THRESHOLD
