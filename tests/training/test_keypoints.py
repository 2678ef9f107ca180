"""Keypoints of two sights are said to be the same where a known map takes one to the other, and signs are learned."""

import numpy as np
import PIL.Image

from app.detection import WIDTH, Detected
from app.patches import DIM
from app.samples.paint import painted
from app.samples.plan import Shot, plan
from training.keypoints import MOST, Pairs, learn, look, met, save


def test_those_that_lie_upon_each_other_met_unless_turned_or_sized_otherwise():
    affine, centre = 0.5 * np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([100.0, 80.0])  # a quarter turn, half as large
    places = np.array([[120, 80], [100, 60], [60, 90]], np.float32)
    there = (places - centre) @ affine.T + centre
    turns = np.array([4, 4j, 6], np.complex64)
    seen = turns * 0.5j * np.array([1, 1j, 1])  # the second points elsewhere
    one, other = (Detected(at, turn, np.zeros((3, WIDTH))) for at, turn in ((places, turns), (there, seen)))
    mine, theirs = met(one, other, centre, affine)
    assert list(zip(mine.tolist(), theirs.tolist(), strict=True)) == [(0, 0), (2, 2)]


def test_sights_of_a_painted_picture_meet_often(tmp_path):
    shot = next(entry for entry in plan(8, 3) if isinstance(entry, Shot))
    painted(shot).picture().convert("RGB").save(tmp_path / "a.png")
    for pairs in look([tmp_path / "a.png"] * 3, np.random.default_rng(2)):
        assert 10 < len(pairs.ones) == len(pairs.others) < MOST
        told = np.einsum("pw,pw->p", pairs.ones, pairs.others)
        assert np.median(told) > 0.8


def test_directions_that_differ_within_pairs_are_not_among_the_signs(tmp_path):
    """Of 128 numbers half are the place's own, and the other half, three times as strong, the light's."""
    rng = np.random.default_rng(5)
    own = rng.normal(size=(3000, WIDTH // 2))
    sides = [np.hstack([own, 3 * rng.normal(size=own.shape)]).astype(np.float32) for _ in range(2)]
    code = learn(Pairs(*sides, sides[0]), rng)
    assert np.linalg.norm(code.directions[WIDTH // 2 :]) < 0.2 * np.linalg.norm(code.directions)
    one, other = (code.encode(side) > 0 for side in sides)
    assert (one == other).mean() > 0.95
    assert 0.45 < (one == other[::-1]).mean() < 0.55
    save(tmp_path / "code.npz", code)
    with np.load(tmp_path / "code.npz", allow_pickle=False) as kept:
        assert kept["directions"].shape == (WIDTH, DIM)
        np.testing.assert_array_equal(np.unpackbits(kept["background"], axis=1) > 0, code.background)


def test_a_photo_that_is_all_one_colour_has_no_pairs(tmp_path):
    PIL.Image.new("RGB", (200, 160), "teal").save(tmp_path / "a.png")
    (pairs,) = look([tmp_path / "a.png"], np.random.default_rng(1))
    assert len(pairs.ones) == len(pairs.all) == 0
