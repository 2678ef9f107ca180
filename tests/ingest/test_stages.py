"""A worker's clockwork: all its time belongs to a stage, and what it says of itself adds up."""

import pytest

from app.ingest import stages
from app.ingest.stages import STAGES, Pace, in_words, shares_of


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = [1000.0]
    monkeypatch.setattr(stages.time, "monotonic", lambda: now[0])
    return now


def do_batch(pace: Pace, clock: list[float], images: int, **seconds: float) -> dict:
    for name, length in seconds.items():
        clock[0] += length
        pace.lap(name)
    return pace.batch(images)


def test_seconds_per_picture_add_up_to_the_rate(clock):
    pace = Pace()
    pace.begin()
    spent = {"claim": 0.2, "decode": 1.0, "network": 1.5, "details": 0.5, "thumbnails": 0.4, "store": 0.4}
    told = do_batch(pace, clock, 32, **spent)
    assert told["images_per_s"] == pytest.approx(8.0)
    assert told["stage_s"] == pytest.approx({stage: seconds / 32 for stage, seconds in spent.items()})
    do_batch(pace, clock, 10, network=3.0, store=0.5)
    assert sum(pace.stage_s.values()) == pytest.approx(1 / pace.images_per_s)
    assert pace.images_done == 42


def test_the_commit_of_one_batch_counts_with_the_next(clock):
    pace = Pace()
    pace.begin()
    do_batch(pace, clock, 10, network=1.0)
    clock[0] += 1.0
    pace.lap("store")
    do_batch(pace, clock, 10, network=1.0)
    assert 5.0 < pace.images_per_s < 10.0
    assert pace.shares["store"] > 0


def test_a_batch_counts_for_as_long_as_it_took(clock):
    """A slow minute after a fast second is what the worker does now."""
    pace = Pace()
    pace.begin()
    do_batch(pace, clock, 100, network=1.0)
    do_batch(pace, clock, 60, network=60.0)
    assert pace.images_per_s == pytest.approx(1.0 + 99.0 * 2.718281828 ** (-3), rel=1e-6)


def test_after_a_rest_nothing_is_known_and_between_two_tasks_it_is(clock):
    pace = Pace()
    pace.begin()
    do_batch(pace, clock, 10, network=1.0)
    clock[0] += 1.0
    pace.begin()
    assert pace.images_per_s == pytest.approx(10.0)
    clock[0] += stages.WINDOW_S + 1
    pace.begin()
    assert (pace.images_per_s, pace.stage_s, pace.images_done) == (None, None, 10)


def test_an_hour_of_a_slow_worker_counts_as_an_hour_of_a_fast_one():
    slow = {"network": 9.0, "decode": 1.0}
    fast = {"network": 0.01, "decode": 0.09}
    shares = shares_of([slow, fast, {}])
    assert shares["network"] == shares["decode"] == pytest.approx(0.5)
    assert list(shares) == sorted(shares, key=lambda name: -shares[name])
    assert shares_of([]) == shares_of([{}]) == {}


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"network": 0.71, "decode": 0.29}, "mostly the network (71%)"),
        ({"decode": 0.4, "network": 0.35, "store": 0.25}, "most of it waiting for decoding (40%)"),
        ({}, ""),
    ],
)
def test_the_bottleneck_in_words(shares, words):
    assert in_words(shares) == words


def test_every_stage_says_what_would_make_it_faster():
    assert all(stage.words and stage.faster for stage in STAGES)
