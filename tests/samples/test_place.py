"""What the canvas remembers of the things placed on it."""

import numpy as np
import pytest

from app.samples.canvas import Canvas
from app.samples.paint import sighting_of
from app.samples.palettes import LIGHTS
from app.samples.place import hang, lay, place


@pytest.fixture
def canvas():
    """Plain grey, 400 high and 600 wide, at noon."""
    canvas = Canvas(400, 600, LIGHTS["noon"], np.random.default_rng(1))
    canvas.pixels[:] = 0.5
    return canvas


def changed_box(canvas):
    rows, columns = np.nonzero(np.abs(canvas.pixels - 0.5).max(axis=-1) > 0.15)
    return columns.min() / 600, rows.min() / 400, (columns.max() + 1) / 600, (rows.max() + 1) / 400


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_the_box_is_where_the_thing_was_painted(canvas, turn):
    place(canvas, "vase-delft-flowers", 0.4, 0.8, 0.5, turn=turn)
    sighting = sighting_of(canvas, canvas.placed[0])
    assert sighting.box == pytest.approx(changed_box(canvas), abs=0.012)
    assert sighting.visible_share == 1
    assert sighting.turn_degrees == turn


def test_a_hung_and_a_laid_thing_have_boxes_too(canvas):
    hang(canvas, "poster-blocks", 0.3, 0.4, 0.4)
    lay(canvas, "rug-indigo-lozenge", ((0.5, 0.6), (0.8, 0.6), (0.9, 0.9), (0.4, 0.9)))
    poster, rug = (sighting_of(canvas, placed) for placed in canvas.placed)
    assert poster.box == pytest.approx((0.200, 0.2, 0.400, 0.6), abs=0.012)
    assert rug.box == pytest.approx((0.4, 0.6, 0.9, 0.9), abs=0.012)


def test_what_is_painted_over_a_thing_takes_from_its_box_and_share(canvas):
    place(canvas, "mug-navy-stripe", 0.5, 0.9, 1.0)
    whole = sighting_of(canvas, canvas.placed[0])
    middle = round((whole.box[0] + whole.box[2]) / 2 * 600)
    canvas.cover(np.ones((400, 600 - middle), np.float32), np.zeros(3, np.float32), 0, middle)
    left = sighting_of(canvas, canvas.placed[0])
    assert left.box == pytest.approx((whole.box[0], whole.box[1], middle / 600, whole.box[3]), abs=0.012)
    assert 0.4 < left.visible_share < 0.75


def test_a_thing_hidden_or_beyond_the_edge_is_not_told(canvas):
    place(canvas, "mug-navy-stripe", 1.3, 0.9, 1.0)
    place(canvas, "mug-coral-dots", 0.5, 0.9, 1.0)
    canvas.cover(np.ones((400, 600), np.float32), np.zeros(3, np.float32))
    assert [sighting_of(canvas, placed) for placed in canvas.placed] == [None, None]


def test_a_shadow_counts_neither_for_the_box_nor_against_the_share(canvas):
    place(canvas, "mug-navy-stripe", 0.4, 0.8, 0.8)
    before = sighting_of(canvas, canvas.placed[0])
    place(canvas, "camera-chrome", 0.8, 0.9, 0.4, shadow=0.7)
    assert sighting_of(canvas, canvas.placed[0]) == before
