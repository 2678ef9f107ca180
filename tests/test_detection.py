"""Keypoints of a painted picture lie where a known map puts them, as large and turned as it says."""

import cv2
import numpy as np
import PIL.Image
import pytest

from app.details import keypoints_of
from app.detection import WIDTH, detect
from app.samples.paint import painted
from app.samples.plan import Shot, plan


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    shot = next(entry for entry in plan(8, 3) if isinstance(entry, Shot))
    return np.asarray(painted(shot).picture().resize((392, 294), PIL.Image.Resampling.LANCZOS))


def test_the_clearest_come_first_and_no_more_than_asked_for(pixels):
    some, more = detect(pixels, 50), detect(pixels, 200)
    assert len(some.turns) == 50 < len(more.turns)
    np.testing.assert_allclose(np.linalg.norm(more.descriptors, axis=1), 1, rtol=1e-4)
    assert {tuple(place) for place in some.places.tolist()} <= {tuple(place) for place in more.places.tolist()}
    assert detect(pixels, 200).places.tobytes() == more.places.tobytes()


@pytest.mark.parametrize(("degrees", "size"), [(0, 1.0), (35, 0.8), (-140, 0.6)])
def test_they_go_with_the_picture(pixels, degrees, size):
    height, width = pixels.shape[:2]
    map = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, size)
    moved = cv2.warpAffine(pixels, map, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    one, other = keypoints_of(pixels, 300), keypoints_of(moved, 300)
    best = (one.features @ other.features.T).argmax(axis=1)
    there = one.places @ map[:, :2].T + map[:, 2] / 14
    near = np.linalg.norm(there - other.places[best], axis=1) < 0.2
    assert near.mean() > 0.25
    turn = complex(map[0, 0], map[1, 0])
    relative = other.turns[best][near] / one.turns[near] / turn
    assert np.median(np.abs(np.angle(relative))) < 0.1
    assert abs(np.median(np.abs(relative)) - 1) < 0.1


def test_a_picture_of_nothing_has_none():
    found = detect(np.full((140, 140, 3), 128, np.uint8), 100)
    assert (found.places.shape, found.turns.shape, found.descriptors.shape) == ((0, 2), (0,), (0, WIDTH))
    assert len(keypoints_of(np.full((140, 140, 3), 128, np.uint8), 100)) == 0
