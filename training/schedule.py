"""How fast and on what the network learns, by the share of the steps that are done."""

from dataclasses import dataclass

WARM_UP_STEPS = 100
COOL_DOWN = 0.4  # of all steps: the rate then falls to nothing. Before it any step count may still be chosen


@dataclass(frozen=True)
class Stage:
    """From this share on: views of so many pixels, of which the network sees so many patches."""

    start: float
    side_px: int
    kept: int  # patches


STAGES = (Stage(0.0, 112, 32), Stage(0.75, 140, 75))


def stage(done: float) -> Stage:
    """`done` 0 to 1."""
    return [stage for stage in STAGES if stage.start <= done][-1]


def rate(step: int, steps: int, peak: float) -> float:
    """Learning rate: up, level, then down to nothing at the end."""
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS, (steps - step) / (COOL_DOWN * steps))
