"""How fast and on what the network learns, by the share of the steps that are done."""

from dataclasses import dataclass

WARM_UP_STEPS = 100
COOL_DOWN = 0.4  # of all steps: the rate then falls to nothing. Before it any step count may still be chosen


@dataclass(frozen=True)
class Stage:
    """One row: from this share of the steps on."""

    start: float
    side_px: int  # of the views
    kept: int  # patches of a view that the network sees: half of them, for twice the views
    temperature: float  # of the contrast: lower, and only the nearest others count
    grey: float  # share of edited views that lose their colour
    noise: float  # the strongest, 1 is from black to white


# fmt: off
STAGES = (
    #     start  side kept temp. grey  noise
    Stage(0.0,   112, 32,  0.07, 0.12, 0.1),  # at first everything is near everything
    Stage(0.1388, 112, 32,  0.05, 0.12, 0.1),
    Stage(0.1944, 112, 32,  0.05, 0.35, 0.25),
    Stage(0.75,  140, 50,  0.05, 0.35, 0.25),  # nearer to what is served
)
# fmt: on


def stage(done: float) -> Stage:
    """`done` 0 to 1."""
    return [stage for stage in STAGES if stage.start <= done][-1]


def rate(step: int, steps: int, peak: float) -> float:
    """Learning rate: up, level, then down to nothing at the end."""
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS, (steps - step) / (COOL_DOWN * steps))
