"""What a cosine means: read off between measured levels, and beyond them as their slope goes on."""

import json
from dataclasses import asdict, replace

import pytest

from app.vision import calibrations
from app.vision.architectures import ARCHITECTURES, get_architecture
from app.vision.calibrations import Calibration, find_calibration

# shares of unrelated pairs go by the square of 1 - cosine; half of the copies are above 0.99
MEASURED = Calibration("m", "d", "p", 100, 0.9, (0.0, 0.9, 0.99), (1.0, 1e-2, 1e-4), (1.0, 0.9, 0.5))


@pytest.mark.parametrize(
    ("cosine", "share"), [(-1.0, 1.0), (0.0, 1.0), (0.5, 0.25), (0.9, 1e-2), (0.96, 16e-4), (1.0, 1e-4)]
)
def test_a_share_is_read_off_as_a_power_of_the_distance(cosine, share):
    assert MEASURED.unrelated_share(cosine) == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(("cosine", "share"), [(0.0, 1.0), (0.9, 0.9), (1 - 10**-1.5, 0.7), (0.99, 0.5), (1.0, 0.5)])
def test_copies_found_are_read_off_between_the_levels(cosine, share):
    assert MEASURED.copy_share(cosine) == pytest.approx(share)


def test_a_threshold_is_the_least_cosine_that_so_few_reach():
    assert MEASURED.threshold(16e-4) == pytest.approx(0.96)
    assert MEASURED.threshold(1e-12) == 1.0


def test_more_pictures_need_a_higher_cosine():
    # 25 pictures are 300 pairs: three of them in error are a share of 1e-2
    assert MEASURED.copy_threshold(25, false_pairs=3) == pytest.approx(0.9)
    assert MEASURED.copy_threshold(25) == pytest.approx(1 - 300**-0.5)
    assert MEASURED.copy_threshold(1) <= MEASURED.copy_threshold(100) <= MEASURED.copy_threshold(10_000) == 1.0


def test_a_probability_weighs_copies_against_strangers():
    # at 0.99 half of the copies and one unrelated pair of ten thousand
    assert MEASURED.copy_probability(0.99, prior=1e-4) == pytest.approx(0.5 / (0.5 + 0.9999), rel=1e-6)
    assert MEASURED.copy_probability(0.99, prior=0.0) == 0.0


@pytest.mark.parametrize(
    ("cosine", "word"), [(0.995, "copy"), (0.97, "very close"), (0.95, "similar"), (0.5, "distant")]
)
def test_a_cosine_has_a_word_by_how_few_unrelated_pairs_reach_it(cosine, word):
    assert replace(MEASURED, unrelated_shares=(1.0, 1e-2, 1e-6)).word(cosine) == word


def test_every_bundled_model_is_calibrated_for_its_own_weights_and_pixels():
    bundled = [row for row in ARCHITECTURES if row.bundled]
    assert bundled
    for row in bundled:
        found = find_calibration(row.name, row.sha256)
        assert (found.weights_sha256, found.preprocessing) == (row.sha256, row.preprocessing)
        assert list(found.unrelated_shares) == sorted(found.unrelated_shares, reverse=True)
        assert list(found.copy_shares) == sorted(found.copy_shares, reverse=True)


def test_a_calibration_of_other_weights_is_none():
    assert find_calibration("dinoseek_tiny14", "0" * 64) is None
    assert find_calibration("dinov2_vits14") is None


def test_a_record_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "calibrations.json"
    path.write_text(json.dumps([asdict(MEASURED)]))
    found = calibrations.recorded(path)["m"]
    assert found.unrelated_share(0.2) == pytest.approx(MEASURED.unrelated_share(0.2))


def test_the_words_of_the_bundled_model_follow_its_own_cosines():
    found = find_calibration(get_architecture("tiny14").name)
    assert found.word(1.0) == "copy"
    assert found.word(found.threshold(1e-2) - 0.05) == "distant"
