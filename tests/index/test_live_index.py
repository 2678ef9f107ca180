"""A live index answers as plain numpy does, whatever is in the snapshot, in the tail, buried or allowed."""

import faiss
import numpy as np
import pytest

from app.errors import InvalidInput
from app.index.lanes import Lanes
from app.index.live import LiveIndex, Neighbour
from app.index.scores import TIE_SLACK, exact_scores
from tests.index.plain import make_snapshot, nearest, unit_vectors

DIM = 24


class Plain:
    """The same verbs over a dict."""

    def __init__(self) -> None:
        self.rows: dict[int, np.ndarray] = {}
        self.buried: set[int] = set()

    def absorb(self, ids, vectors) -> None:
        self.rows.update(zip(ids.tolist(), vectors, strict=True))

    def search(self, queries, k, allowed=None):
        live = self.rows.keys() - self.buried
        shown = live if allowed is None else live & set(allowed.tolist())
        return [nearest({image: self.rows[image] for image in shown}, query, k) for query in queries]


def assert_same(index: LiveIndex, plain: Plain, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> None:
    for found, expected in zip(index.search(queries, k, allowed), plain.search(queries, k, allowed), strict=True):
        assert [hit.image_id for hit in found] == [image for image, _ in expected]
        assert [hit.score for hit in found] == pytest.approx([score for _, score in expected], abs=1e-12)


def make_pair(folder, in_snapshot: int, in_tail: int, seed: int = 0) -> tuple[LiveIndex, Plain]:
    vectors = unit_vectors(in_snapshot + in_tail, DIM, seed)
    ids = np.random.default_rng(seed).permutation(np.arange(1, len(vectors) + 1) * 5)
    opened = make_snapshot(folder / "1", ids[:in_snapshot], vectors[:in_snapshot]) if in_snapshot else None
    index, plain = LiveIndex(DIM, opened), Plain()
    index.absorb(ids[in_snapshot:], vectors[in_snapshot:])
    plain.absorb(ids, vectors)
    return index, plain


@pytest.mark.parametrize("k", [1, 10, 5000])
@pytest.mark.parametrize(("in_snapshot", "in_tail"), [(0, 0), (1, 0), (0, 1), (3, 2), (0, 700), (700, 0), (2000, 300)])
def test_it_finds_what_plain_numpy_finds(tmp_path, in_snapshot, in_tail, k):
    index, plain = make_pair(tmp_path, in_snapshot, in_tail)
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), k)
    assert (index.vectors, index.tail, index.tombstones) == (in_snapshot + in_tail, in_tail, 0)


def test_an_empty_snapshot_and_no_snapshot_answer_alike(tmp_path):
    empty = make_snapshot(tmp_path / "1", np.arange(0), unit_vectors(0, DIM))
    for index in (LiveIndex(DIM, empty), LiveIndex(DIM)):
        assert index.search(unit_vectors(2, DIM), 3) == [[], []]
        index.absorb(np.array([4]), unit_vectors(1, DIM))
        assert index.search(unit_vectors(1, DIM), 3) == [[Neighbour(4, pytest.approx(1.0))]]


def test_no_queries_have_no_answers(tmp_path):
    index, _ = make_pair(tmp_path, 50, 5)
    assert index.search(unit_vectors(0, DIM), 3) == []


def test_many_queries_at_once_score_as_each_alone(tmp_path):
    index, plain = make_pair(tmp_path, 1500, 100)
    queries = unit_vectors(64, DIM, seed=9)  # FAISS takes another path, with other rounding, from 20 queries on
    assert index.search(queries, 7) == [index.search(query[None], 7)[0] for query in queries]
    assert_same(index, plain, queries, 7)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01, 0.001])
def test_allowed_ids_limit_the_search_and_lose_nothing(tmp_path, share):
    index, plain = make_pair(tmp_path, 3000, 500)
    index.bury(np.arange(5, 3000, 15))
    plain.buried.update(range(5, 3000, 15))
    ids = np.array(sorted(plain.rows))
    allowed = np.random.default_rng(2).choice(ids, int(len(ids) * share), replace=False)
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 10, allowed)
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 10, np.concatenate([allowed, allowed, [1, 10**12, -1]]))


def test_nothing_allowed_finds_nothing(tmp_path):
    index, _ = make_pair(tmp_path, 50, 5)
    for nothing in (np.empty(0, np.int64), np.array([]), np.array([1, 2, 3])):
        assert index.search(unit_vectors(1, DIM), 3, allowed=nothing) == [[]]
    with pytest.raises(InvalidInput, match="float64"):
        index.search(unit_vectors(1, DIM), 3, allowed=np.array([5.0]))


@pytest.mark.parametrize(("in_snapshot", "in_tail"), [(400, 0), (0, 400), (200, 200)])
def test_of_equal_scores_the_lowest_ids_come_first(tmp_path, in_snapshot, in_tail):
    equal = np.repeat(unit_vectors(1, DIM), in_snapshot + in_tail, axis=0)
    ids = np.random.default_rng(3).permutation(np.arange(1, len(equal) + 1))
    index = LiveIndex(DIM, make_snapshot(tmp_path / "1", ids[:in_snapshot], equal[:in_snapshot]))
    index.absorb(ids[in_snapshot:], equal[in_snapshot:])
    for queries in (equal[:1], unit_vectors(30, DIM, seed=4)):
        for found in index.search(queries, 50):
            assert [hit.image_id for hit in found] == list(range(1, 51))
            assert len({hit.score for hit in found}) == 1
    index.bury(np.arange(1, 101))
    assert [hit.image_id for hit in index.search(equal[:1], 5)[0]] == [101, 102, 103, 104, 105]


def test_copies_at_the_cut_are_all_considered(tmp_path):
    plain = Plain()
    vectors = np.concatenate([np.repeat(unit_vectors(60, DIM), 40, axis=0), unit_vectors(600, DIM, seed=1)])
    ids = np.random.default_rng(3).permutation(np.arange(1, len(vectors) + 1))
    plain.absorb(ids, vectors)
    index = LiveIndex(DIM, make_snapshot(tmp_path / "1", ids[::2], vectors[::2]))
    index.absorb(ids[1::2], vectors[1::2])
    for k in (1, 15, 39, 40, 41, 100):
        assert_same(index, plain, unit_vectors(8, DIM, seed=9), k)


@pytest.mark.parametrize(("in_snapshot", "in_tail"), [(600, 0), (0, 600), (300, 300)])
def test_what_single_precision_can_not_tell_apart_is_still_in_order(tmp_path, in_snapshot, in_tail):
    plain, ids = Plain(), np.random.default_rng(3).permutation(np.arange(1, 601))
    alike = unit_vectors(1, DIM) + np.float32(1e-7) * unit_vectors(600, DIM, seed=1)
    index = LiveIndex(DIM, make_snapshot(tmp_path / "1", ids[:in_snapshot], alike[:in_snapshot]))
    index.absorb(ids[in_snapshot:], alike[in_snapshot:])
    plain.absorb(ids, alike)
    for k in (1, 20, 150):
        assert_same(index, plain, unit_vectors(5, DIM, seed=9), k)


@pytest.mark.parametrize("dim", [384, 768, 1024, 1536])
def test_rounding_stays_far_below_the_slack_that_is_left_for_it(tmp_path, dim):
    vectors = unit_vectors(500, dim)
    vectors[1:] = vectors[1:] * 0.01 + vectors[:1]  # all alike: sums near 1 round worst
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    make_snapshot(tmp_path / "1", np.arange(1, 501), vectors)
    index = faiss.read_index(str(tmp_path / "1" / "vectors.faiss"))
    exact = np.stack([exact_scores(query, vectors) for query in vectors[:30]])
    for queries in (vectors[:1], vectors[:30]):
        scores, rows = index.search(queries, 500)
        assert np.abs(scores - np.take_along_axis(exact[: len(queries)], rows, 1)).max() < TIE_SLACK / 4
    assert np.abs(np.einsum("td,qd->qt", vectors, vectors[:30]) - exact).max() < TIE_SLACK / 4  # the tail's sums


def test_scores_stay_within_1_where_lengths_do_not():
    index = LiveIndex(2)
    index.absorb(np.array([1, 2]), np.float32([[1.0009, 0], [-1.0009, 0]]))
    assert index.search(np.float32([[1.0009, 0]]), 2) == [[(1, 1.0), (2, -1.0)]]


def test_what_is_buried_never_shows_and_k_live_ones_still_do(tmp_path):
    index, plain = make_pair(tmp_path, 900, 100)
    dead = np.random.default_rng(2).choice(sorted(plain.rows), 950, replace=False)
    index.bury(dead)
    plain.buried.update(dead.tolist())
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 50)
    assert (index.vectors, index.tombstones) == (50, 950)
    index.unbury(dead[:500])
    plain.buried.difference_update(dead[:500].tolist())
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 50)
    assert (index.vectors, index.tombstones) == (550, 450)


def test_all_buried_finds_nothing(tmp_path):
    index, plain = make_pair(tmp_path, 90, 10)
    index.bury(np.array(sorted(plain.rows)))
    assert index.search(unit_vectors(2, DIM), 3) == [[], []]
    assert (index.vectors, index.tombstones) == (0, 100)


def test_an_id_buried_before_it_is_absorbed_stays_hidden_until_dug_up():
    index = LiveIndex(DIM)
    index.bury(np.array([3]))
    index.absorb(np.array([3]), unit_vectors(1, DIM))
    assert index.search(unit_vectors(1, DIM), 3) == [[]]
    index.unbury(np.array([3, 4]))
    assert [hit.image_id for hit in index.search(unit_vectors(1, DIM), 3)[0]] == [3]


def test_absorbing_the_same_rows_again_changes_nothing(tmp_path):
    index, plain = make_pair(tmp_path, 80, 20)
    for _ in range(3):
        index.absorb(np.array(list(plain.rows)), np.stack(list(plain.rows.values())))
    assert (index.vectors, index.tail, index.tombstones) == (100, 20, 0)
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 200)


def test_the_new_vector_of_an_image_replaces_the_old_wherever_it_lies(tmp_path):
    index, plain = make_pair(tmp_path, 80, 20)
    ids = np.array(list(plain.rows))[70:90]  # ten in the snapshot, ten in the tail
    before, after = np.stack([plain.rows[image] for image in ids.tolist()]), unit_vectors(20, DIM, seed=5)
    for vectors in (after, before, after):  # there, back to what the snapshot has, and there again
        index.absorb(ids, vectors)
        plain.absorb(ids, vectors)
        assert_same(index, plain, np.concatenate([before, after]), 100)
    assert (index.vectors, index.tail, index.tombstones) == (100, 30, 10)


def test_a_refused_batch_leaves_the_index_as_it_was(tmp_path):
    index, plain = make_pair(tmp_path, 30, 5)
    with pytest.raises(InvalidInput):
        index.absorb(np.array([1, 1]), unit_vectors(2, DIM, seed=8))
    assert_same(index, plain, unit_vectors(5, DIM, seed=9), 100)


def test_stored_vectors_come_back_for_what_is_live(tmp_path):
    index, plain = make_pair(tmp_path, 60, 20)
    ids = np.array(list(plain.rows))
    index.absorb(ids[:5], unit_vectors(5, DIM, seed=5))
    plain.absorb(ids[:5], unit_vectors(5, DIM, seed=5))
    index.bury(ids[-2:])
    stored = index.vectors_of(np.append(ids, 10**9))
    assert sorted(stored.ids.tolist()) == sorted(ids[:-2].tolist())
    assert all((plain.rows[image] == row).all() for image, row in zip(stored.ids.tolist(), stored.vectors, strict=True))
    assert index.vectors_of(np.array([7])).vectors.shape == (0, DIM)


def test_the_index_keeps_its_own_copy_of_what_it_absorbs():
    index, vectors = LiveIndex(DIM), unit_vectors(1, DIM)
    index.absorb(np.array([1]), vectors)
    vectors[:] = 0
    assert index.search(unit_vectors(1, DIM), 1) == [[Neighbour(1, pytest.approx(1.0))]]


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_acts_answers_as_a_dict_would(tmp_path, seed):
    chance = np.random.default_rng(seed)
    index, plain = make_pair(tmp_path, int(chance.integers(0, 300)), 0, seed)
    for act in range(60):
        ids = chance.choice(np.arange(1, 1000), int(chance.integers(0, 40)), replace=False)
        if act % 3 == 0:
            vectors = unit_vectors(len(ids), DIM, seed=int(chance.integers(1e9)))
            index.absorb(ids, vectors)
            plain.absorb(ids, vectors)
        elif act % 3 == 1:
            index.bury(ids)
            plain.buried.update(ids.tolist())
        else:
            index.unbury(ids)
            plain.buried.difference_update(ids.tolist())
        assert_same(index, plain, unit_vectors(2, DIM, seed=act), int(chance.integers(1, 30)))
        assert index.vectors == len(plain.rows.keys() - plain.buried)


def test_lanes_of_its_own_may_be_given():
    index = LiveIndex(DIM, lanes=Lanes(searches=1, threads=2))
    index.absorb(np.array([1]), unit_vectors(1, DIM))
    assert len(index.search(unit_vectors(1, DIM), 1)[0]) == 1
