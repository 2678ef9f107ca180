"""Where one picture lies on another."""

import pytest

from app.audits.showing.geometry import SAME, inverse, shown_share

HALF_TURN = (-1.0, 0.0, 1.0, 0.0, -1.0, 1.0)


def test_the_way_back_of_a_crop_and_of_a_turn():
    assert inverse((0.5, 0.0, 0.25, 0.0, 0.5, 0.1)) == pytest.approx((2.0, 0.0, -0.5, 0.0, 2.0, -0.2))
    assert inverse(HALF_TURN) == pytest.approx(HALF_TURN)
    assert inverse((1.0, 1.0, 0.0, 1.0, 1.0, 0.0)) is None


def test_how_much_is_shown():
    assert shown_share(SAME) == pytest.approx(1.0)
    assert shown_share(HALF_TURN) == pytest.approx(1.0)
    assert shown_share((0.5, 0.0, 0.25, 0.0, 0.5, 0.1)) == pytest.approx(0.25)
    assert shown_share((2.0, 0.0, -0.5, 0.0, 2.0, -0.5)) == pytest.approx(1.0)  # it shows more than all of it
    assert shown_share((1.0, 0.0, 0.75, 0.0, 1.0, 0.0)) == pytest.approx(0.25)  # three quarters are beside it
    assert shown_share((1.0, 0.0, 3.0, 0.0, 1.0, 0.0)) == 0.0
