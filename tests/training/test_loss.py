"""Numbers that can be had by hand."""

import math

import pytest
import torch

from training import loss

AXES = torch.eye(3)
# two things seen twice: the first alike, the second not at all
VIEWS = torch.stack([AXES[0], AXES[1], AXES[0], AXES[2]])
SELVES, PAIRS = torch.arange(4), torch.tensor([2, 3, 0, 1])


def test_contrast_is_the_cross_entropy_of_naming_the_partner():
    alike = math.log(math.e + 2) - 1  # cosine 1 against two of 0, at temperature 1
    apart = math.log(3)  # three cosines of 0
    found = loss.contrast(VIEWS, VIEWS, PAIRS, SELVES, temperature=1.0)
    assert found.item() == pytest.approx((2 * alike + 2 * apart) / 4, abs=1e-6)


def test_spread_counts_neither_oneself_nor_the_partner():
    found = loss.spread(VIEWS, VIEWS, PAIRS, SELVES)
    assert found.item() == pytest.approx(-math.log(math.sqrt(2)), abs=1e-6)


def test_strangers_in_one_place_are_pushed_apart_no_harder_than_by_the_least_distance():
    views = AXES[[0, 0, 1, 1]].clone().requires_grad_()
    found = loss.spread(views, views, PAIRS, SELVES)  # partners are elsewhere, strangers coincide
    assert found.item() == pytest.approx(-math.log(loss.CLOSEST), abs=1e-5)
    found.backward()
    assert torch.isfinite(views.grad).all()
