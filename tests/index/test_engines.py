"""One contract, every engine: the live index on files, and Milvus (Lite, in one file) where one machine ends."""

import numpy as np
import pytest

from app.errors import BadVector, InvalidInput, ServiceUnavailable
from app.index.live import LiveIndex
from app.index.milvus import MilvusIndex
from tests.index.plain import make_snapshot, nearest, unit_vectors

DIM, COUNT = 24, 1500
VECTORS, QUERIES = unit_vectors(COUNT, DIM), unit_vectors(12, DIM, seed=9)
IDS = np.random.default_rng(1).permutation(np.arange(1, COUNT + 1) * 5)
ROWS = dict(zip(IDS.tolist(), VECTORS, strict=True))


def on_files(folder) -> LiveIndex:
    """Two thirds in a snapshot, the rest in the tail."""
    cut = COUNT * 2 // 3
    index = LiveIndex(DIM, make_snapshot(folder / "1", IDS[:cut], VECTORS[:cut]))
    index.absorb(IDS[cut:], VECTORS[cut:])
    return index


def on_milvus(folder) -> MilvusIndex:
    index = MilvusIndex(f"milvus://{folder / 'vectors.db'}", "photos", DIM)
    index.absorb(IDS, VECTORS)
    return index


@pytest.fixture(params=[on_files, on_milvus])
def index(request, tmp_path):
    return request.param(tmp_path)


def assert_same(index, k: int, shown: dict[int, np.ndarray], allowed: np.ndarray | None = None) -> None:
    for query, found in zip(QUERIES, index.search(QUERIES, k, allowed), strict=True):
        expected = nearest(shown, query, k)
        assert [hit.image_id for hit in found] == [image_id for image_id, _ in expected]
        assert [hit.score for hit in found] == pytest.approx([score for _, score in expected], abs=1e-12)


@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_nearest_come_first_with_exact_scores(index, k):
    assert_same(index, k, ROWS)
    assert index.vectors == COUNT


def test_fewer_come_back_only_where_there_are_fewer(index):
    allowed = IDS[:7]
    assert_same(index, 50, {image_id: ROWS[image_id] for image_id in allowed.tolist()}, allowed)
    assert index.search(QUERIES[:1], 5, np.array([1, 2, 3])) == [[]]
    assert index.search(QUERIES[:1], 5, np.empty(0, np.int64)) == [[]]
    assert index.search(QUERIES[:0], 5) == []


@pytest.mark.parametrize("k", [1, 40])
def test_near_any_look_is_what_is_near_each(index, k):
    index.bury(IDS[::3])
    allowed = IDS[: COUNT // 2]
    for among in (None, allowed):
        hits = [hit for of_one in index.search(QUERIES, k, among) for hit in of_one]
        best = {hit.image_id: hit.score for hit in sorted(hits, key=lambda hit: hit.score)}
        found = index.near_any(QUERIES, k, among)
        assert found.ids.dtype == np.int64
        assert dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True)) == best
        assert len(found.ids) == len(best)
        assert found.scores.tolist() == sorted(best.values(), reverse=True)
    assert index.near_any(QUERIES, k, np.empty(0, np.int64)).ids.tolist() == []
    assert index.near_any(QUERIES[:0], k).ids.tolist() == []


def test_what_no_search_takes_none_of_several_looks_takes(index):
    with pytest.raises(InvalidInput, match="k is 0"):
        index.near_any(QUERIES, 0)
    with pytest.raises(BadVector):
        index.near_any(2 * QUERIES, 5)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_only_the_allowed_are_found_and_none_of_them_is_missed(index, share):
    allowed = np.random.default_rng(2).choice(IDS, int(COUNT * share), replace=False)
    assert_same(index, 10, {image_id: ROWS[image_id] for image_id in allowed.tolist()}, allowed)


def test_the_buried_are_hidden_at_once_and_come_back(index):
    gone = np.unique([hit.image_id for hits in index.search(QUERIES, 5) for hit in hits])
    index.bury(gone)
    assert_same(index, 10, {image_id: row for image_id, row in ROWS.items() if image_id not in gone})
    assert (index.vectors, index.tombstones) == (COUNT - len(gone), len(gone))
    assert not set(gone.tolist()) & set(index.vectors_of(IDS).ids.tolist())
    index.unbury(gone)
    assert_same(index, 10, ROWS)
    assert index.tombstones == 0


def test_one_buried_before_it_came_stays_hidden_until_it_is_dug_up(index):
    late, vector = np.array([3]), QUERIES[:1]
    index.bury(late)
    index.absorb(late, vector)
    assert_same(index, 10, ROWS)
    index.unbury(late)
    assert_same(index, 10, ROWS | {3: vector[0]})
    index.bury(np.array([4]))
    index.unbury(np.array([4]))  # and never came
    assert_same(index, 10, ROWS | {3: vector[0]})


def test_absorbing_again_changes_nothing_and_a_new_vector_replaces_the_old(index):
    index.absorb(IDS[:50], VECTORS[:50])
    assert_same(index, 10, ROWS)
    index.absorb(IDS[:1], QUERIES[:1])
    assert_same(index, 10, ROWS | {int(IDS[0]): QUERIES[0]})
    assert index.vectors == COUNT


def test_stored_vectors_are_given_back_to_the_bit(index):
    stored = index.vectors_of(np.concatenate([IDS[:20], [1, 2]]))
    assert sorted(stored.ids.tolist()) == sorted(IDS[:20].tolist())
    assert all((ROWS[int(image_id)] == vector).all() for image_id, vector in zip(*stored, strict=True))


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.full((1, DIM), np.nan, np.float32), "not finite"),
        (np.zeros((1, DIM), np.float32), "length 0"),
        (unit_vectors(1, DIM + 1), "this index takes"),
        (unit_vectors(1, DIM).astype(np.float64), "float32"),
    ],
)
def test_what_is_no_vector_is_refused_at_every_door(index, vectors, said):
    with pytest.raises(BadVector, match=said):
        index.search(vectors, 3)
    with pytest.raises(BadVector, match=said):
        index.absorb(np.array([2]), vectors)
    assert index.vectors == COUNT


def test_ids_that_are_none_are_refused(index):
    for ids in ([0], [-1], [2.5]):
        with pytest.raises(InvalidInput):
            index.absorb(np.array(ids), QUERIES[:1])
    with pytest.raises(InvalidInput, match="k is 0"):
        index.search(QUERIES, 0)


def test_a_second_reader_sees_what_the_first_was_given(tmp_path):
    on_milvus(tmp_path)
    again = MilvusIndex(f"milvus://{tmp_path / 'vectors.db'}", "photos", DIM)
    assert_same(again, 10, ROWS)


def test_how_far_it_was_brought_is_kept_there(tmp_path):
    index = on_milvus(tmp_path)
    assert index.watermark == 0
    index.note(41)
    assert MilvusIndex(f"milvus://{tmp_path / 'vectors.db'}", "photos", DIM).watermark == 41
    assert_same(index, 10, ROWS)
    assert (index.vectors, index.tombstones) == (COUNT, 0)


@pytest.mark.parametrize("url", ["http://here:1", "milvus://", "milvus:///"])
def test_an_address_that_is_none_is_refused_in_a_line(url):
    with pytest.raises(InvalidInput, match="is no address of Milvus"):
        MilvusIndex(url, "photos", DIM)


def test_a_cluster_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(ServiceUnavailable, match=r"Milvus at milvus://me:\*\*\*@127\.0\.0\.1:9 can't be used"):
        MilvusIndex("milvus://me:secret@127.0.0.1:9", "photos", DIM)
