"""How fast and on what the network learns, by the number of steps done."""

from dataclasses import dataclass

WARM_UP_STEPS = 100
COOL_DOWN_STEPS = 480  # the last ones: the rate falls to nothing. Until then a run's length may still be chosen


@dataclass(frozen=True)
class Stage:
    """One row: from this step on."""

    start: int
    side_px: int  # of the views
    kept: int  # patches of a view that the network sees: half of them, for twice the views
    temperature: float  # of the contrast: lower, and only the nearest others count
    grey: float  # share of edited views that lose their colour
    noise: float  # the strongest, 1 is from black to white
    alike: float  # share of batches from one source, whose pictures are harder to tell apart


# fmt: off
STAGES = (
    #     start side kept temp. grey  noise alike
    Stage(0,    112, 32,  0.07, 0.12, 0.10, 0.0),  # at first everything is near everything
    Stage(375,  112, 32,  0.05, 0.12, 0.10, 0.0),
    Stage(525,  112, 32,  0.05, 0.35, 0.25, 0.0),
    Stage(975,  112, 32,  0.05, 0.30, 0.25, 0.5),
    Stage(1575, 112, 32,  0.05, 0.20, 0.25, 0.6),
    Stage(3625, 168, 72,  0.05, 0.20, 0.25, 0.6),  # what is served
)
# fmt: on


def stage(step: int) -> Stage:
    return [stage for stage in STAGES if stage.start <= step][-1]


def rate(step: int, steps: int, peak: float) -> float:
    """Learning rate: up, level, then down to nothing at the end."""
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS, (steps - step) / COOL_DOWN_STEPS)
