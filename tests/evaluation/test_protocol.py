"""The protocol's scores: equal to the original's, and small enough to compute by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.protocol import SETUPS, QueryScore, SetupScores, score, summarise
from app.evaluation.truth import Question


def asked(easy=(), hard=(), junk=()) -> Question:
    return Question(Path("q.jpg"), None, *(np.array(rows, np.int64) for rows in (easy, hard, junk)))


def as_cosines(rankings: list[list[int]], database: int) -> np.ndarray:
    """The best first; what a ranking leaves out is not there."""
    cosines = np.full((len(rankings), database), np.nan, np.float32)
    for row, ranking in zip(cosines, rankings, strict=True):
        row[ranking] = np.linspace(1, -1, len(ranking))
    return cosines


@pytest.fixture(scope="module")
def golden(shared) -> dict:
    return json.loads((shared / "golden" / "revisitop.json").read_text())


def test_the_original_s_hand_cases(golden):
    for case in golden["hand_cases"]:
        database = max(case["ranking"] + case["ok"] + case["junk"]) + 1
        found = score(as_cosines([case["ranking"]], database), [asked(case["ok"], (), case["junk"])])
        (query,) = found["easy"]
        assert query.average_precision == pytest.approx(case["ap"], abs=1e-12), case["name"]
        assert query.precision_at == pytest.approx([case[f"p@{k}"] for k in (1, 5, 10)], abs=1e-12), case["name"]
        assert found["medium"] == [query]
        assert found["hard"] == [None]


def test_the_original_s_random_case_in_every_setup_and_query_by_query(golden):
    case = golden["random_case"]
    rankings = as_cosines(case["rankings"], case["n_database"])
    found = score(rankings, [asked(**rows) for rows in case["gnd"]])
    for name in SETUPS:
        told, mean = case["results"][name], summarise(found[name])
        assert mean.map == pytest.approx(told["map"], abs=1e-12)
        assert (mean.mp_at_1, mean.mp_at_5, mean.mp_at_10) == pytest.approx(
            [told[f"mp@{k}"] for k in (1, 5, 10)], abs=1e-12
        )
        assert mean.queries == told["scored_queries"]
        for query, precision, at_10 in zip(found[name], told["ap_per_query"], told["p10_per_query"], strict=True):
            assert (query is None) == (precision is None)
            if query is not None:
                assert query.average_precision == pytest.approx(precision, abs=1e-12)
                assert query.precision_at[2] == pytest.approx(at_10, abs=1e-12)


def test_by_hand():
    # wrong, hard, junk, easy: easy and hard are each second behind the wrong one; medium has both, second and third
    found = score(as_cosines([[0, 1, 2, 3]], 4), [asked(easy=[3], hard=[1], junk=[2])])
    assert found["easy"] == [QueryScore((0 / 1 + 1 / 2) / 2, (0, 1 / 2, 1 / 2))]
    assert found["hard"] == [QueryScore((0 / 1 + 1 / 2) / 2, (0, 1 / 2, 1 / 2))]
    both = ((0 / 1 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2
    (medium,) = found["medium"]
    assert medium.average_precision == pytest.approx(both)
    assert medium.precision_at == pytest.approx((0, 2 / 3, 2 / 3))


def test_a_picture_that_is_not_there_is_never_found_and_still_to_be_found():
    (query,) = score(as_cosines([[2, 0]], 3), [asked(easy=[2, 1])])["easy"]
    assert query == QueryScore(0.5, (1, 1, 1))
    (nothing,) = score(as_cosines([[2, 0]], 3), [asked(easy=[1])])["easy"]
    assert nothing == QueryScore(0, (0, 0, 0))


def test_of_equal_cosines_the_wrong_one_counts_first():
    (query,) = score(np.zeros((1, 4), np.float32), [asked(easy=[0, 1])])["easy"]
    assert query.average_precision == pytest.approx(((0 / 2 + 1 / 3) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    assert query.precision_at == (0, 2 / 4, 2 / 4)


def test_without_anything_to_find_there_is_no_score():
    found = score(as_cosines([[0, 1]], 2), [asked(junk=[0])])
    assert summarise(found["medium"]) == SetupScores(0, None, None, None, None)


def test_a_row_told_twice_and_one_both_right_and_junk_count_as_in_the_original():
    """The original asks of each place whether it is right and whether it is junk, and divides by what was told."""
    (query,) = score(as_cosines([[0, 1, 2]], 3), [asked(easy=[0, 0, 2], junk=[0])])["easy"]
    # right at 0 and 2, junk at 0: without it the second right one is at 1; three were told
    assert query.average_precision == pytest.approx((1 + (1 / 1 + 2 / 2) / 2) / 3)
