"""Estimates from labels that are drawn unevenly: on the truth in the mean, and as uncertain as they say."""

import numpy as np
import pytest

from app.audits.evidence import calibration
from app.audits.evidence.strata import LAYERS, STEPS, next_layer, steps_of, stratify

LABELS = 60
THRESHOLDS = (0.4, 0.55, 0.7, 0.85)
World = tuple[np.ndarray, np.ndarray, float]  # scores, truth, the threshold before anybody has answered


def world(copies: np.ndarray, others: np.ndarray, threshold: float = 0.5) -> World:
    return np.r_[copies, others], np.r_[np.ones(len(copies), bool), np.zeros(len(others), bool)], threshold


def worlds() -> dict[str, World]:
    rng = np.random.default_rng(1)
    return {
        "they overlap a little": world(rng.beta(9, 2, 2200), rng.beta(2, 6, 2700)),
        "they overlap a lot": world(rng.beta(3, 2, 2000), rng.beta(2, 3, 2000)),
        "a hundred others for each copy": world(rng.beta(9, 2, 1000), rng.beta(2, 8, 100_000)),
        "few pairs": world(rng.beta(6, 2, 60), rng.beta(2, 5, 90)),
        "series of shots score like copies": world(
            rng.beta(5, 3, 2000), np.r_[rng.beta(2, 6, 2000), 0.8 + 0.2 * rng.beta(2, 2, 200)]
        ),
        "the threshold is far off": world(rng.beta(3, 3, 3000), rng.beta(1.2, 12, 5000), 0.85),
    }


def draw(scores: np.ndarray, truth: np.ndarray, threshold: float, rng: np.random.Generator) -> tuple:
    """The strata, and which pairs are labelled."""
    strata = stratify(np.bincount(steps_of(scores), minlength=STEPS + 1))
    layers = strata.layers(scores)
    left = [rng.permutation(np.flatnonzero(layers == layer)).tolist() for layer in range(len(strata.sizes))]
    asked, copies = np.zeros(len(left), int), np.zeros(len(left), int)
    chosen = []
    for _ in range(LABELS):
        layer = next_layer(strata, asked, copies, threshold)
        chosen.append(left[layer].pop())
        asked[layer] += 1
        copies[layer] += truth[chosen[-1]]
    return strata, np.array(chosen)


def points(scores, truth, threshold, rng) -> list[tuple[calibration.Point, float, float]]:
    """What one person's labels say at each threshold, and the true precision and recall."""
    strata, chosen = draw(scores, truth, threshold, rng)
    curve = calibration.curve(strata, scores[chosen], truth[chosen], *THRESHOLDS, steps=False)
    return [
        (point, truth[scores >= point.score].mean(), truth[scores >= point.score].sum() / truth.sum())
        for point in curve
    ]


def measure(name: str, people: int) -> np.ndarray:
    """(points, 6): whether precision's and recall's bounds hold the truth, low and high, and both errors."""
    scores, truth, threshold = worlds()[name]
    rng, pair = np.random.default_rng(7), 0.5 / truth.sum()
    said = (each for _ in range(people) for each in points(scores, truth, threshold, rng))
    return np.array(
        [
            (
                point.precision_low <= precision + 1e-9,
                point.precision_high >= precision - 1e-9,
                point.recall_low <= recall + pair,
                point.recall_high >= recall - pair,
                point.precision - precision,
                point.recall - recall,
            )
            for point, precision, recall in said
        ]
    )


@pytest.mark.parametrize("name", worlds())
def test_sixty_labels_tell_the_truth_and_how_unsure_they_are(name):
    found = measure(name, people=30).mean(axis=0)
    assert found[:4].min() > 0.93
    assert np.abs(found[4:]).max() < 0.035


@pytest.mark.soak
@pytest.mark.parametrize("name", worlds())
def test_intervals_hold_the_truth_for_many_people(name):
    found = measure(name, people=400).mean(axis=0)
    assert found[0] + found[1] - 1 > 0.94
    assert found[2] + found[3] - 1 > 0.92
    assert np.abs(found[4:]).max() < 0.025


def test_uneven_labels_taken_at_their_face_would_be_wrong():
    """What the weights are for: unweighted, the precision of a collection full of others looks five times as high."""
    scores, truth, threshold = worlds()["a hundred others for each copy"]
    rng = np.random.default_rng(3)
    drawn = [draw(scores, truth, threshold, rng) for _ in range(20)]
    face = np.mean([truth[chosen][scores[chosen] >= 0.4].mean() for _, chosen in drawn])
    weighted = np.mean([calibration.curve(s, scores[c], truth[c], 0.4, steps=False)[0].precision for s, c in drawn])
    true = truth[scores >= 0.4].mean()
    assert face > 2 * true
    assert weighted == pytest.approx(true, abs=0.03)


def test_a_suggestion_keeps_its_promise():
    scores, truth, threshold = worlds()["they overlap a little"]
    rng, kept = np.random.default_rng(2), []
    for _ in range(15):
        strata, chosen = draw(scores, truth, threshold, rng)
        found = calibration.suggest(calibration.curve(strata, scores[chosen], truth[chosen]), 0.8)
        kept.append(found.point is not None and truth[scores >= found.point.score].mean() >= 0.8)
    assert sum(kept) >= 14


def test_nothing_labelled_has_no_curve_and_says_what_a_target_takes():
    strata = stratify(np.full(STEPS + 1, 3))
    assert calibration.curve(strata, np.array([]), np.array([])) == ()
    found = calibration.suggest((), 0.95)
    assert (found.point, found.reason, found.more_labels) == (None, "nothing is labelled yet", 72)


def test_labels_that_are_all_copies_are_as_sure_as_clopper_and_pearson_say():
    share, low, high = calibration.interval(np.array([60]), np.array([60.0]), np.array([1e9]))
    assert (share, high) == (1.0, pytest.approx(1.0))
    assert low == pytest.approx(0.025 ** (1 / 60), abs=0.01)


def test_no_layer_is_empty_and_none_holds_much_more_than_its_share():
    counts = np.zeros(STEPS + 1, int)
    counts[0], counts[150:190], counts[STEPS] = 5000, 20, 400
    strata = stratify(counts)
    assert strata.sizes.sum() == counts.sum()
    assert strata.sizes.min() > 0
    assert 4 <= len(strata.sizes) <= LAYERS
    assert np.all(np.diff(strata.middles) > 0)


def test_without_pairs_nothing_is_asked():
    strata = stratify(np.zeros(STEPS + 1, int))
    assert next_layer(strata, np.zeros(1, int), np.zeros(1, int), 0.5) is None
