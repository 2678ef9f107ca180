"""Scores of pointing at things, each small enough to compute by hand."""

import pytest

from app.evaluation.localisation import LocalisationScores, Pointed, by_slice, iou, score
from app.samples.hunt import Find, Question


def asked(picture, box=(0.0, 0.0, 0.5, 0.5), share=0.2, turn=0.0, hidden=0.0):
    return Question(f"of-{picture}", (0.1, 0.1, 0.9, 0.9), "a mug", 0.3, Find(picture, box, share, turn, hidden))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5), 1.0),
        ((0, 0, 0.5, 0.5), (0.25, 0, 0.75, 0.5), 1 / 3),  # half of each: 0.125 / 0.375
        ((0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1), 0.0),  # they touch
        ((0, 0, 1, 1), (0.25, 0.25, 0.75, 0.75), 0.25),  # one in the other
        ((0.2, 0.2, 0.2, 0.2), (0.2, 0.2, 0.2, 0.2), 0.0),
    ],
)
def test_overlap_is_what_both_share_of_what_either_covers(one, other, expected):
    assert iou(one, other) == pytest.approx(expected)
    assert iou(other, one) == pytest.approx(expected)


def test_a_question_is_right_when_its_picture_comes_first_and_pointed_when_its_box_overlaps_by_half():
    questions = [asked("a"), asked("b"), asked("c"), asked("d")]
    answers = [
        [Pointed("a", (0, 0, 0.5, 0.5)), Pointed("b", (0, 0, 1, 1))],  # right, pointed
        [Pointed("a", (0, 0, 0.5, 0.5)), Pointed("b", (0, 0, 0.5, 0.5))],  # second, pointed all the same
        [Pointed("c", (0.25, 0, 0.75, 0.5)), Pointed("b", None)],  # right, a third of it
        [Pointed("d", None)],  # right, and nothing said about where
    ]
    assert score(questions, answers) == LocalisationScores(4, 0.75, 0.5, pytest.approx((1 + 1 + 1 / 3 + 0) / 4))


def test_what_is_not_among_the_hits_counts_as_missed_in_everything():
    assert score([asked("a"), asked("b")], [[Pointed("c", (0, 0, 0.5, 0.5))], []]) == LocalisationScores(2, 0, 0, 0)


def test_the_truth_itself_scores_full():
    questions = [asked("a", (0.1, 0.2, 0.4, 0.9)), asked("b", (0, 0, 1, 1))]
    answers = [[Pointed(question.find.picture, question.find.box)] for question in questions]
    assert score(questions, answers) == LocalisationScores(2, 1, 1, 1)


def test_each_slice_has_the_questions_of_its_range_alone():
    questions = [asked("a", share=0.07, turn=-40, hidden=0.3), asked("b", share=0.3, turn=5, hidden=0.01)]
    found = by_slice(questions, [[Pointed("a", (0, 0, 0.5, 0.5))], [Pointed("a", None)]])
    assert found == {
        "% of the picture 0–10": LocalisationScores(1, 1, 1, 1),
        "% of the picture 20–100": LocalisationScores(1, 0, 0, 0),
        "degrees turned 30–45": LocalisationScores(1, 1, 1, 1),
        "degrees turned 0–15": LocalisationScores(1, 0, 0, 0),
        "% hidden 20–100": LocalisationScores(1, 1, 1, 1),
        "% hidden 0–2": LocalisationScores(1, 0, 0, 0),
    }


def test_without_a_question_there_is_nothing_to_score():
    assert score([], []) == LocalisationScores(0, 0, 0, 0)
    assert by_slice([], []) == {}
