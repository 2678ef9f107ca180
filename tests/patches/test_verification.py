"""Known maps are found again, with the box they give; what shows nothing of the thing is not supported."""

import numpy as np
import pytest

from app.patches import Candidates, verify
from tests.patches.made import query, scene, seen_through

GRID = (24, 24)


def turned(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    """Of a thing of 12 x 12 tokens, its middle to come to lie at (x, y)."""
    radians = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return np.column_stack([turn, np.array([x, y]) - turn @ (6, 6)])


MAPS = {
    "moved": turned(0, 1, 16, 9),
    "small": turned(0, 0.5, 7, 15),
    "large": turned(0, 1.7, 12, 12),
    "turned": turned(30, 1, 12, 12),
    "turned and small": turned(-40, 0.7, 15, 10),
    "squeezed": np.array([[0.7, 0.1, 6.0], [0.0, 1.1, 4.0]]),
    "cut off": turned(0, 1, 3, 12),
}


@pytest.mark.parametrize("affine", MAPS.values(), ids=MAPS)
def test_a_thing_is_found_where_it_was_put(affine):
    thing = scene(12, 12, 1)
    told = verify(query(thing), Candidates.of([seen_through(thing, affine, GRID, 2)]))
    corners = affine @ np.array([[0, 12, 12, 0], [0, 0, 12, 12], [1, 1, 1, 1]]) / 24
    np.testing.assert_allclose(told.corners[0], corners.T, atol=1.5 / 24)
    assert told.supported[0]
    assert told.inliers[0].sum() >= 8
    box = np.concatenate([corners.min(axis=1), corners.max(axis=1)]).clip(0, 1)
    np.testing.assert_allclose(told.boxes[0], box, atol=1.5 / 24)


def test_the_one_that_shows_it_is_told_from_a_hundred_that_do_not():
    thing = scene(12, 12, 1)
    others = [seen_through(scene(12, 12, 500 + seed), MAPS["moved"], GRID, 200 + seed) for seed in range(100)]
    told = verify(query(thing), Candidates.of([*others, seen_through(thing, MAPS["turned"], GRID, 3)]))
    assert told.scores.argmax() == 100
    assert told.supported.sum() <= 2
    assert told.scores[100] > 5 * np.sort(told.scores)[-2]


def test_half_hidden_it_is_still_found():
    thing = scene(12, 12, 1)
    picture = seen_through(thing, MAPS["moved"], GRID, 2)
    hidden = picture.only(~((picture.places[:, 0] > 16) & (picture.places[:, 1] < 16)))
    told = verify(query(thing), Candidates.of([hidden]))
    np.testing.assert_allclose(told.boxes[0], np.array([10, 3, 22, 15]) / 24, atol=1.5 / 24)


def test_each_candidate_is_judged_as_if_alone():
    thing = scene(12, 12, 1)
    pictures = [
        seen_through(thing, affine, grid, 4) for affine, grid in zip(MAPS.values(), [GRID, (18, 30)] * 4, strict=False)
    ]
    together = verify(query(thing), Candidates.of(pictures))
    for place, picture in enumerate(pictures):
        alone = verify(query(thing), Candidates.of([picture]))
        np.testing.assert_allclose(alone.scores[0], together.scores[place], rtol=1e-4)
        np.testing.assert_allclose(alone.corners[0], together.corners[place], atol=1e-4)


def test_a_picture_without_descriptors_is_not_supported_and_harms_no_other():
    thing = scene(12, 12, 1)
    picture = seen_through(thing, MAPS["moved"], GRID, 2)
    told = verify(query(thing), Candidates.of([picture.only(np.zeros(len(picture.levels), bool)), picture]))
    assert told.supported.tolist() == [False, True]
    assert (told.scores[0], told.inliers[0].sum()) == (0, 0)
    assert np.isfinite(told.corners).all()


def test_no_candidates_at_all():
    assert len(verify(query(scene(12, 12, 1)), Candidates.of([])).scores) == 0
