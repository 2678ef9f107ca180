"""Batches side by side: in order, on their share of the threads, with nothing left changed."""

from collections.abc import Iterator

import pytest
import torch

from app.vision.lanes import Lanes

CPU = torch.device("cpu")


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    """Two of them; the tests around run on one thread."""
    torch.set_num_threads(2)
    yield Lanes(CPU)
    torch.set_num_threads(1)


def test_answers_come_in_the_order_of_the_batches(lanes):
    assert list(lanes.map(lambda number: number * 2, range(20))) == list(range(0, 40, 2))


def test_each_of_several_batches_has_its_share_of_the_threads_and_one_alone_has_all(lanes):
    assert list(lanes.map(lambda _: torch.get_num_threads(), range(6))) == [1] * 6
    assert torch.get_num_threads() == 2
    assert list(lanes.map(lambda _: torch.get_num_threads(), range(1))) == [2]


def test_a_batch_that_fails_is_told_and_leaves_the_threads_as_they_were(lanes):
    with pytest.raises(ZeroDivisionError):
        list(lanes.map(lambda number: 1 / number, [1, 0, 1]))
    assert torch.get_num_threads() == 2


def test_work_is_shared_out_so_that_no_lane_stays_empty(lanes):
    assert [lanes.share(items) for items in (1, 2, 3, 8)] == [1, 1, 2, 4]


def test_another_device_has_one_lane():
    assert Lanes(torch.device("meta")).count == 1
