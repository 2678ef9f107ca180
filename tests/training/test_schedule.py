"""The rate over a run, and what is looked at when."""

import pytest

from training import schedule


def test_the_rate_rises_stays_and_falls_to_nothing():
    steps = 2 * (schedule.WARM_UP_STEPS + schedule.COOL_DOWN_STEPS)
    rates = [schedule.rate(step, steps, 1.0) for step in range(steps)]
    assert rates[0] == pytest.approx(1 / schedule.WARM_UP_STEPS)
    assert rates[schedule.WARM_UP_STEPS] == rates[steps - schedule.COOL_DOWN_STEPS] == 1.0
    assert rates[-1] == pytest.approx(1 / schedule.COOL_DOWN_STEPS)


def test_the_last_stage_that_has_begun_counts():
    first, *_, last = schedule.STAGES
    assert schedule.stage(0) == first
    assert schedule.stage(last.start - 1) != last
    assert schedule.stage(last.start) == schedule.stage(10**6) == last


@pytest.mark.parametrize("stage", schedule.STAGES)
def test_no_more_patches_are_kept_than_there_are(stage):
    assert stage.side_px % 14 == 0
    assert 0 < stage.kept <= (stage.side_px // 14) ** 2
