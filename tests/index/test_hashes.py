"""All near pairs of hashes, turned and mirrored ones too, each once."""

import numpy as np
import pytest

from app.alignment import forms
from app.index import hashes, join
from app.index.hashes import HashJoin

BYTES, MOST_BITS, COUNT = 32, 40, 600


def drawn(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, BYTES), np.uint8)


def turned_over(row: np.ndarray, bits: int, seed: int) -> np.ndarray:
    flips = np.zeros(8 * BYTES, np.uint8)
    flips[np.random.default_rng(seed).choice(8 * BYTES, bits, replace=False)] = 1
    return row ^ np.packbits(flips)


HASHES = drawn(COUNT, 1)
for number in range(100):  # of every sixth a copy in one of the eight forms, up to 15 bits apart
    HASHES[6 * number + 3] = turned_over(forms(HASHES[6 * number][None])[0, number % 8], number % 16, number)
IDS = np.arange(1, COUNT + 1) * 5


def pairs_of(one: HashJoin, first_block: int = 0) -> list[tuple[int, int]]:
    return [
        pair for block in one.run(first_block) for pair in zip(block.first.tolist(), block.second.tolist(), strict=True)
    ]


def expected(rows: np.ndarray, ids: np.ndarray) -> set[tuple[int, int]]:
    turned = np.unpackbits(forms(rows), axis=-1).astype(np.int32)
    plain = np.unpackbits(rows, axis=-1).astype(np.int32)
    apart = (turned[:, :, None] != plain[None, None]).sum(axis=-1).min(axis=1)
    ones, twos = np.nonzero(apart <= MOST_BITS)
    found = zip(ids[ones].tolist(), ids[twos].tolist(), strict=True)
    return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}


@pytest.mark.parametrize("rows", [50, 4096])
def test_each_pair_of_near_hashes_comes_once(monkeypatch, rows):
    monkeypatch.setattr(hashes, "BLOCK_ROWS", rows)
    wanted = expected(HASHES, IDS)
    assert len(wanted) >= 100
    found = pairs_of(HashJoin(IDS, HASHES, forms, MOST_BITS))
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_one_word_that_is_equal_is_needed_and_enough():
    """Hashes that differ by one bit in each of their sixteen words are not compared: the price of not comparing all."""
    beside = HASHES[0] ^ np.tile(np.array([1, 0], np.uint8), BYTES // 2)
    assert pairs_of(HashJoin(IDS[:2], np.stack([HASHES[0], beside]), forms, MOST_BITS)) == []
    beside[:2] = HASHES[0][:2]
    assert pairs_of(HashJoin(IDS[:2], np.stack([HASHES[0], beside]), forms, MOST_BITS)) == [(5, 10)]


def test_blocks_can_be_gone_on_with(monkeypatch):
    monkeypatch.setattr(hashes, "BLOCK_ROWS", 64)
    whole = [(block.first.tolist(), block.second.tolist()) for block in HashJoin(IDS, HASHES, forms, MOST_BITS).run()]
    for start in (1, 5, len(whole) - 1):
        again = HashJoin(IDS, HASHES, forms, MOST_BITS).run(start)
        assert [(block.first.tolist(), block.second.tolist()) for block in again] == whole[start:]


def test_only_pairs_with_something_new():
    news = IDS[[0, 3, 9, 12, 100]]
    wanted = {pair for pair in expected(HASHES, IDS) if set(pair) & set(news.tolist())}
    assert wanted
    found = pairs_of(HashJoin(IDS, HASHES, forms, MOST_BITS, news=news))
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_another_collection_has_the_second_of_each_pair():
    other_ids = np.arange(1, 101) * 1_000
    found = pairs_of(HashJoin(IDS[::6], HASHES[::6], forms, MOST_BITS, against=(other_ids, HASHES[3::6])))
    assert set(found) == {(int(IDS[6 * number]), int(other_ids[number])) for number in range(100)}


def test_thousands_of_black_pictures_are_cut():
    count = 3_000
    rows = np.zeros((count, BYTES), np.uint8)
    found = pairs_of(HashJoin(np.arange(1, count + 1), rows, forms, MOST_BITS))
    assert len(found) <= count * join.MOST
    assert {image for pair in found for image in pair} == set(range(1, count + 1))


def test_nothing_makes_no_pairs():
    nothing = np.empty(0, np.int64), np.empty((0, BYTES), np.uint8)
    assert HashJoin(*nothing, forms, MOST_BITS).blocks == 0
    assert HashJoin(IDS, HASHES, forms, MOST_BITS, against=nothing).blocks == 0
