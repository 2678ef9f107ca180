"""Retrieval scores, each small enough to compute by hand."""

import numpy as np
import pytest

from app.evaluation import ranking
from app.evaluation.ranking import Scores, score


def on_a_circle(*degrees: float) -> np.ndarray:
    """Unit vectors whose cosines fall with the angle between them."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_average_precision_is_the_mean_of_the_precision_at_each_right_one():
    # from 0 degrees: right, wrong, right, wrong, wrong, right -> (1/1 + 2/3 + 3/6) / 3
    vectors = on_a_circle(0, 1, 2, 3, 4, 5, 6)
    _, found = score(vectors, [7, 7, None, 7, None, None, 7])
    assert found[0].average_precision == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert found[0].first_rank == 1


def test_scores_are_means_over_the_queries():
    # 0: its twin at 10 comes after 4, 5 and 6 -> AP 1/4; 10: after 6, 5 and 4 -> 1/4. 90 and 91: first -> 1
    vectors = on_a_circle(0, 4, 5, 6, 10, 90, 91)
    scores, found = score(vectors, [1, None, None, None, 1, 2, 2])
    assert [query.row for query in found] == [0, 4, 5, 6]
    assert scores == Scores(queries=4, database=7, map=(0.25 + 0.25 + 1 + 1) / 4, recall_at_1=0.5, recall_at_10=1.0)


def test_the_tenth_hit_counts_for_recall_at_10_and_the_eleventh_does_not():
    for wrongs, found_in_ten in ((9, 1.0), (10, 0.0)):
        vectors = on_a_circle(0, *np.linspace(1, 2, wrongs), 3)
        scores, found = score(vectors, [1, *[None] * wrongs, 1])
        assert found[0].first_rank == wrongs + 1
        assert scores.recall_at_10 == found_in_ten


def test_one_alone_in_its_class_is_no_query_but_stands_in_the_way():
    scores, found = score(on_a_circle(0, 1, 2), [1, 2, 1])
    assert [query.row for query in found] == [0, 2]
    assert scores.map == pytest.approx(0.5)


def test_a_model_that_says_the_same_of_everything_scores_as_if_wrong_ones_came_first():
    scores, found = score(on_a_circle(*[30] * 6), [1, 1, None, None, None, None])
    assert (found[0].first_rank, scores.map, scores.recall_at_1) == (5, pytest.approx(1 / 5), 0.0)


def test_without_a_query_there_is_nothing_to_score():
    assert score(on_a_circle(0, 1), [1, 2])[0] == Scores(0, 2, 0.0, 0.0, 0.0)
    assert score(np.empty((0, 2), np.float32), [])[0] == Scores(0, 0, 0.0, 0.0, 0.0)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(8)
    vectors = rng.standard_normal((40, 8)).astype(np.float32)
    classes = rng.choice(["a", "b", "c", None], 40)
    whole = score(vectors, classes)
    monkeypatch.setattr(ranking, "BLOCK", 3)
    assert score(vectors, classes) == whole


def test_it_agrees_with_the_definition_written_out():
    rng = np.random.default_rng(9)
    vectors = rng.standard_normal((60, 8)).astype(np.float32)
    classes = rng.choice(["a", "b", "c", "d", "e", None], 60)
    _, found = score(vectors, classes)
    for query in found:
        order = [row for row in np.argsort(-(vectors @ vectors[query.row])) if row != query.row]
        right = [classes[row] == classes[query.row] for row in order]
        precisions = [sum(right[: rank + 1]) / (rank + 1) for rank in range(len(right)) if right[rank]]
        assert query.average_precision == pytest.approx(np.mean(precisions))
