"""Rows of a tail at half precision: what they find is what full precision finds."""

import numpy as np
import pytest

from app.index import packed
from app.index.live import LiveIndex
from app.index.packed import Packed
from app.index.selection import Selection
from tests.index.plain import nearest, unit_vectors

DIM = 24
ROWS = 3 * packed.ROWS + 100
VECTORS, QUERIES = unit_vectors(ROWS, DIM), unit_vectors(20, DIM, seed=5)
IDS = np.arange(1, ROWS + 1)


def close_together(count: int) -> np.ndarray:
    """Unit vectors whose cosines half precision can't tell apart."""
    rows = VECTORS[0] + 1e-4 * np.random.default_rng(3).normal(size=(count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("vectors", [VECTORS, close_together(ROWS)], ids=["apart", "close together"])
@pytest.mark.parametrize("step", [50, 700, ROWS])
def test_a_tail_that_grows_answers_as_full_precision_does(vectors, step):
    index = LiveIndex(DIM)
    for start in range(0, ROWS, step):
        index.absorb(IDS[start : start + step], vectors[start : start + step])
    index.bury(IDS[::7])
    shown = dict(zip(IDS.tolist(), vectors, strict=True))
    shown = {image_id: vector for image_id, vector in shown.items() if (image_id - 1) % 7}
    for query, hits in zip(QUERIES, index.search(QUERIES, 10), strict=True):
        assert [hit.image_id for hit in hits] == [image_id for image_id, _ in nearest(shown, query, 10)]


def test_a_row_replaced_is_forgotten_in_its_packed_form_too():
    index = LiveIndex(DIM)
    index.absorb(IDS, VECTORS)
    index.absorb(IDS[:1], VECTORS[-1:])
    assert index.search(VECTORS[:1], 1)[0][0].image_id != 1
    assert {hit.image_id for hit in index.search(VECTORS[-1:], 2)[0]} == {1, ROWS}


def test_rounding_moves_no_product_by_more_than_the_slack():
    vectors = unit_vectors(2000, 384)
    moved = np.abs(vectors.astype(np.float16).astype(np.float64) @ vectors[0] - vectors.astype(np.float64) @ vectors[0])
    assert 2 * moved.max() < packed.SLACK


def test_the_next_one_leaves_the_one_before_as_it_was():
    first = Packed.empty(DIM).covering(VECTORS[: packed.ROWS])
    second = first.covering(VECTORS)
    assert (len(first), len(second)) == (packed.ROWS, ROWS)
    assert second.covering(VECTORS) is second
    everything = Selection(np.ones(ROWS, bool))
    assert first.shortlist(QUERIES, 5, everything)[0].max() < packed.ROWS
