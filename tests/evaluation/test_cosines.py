"""Queries beside kept vectors: by hand, over several scales, block by block."""

import numpy as np
import pytest

from app.evaluation import cosines as module
from app.evaluation.cosines import cosines
from app.evaluation.kept import KeptVectors, Part
from app.vision.models import ModelKey

KEY = ModelKey("by-hand", "0" * 64, "squash224-v2", "float32", 2, False)
EAST, NORTH, WEST = (np.array(row, np.float32) for row in ((1, 0), (0, 1), (-1, 0)))


def part(number: int, box: tuple | None = None) -> Part:
    return Part(bytes([number]) * 32, box)


@pytest.fixture
def kept(tmp_path):
    with KeptVectors(tmp_path, 1000) as opened:
        yield opened


def test_the_mean_over_scales_is_brought_back_to_unit_length(kept):
    makers = {name: kept.maker(KEY, name) for name in ("large", "small")}
    seen = {0: (EAST, EAST), 1: (EAST, NORTH), 2: (NORTH, NORTH)}
    kept.add(
        (maker, part(n), row) for n, rows in seen.items() for maker, row in zip(makers.values(), rows, strict=True)
    )
    found = cosines(kept, makers, [part(0), part(1)], [part(n) for n in (0, 1, 2)], 2)
    half = 2**-0.5  # 45 degrees apart
    np.testing.assert_allclose(found, [[1, half, 0], [half, 1, half]], atol=1e-6)


def test_blocks_change_nothing_and_what_is_not_there_is_nan(kept, monkeypatch):
    makers = {"one": kept.maker(KEY, "one")}
    kept.add((makers["one"], part(n), (EAST, NORTH, WEST)[n % 3]) for n in range(5))
    database = [part(0), None, part(1), part(2), part(9), part(3), part(4)]
    expected = [[1, np.nan, 0, -1, np.nan, 1, 0]]
    for block in (2, 100):
        monkeypatch.setattr(module, "BLOCK", block)
        np.testing.assert_array_equal(cosines(kept, makers, [part(0)], database, 2), expected)


def test_a_box_and_the_whole_and_two_makers_are_kept_apart(kept):
    first, second = (kept.maker(KEY, name) for name in ("one", "two"))
    kept.add([(first, part(1), EAST), (first, part(1, (0.5, 0, 9, 9)), NORTH), (second, part(1), WEST)])
    assert kept.vectors(first, [part(1), part(1, (0.5, 0, 9, 9))], 2).tolist() == [[1, 0], [0, 1]]
    assert kept.vectors(second, [part(1)], 2).tolist() == [[-1, 0]]
    assert not kept.holds(second, part(1, (0.5, 0, 9, 9)))
