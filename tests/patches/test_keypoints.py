"""Keypoints in twelve bytes come back nearly as they were, point at the right picture and place, and vote."""

from dataclasses import replace

import numpy as np
import pytest

from app.patches import DETAILS, DIM, MOST_BYTES, Candidates, Keypoints, Local, describe, verify
from app.patches.code import Code
from app.patches.local import marks_of
from app.patches.votes import vote
from app.patches.words import Words
from tests.patches.made import BARE, keypoints, marks, moved, picture, plain_basis, query_of

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("grid", [(24, 24), (8, 72), (1, 1)])
def test_they_come_back_nearly_as_they_were(grid):
    points = keypoints(300, 2, grid)
    back = Keypoints.from_bytes(points.to_bytes(grid), grid)
    assert len(points.to_bytes(grid)) == 12 * 300
    np.testing.assert_array_equal(back.features > 0, points.features > 0)
    np.testing.assert_allclose(np.linalg.norm(back.features, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(back.places, points.places, atol=max(grid) / 2048 + 1e-5)
    relative = back.turns / points.turns
    assert np.abs(np.angle(relative)).max() < 0.05
    assert np.abs(np.log2(np.abs(relative))).max() < 0.07


@pytest.mark.parametrize("detail", DETAILS[1:], ids=lambda detail: detail.word)
@pytest.mark.parametrize("grid", [(24, 24), (36, 36)])
def test_what_a_detail_keeps_of_a_picture_has_room_in_8_kb(detail, grid):
    tokens = RNG.normal(size=(*grid, 96)).astype(np.float16)
    kept = replace(describe(tokens, plain_basis(), detail.tokens), keypoints=keypoints(detail.keypoints, 3, grid))
    data = kept.to_bytes()
    assert 7900 < len(data) <= MOST_BYTES
    back = Local.from_bytes(data)
    assert (len(back.levels), len(back.keypoints)) == (detail.tokens, detail.keypoints)
    np.testing.assert_array_equal(np.unpackbits(marks_of(data).codes, axis=1) > 0, back.keypoints.features > 0)


@pytest.mark.parametrize(
    "turn", [1, 0.3, 0.6 * np.exp(1.2j), 0.25 * np.exp(-2.8j)], ids=["moved", "small", "turned", "both"]
)
def test_a_thing_of_keypoints_alone_is_found_small_and_turned(turn):
    """A quarter as large it covers six tokens a side."""
    thing, middle = keypoints(60, 5), 12 + 12j
    shift = middle - turn * middle
    others = [picture(keypoints(160, 100 + seed)) for seed in range(20)]
    told = verify(query_of(thing), Candidates.of([*others, picture(moved(thing, turn, shift, 6))]))
    assert told.scores.argmax() == 20
    assert told.supported.tolist() == [False] * 20 + [True]
    corners = turn * np.array([0, 24, 24 + 24j, 24j]) + shift
    np.testing.assert_allclose(told.corners[20], np.stack([corners.real, corners.imag], axis=-1) / 24, atol=0.02)


def test_votes_name_the_one_of_a_thousand_that_has_the_thing_and_need_no_places():
    thing = keypoints(60, 7)
    others = [marks(keypoints(100, 1000 + seed)) for seed in range(999)]
    there = marks_of(replace(BARE, keypoints=moved(thing, 0.3, 2 + 9j, 8)).to_bytes())
    votes = vote(query_of(thing), Words.of([*others, there]))
    assert votes.argmax() == 999
    assert votes[999] > 3 * np.sort(votes)[-2]


def test_pictures_that_came_later_have_the_same_votes():
    thing, codes = keypoints(60, 7), [marks(keypoints(100, 50 + n)) for n in range(9)]
    codes[7] = marks(moved(keypoints(60, 7), 0.3, 2 + 9j, 8))
    grown = Words.of(codes[:4]).plus([]).plus(codes[4:])
    assert grown.count == 9
    votes = vote(query_of(thing), grown)
    np.testing.assert_array_equal(votes, vote(query_of(thing), Words.of(codes)))
    assert votes.argmax() == 7


def test_votes_without_keypoints_on_either_side():
    none = marks(keypoints(0, 1))
    thing = keypoints(5, 9)
    own = marks(thing)
    assert vote(query_of(thing), Words.none()).shape == (0,)
    words = Words.of([none, own])
    assert vote(query_of(thing), words)[0] == 0 < vote(query_of(thing), words)[1]
    assert vote(query_of(keypoints(0, 9)), words).tolist() == [0, 0]


def test_one_picture_full_of_the_same_has_one_vote():
    thing = keypoints(40, 10)
    one = thing.only(np.arange(40) < 1)
    many = Keypoints(*(np.repeat(each, 300, axis=0) for each in (one.features, one.places, one.turns)))
    once, often = vote(query_of(thing), Words.of([marks(one), marks(many)]))
    assert once == pytest.approx(often)


def test_the_shipped_code_is_whole():
    code = Code.shipped()
    assert (code.mean.shape, code.directions.shape, code.background.shape) == ((128,), (128, DIM), (4000, DIM))
    balance = code.background.mean(axis=0)
    assert balance.min() > 0.3
    assert balance.max() < 0.7
    levels = code.levels(code.encode(np.abs(RNG.normal(size=(20, 128))).astype(np.float32)))
    assert (levels > 0).all()
    assert (levels < 1).all()


def shifted(points: Keypoints, every: int, by: float) -> Keypoints:
    """One in so many lies so many tokens farther right."""
    places = points.places.copy()
    places[::every, 0] = (places[::every, 0] + by) % 24
    return replace(points, places=places)


def test_of_a_part_what_matches_within_and_does_not_agree_speaks_against_it():
    thing = keypoints(60, 11)
    pictures = Candidates.of([picture(thing), picture(shifted(thing, 2, 9))])
    whole, part = verify(query_of(thing), pictures), verify(query_of(thing, part=True), pictures)
    shares = part.scores / whole.scores
    assert shares[0] > 0.9
    assert 0.3 < shares[1] < 0.7


def test_a_keypoint_must_lie_nearer_than_a_patch_has_room():
    thing = keypoints(60, 12)
    told = verify(query_of(thing), Candidates.of([picture(shifted(thing, 2, 0.9))]))
    assert 25 <= told.inliers.sum() <= 35


def test_what_many_pictures_have_votes_for_little():
    thing = keypoints(22, 13)
    rare = np.arange(22) < 10
    votes = vote(query_of(thing), Words.of([marks(thing.only(~rare))] * 30 + [marks(thing.only(rare))]))
    assert votes[30] > 2 * votes[:30].max()


def test_keypoints_that_say_one_turn_and_size_count_together():
    thing = keypoints(40, 14)
    there = moved(thing, 0.4j, 12 + 2j, 0)
    anyhow = replace(there, turns=keypoints(len(there), 15).turns)
    agree, differ = vote(query_of(thing), Words.of([marks(there), marks(anyhow)]))
    assert agree > 2 * differ > 0
