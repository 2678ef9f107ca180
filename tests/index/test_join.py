"""All near pairs of a live index: those that plain numpy finds, each once, in blocks that a killed run goes on with."""

import numpy as np
import pytest

from app.errors import InvalidInput
from app.index import field, join, recipe, snapshot
from app.index.join import Join
from app.index.live import LiveIndex
from tests.index.plain import MODEL, batched, unit_vectors

DIM, COUNT = 24, 900
THRESHOLD = 0.8
SLACK = 2e-3  # a pair this near to the threshold may be on either side of numpy's rounding


def clustered(count: int, seed: int) -> np.ndarray:
    """Unit vectors with a few dozen of each near its own, as shots of one scene are."""
    rng = np.random.default_rng(seed)
    rows = unit_vectors(max(1, count // 30), DIM, seed)[rng.integers(0, max(1, count // 30), count)]
    rows = rows + 0.1 * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


IDS = np.random.default_rng(1).permutation(np.arange(1, COUNT + 1)) * 2
VECTORS = clustered(COUNT, 2)


def expected(ids, vectors, other_ids=None, others=None) -> set[tuple[int, int]]:
    """Of one collection the lower id first; of two, ours first."""
    within = others is None
    other_ids, others = (ids, vectors) if within else (other_ids, others)
    ones, twos = np.nonzero(vectors @ others.T >= THRESHOLD)
    found = zip(ids[ones].tolist(), other_ids[twos].tolist(), strict=True)
    return {(one, two) for one, two in found if one < two} if within else set(found)


def found_by(one: Join, first_block: int = 0) -> list[tuple[int, int]]:
    return [
        pair for block in one.run(first_block) for pair in zip(block.first.tolist(), block.second.tolist(), strict=True)
    ]


def check(pairs: list[tuple[int, int]], wanted: set[tuple[int, int]]) -> None:
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == wanted


@pytest.fixture
def live(tmp_path) -> LiveIndex:
    """A snapshot, a tail, and rows of both that are gone."""
    snapshot.build(tmp_path / "1", batched(IDS[:700], VECTORS[:700]), dim=DIM, model_key=MODEL, watermark=1)
    index = LiveIndex(DIM, snapshot.open(tmp_path / "1"))
    index.absorb(IDS[700:], VECTORS[700:])
    index.bury(IDS[[3, 10, 650, 720, 899]])
    return index


LIVING = np.setdiff1d(np.arange(COUNT), [3, 10, 650, 720, 899])


@pytest.mark.parametrize("rows", [64, 250, 32_768])
def test_each_near_pair_comes_once(live, monkeypatch, rows):
    monkeypatch.setattr(join, "BLOCK_ROWS", rows)
    wanted = expected(IDS[LIVING], VECTORS[LIVING])
    assert len(wanted) > 500
    found = Join(live, THRESHOLD, most=COUNT)
    assert found.blocks == -(-len(LIVING) // rows)
    check(found_by(found), wanted)


def test_cosines_are_exact(live):
    at = {image: row for row, image in enumerate(IDS.tolist())}
    for block in Join(live, THRESHOLD).run():
        ones, twos = ([at[image] for image in column.tolist()] for column in (block.first, block.second))
        assert block.cosine == pytest.approx((VECTORS[ones] * VECTORS[twos]).sum(axis=1), abs=1e-6)


def test_a_run_that_was_killed_goes_on_at_any_block_with_the_same_pairs(live, monkeypatch):
    monkeypatch.setattr(join, "BLOCK_ROWS", 100)
    blocks = list(Join(live, THRESHOLD, most=5).run())
    for start in range(len(blocks)):
        again = list(Join(live, THRESHOLD, most=5).run(start))
        assert [block.block for block in again] == list(range(start, len(blocks)))
        for one, other in zip(again, blocks[start:], strict=True):
            assert one.first.tolist() == other.first.tolist()
            assert one.second.tolist() == other.second.tolist()


def test_only_pairs_with_something_new(live):
    news = IDS[[1, 5, 30, 710, 720, 800]]
    fresh = set(news.tolist()) & set(IDS[LIVING].tolist())
    wanted = {pair for pair in expected(IDS[LIVING], VECTORS[LIVING]) if fresh & set(pair)}
    check(found_by(Join(live, THRESHOLD, news=news, most=COUNT)), wanted)
    assert found_by(Join(live, THRESHOLD, news=np.empty(0, np.int64))) == []


@pytest.mark.parametrize("news", [None, IDS[[1, 5, 30, 710, 800]]])
def test_another_collection_is_compared_with_this_one(live, news):
    """Ids of two collections of one database never meet, but here some do: a pair of equal ids is a pair."""
    ids, vectors = np.arange(10, 210), clustered(COUNT, 2)[200:400]
    here = LIVING if news is None else LIVING[np.isin(IDS[LIVING], news)]
    wanted = expected(ids, vectors, IDS[here], VECTORS[here])
    assert wanted
    check(found_by(Join(live, THRESHOLD, asked=(ids, vectors), news=news, most=COUNT)), wanted)


def test_thousands_of_black_frames_make_no_millions_of_pairs():
    """Each brings its few nearest, and equals are told apart by their ids alone."""
    count, most = 3_000, 8
    index = LiveIndex(DIM)
    index.absorb(np.arange(1, count + 1), np.repeat(unit_vectors(1, DIM), count, axis=0))
    pairs = found_by(Join(index, THRESHOLD, most=most))
    assert len(pairs) == len(set(pairs)) <= count * most
    assert {image for pair in pairs for image in pair} == set(range(1, count + 1))


def test_an_image_keeps_its_nearest(live):
    """What is cut away is the farther part: of each row's nearest five all are there, whoever brings them."""
    pairs = set(found_by(Join(live, THRESHOLD, most=5)))
    products = VECTORS[LIVING] @ VECTORS[LIVING].T
    np.fill_diagonal(products, -1)
    for row in range(0, len(LIVING), 37):
        order = np.argsort(-products[row])
        sure = [other for other in order[:5] if products[row, other] > products[row, order[5]] + SLACK]
        for other in (other for other in sure if products[row, other] >= THRESHOLD + SLACK):
            assert tuple(sorted((int(IDS[LIVING][row]), int(IDS[LIVING][other])))) in pairs


def test_cells_find_nearly_all_and_blocks_stay_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe("cells-8bit"),))
    monkeypatch.setattr(field, "PLAIN_ROWS", 1_000)
    monkeypatch.setattr(join, "BLOCK_ROWS", 3_000)
    monkeypatch.setattr(join, "EXACT_ROWS", 100)
    count = 12_000
    ids, vectors = np.arange(1, count + 1), clustered(count, 5)
    snapshot.build(
        tmp_path / "1", batched(ids[:11_000], vectors[:11_000], 1_000), dim=DIM, model_key=MODEL, watermark=1
    )
    index = LiveIndex(DIM, snapshot.open(tmp_path / "1"))
    index.absorb(ids[11_000:], vectors[11_000:])
    wanted = expected(ids, vectors)
    one = Join(index, THRESHOLD, most=200)
    pairs = found_by(one)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) <= wanted | near_misses(ids, vectors)
    assert len(set(pairs) & wanted) >= 0.99 * len(wanted)
    assert one.reaches[0].cells < one._passes[0]._field.cells  # it did not look everywhere
    assert found_by(Join(index, THRESHOLD, most=200), one.blocks - 1) == pairs[-len(found_by(one, one.blocks - 1)) :]


def near_misses(ids: np.ndarray, vectors: np.ndarray) -> set[tuple[int, int]]:
    products = vectors @ vectors.T
    ones, twos = np.nonzero(np.triu(np.abs(products - THRESHOLD) < 1e-5, 1))
    return set(zip(ids[ones].tolist(), ids[twos].tolist(), strict=True))


@pytest.mark.parametrize("wrong", [{"threshold": 1.5}, {"threshold": 0.5, "most": 0}])
def test_what_makes_no_sense_is_refused(live, wrong):
    with pytest.raises(InvalidInput):
        Join(live, **wrong)
    with pytest.raises(InvalidInput):
        next(Join(live, THRESHOLD).run(-1))
