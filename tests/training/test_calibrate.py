"""Cosines counted: levels, shares, and pairs that must not count."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from app.vision.calibrations import Calibration
from tests.conftest import paint
from training import calibrate

KEY = SimpleNamespace(model="m", weights_sha256="d", preprocessing="p")


def test_shares_are_counted_and_prolonged_by_their_own_power():
    """Cosines of which a share of (1 - cosine)^3 lies above each."""
    unrelated = 1 - (np.arange(1, 100_001) / 100_000) ** (1 / 3)
    found = calibrate.counted(SimpleNamespace(key=KEY), 10, unrelated, np.array([0.0, 0.5, 0.9, 1.0]))
    assert found.unrelated_share(0.5) == pytest.approx(0.5**3, rel=0.02)
    assert 0.9 < found.counted_to < 0.95  # twenty of the hundred thousand are above 0.942
    assert found.unrelated_share(0.99) == pytest.approx(1e-6, rel=0.2)
    assert found.copy_share(0.95) == pytest.approx(0.25)


def test_sources_are_drawn_evenly(tmp_path):
    for number in range(40):
        paint(tmp_path / ("many" if number % 10 else "few") / f"{number}.jpg", number)
    drawn = [path.parent.name for path in calibrate.chosen(tmp_path, 6)]
    assert drawn == [path.parent.name for path in calibrate.chosen(tmp_path, 6)]
    assert drawn.count("few") >= 2


def test_a_record_takes_the_place_of_the_model_s_earlier_one(tmp_path):
    path = tmp_path / "calibrations.json"
    for model, pictures in (("a", 1), ("b", 2), ("a", 3)):
        calibrate.record(Calibration(model, "d", "p", pictures, 0.5, (0.0,), (1.0,), (1.0,)), path)
    assert {row["model"]: row["pictures"] for row in json.loads(path.read_text())} == {"b": 2, "a": 3}


def test_photos_and_copies_are_measured_by_the_whole_pipeline(tmp_path, encoders):
    for number in range(12):
        paint(tmp_path / f"{number % 3}" / f"{number}.jpg", number)
    files = calibrate.chosen(tmp_path, 12)
    found = calibrate.measure(encoders.named("untrained_vits14"), files)
    assert (found.model, found.pictures, len(found.cosines)) == ("untrained_vits14", 12, calibrate.LEVELS)
    assert found.copy_share(found.threshold(0.3)) > 0.5  # a copy is mostly nearer than most others
