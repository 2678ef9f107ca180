"""Where a worker's time goes: the stages of its work, how long each takes per picture, and which one holds it up."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW_S = 20.0  # what lies further back than this counts for about a third, further than a minute for nothing


class Stage(NamedTuple):
    name: str
    words: str
    faster: str  # what to do where it takes the longest


STAGES = (
    Stage("claim", "asking the database for work", "PostgreSQL nearby, or a larger DINOSEEK_BATCH_IMAGES"),
    Stage("decode", "waiting for decoding", "where cores are idle, a larger DINOSEEK_DECODE_PROCESSES"),
    Stage("network", "the network", "a GPU, a smaller model, or a further worker"),
    Stage(
        "details", "describing parts of pictures", "`collections switch NAME --instances light`, or a further worker"
    ),
    Stage("thumbnails", "writing thumbnails", "a faster disk for DINOSEEK_HOME"),
    Stage("store", "writing to the database", "a faster disk for the database, or PostgreSQL nearby"),
)
BY_NAME = {stage.name: stage for stage in STAGES}


@dataclass
class Pace:
    """One worker's rate and shares of time: means in which a batch counts for as long as it took.

    Every moment between `begin` and the last `lap` belongs to a stage, so the seconds per picture add up to 1 / rate.
    """

    images_done: int = 0
    images_per_s: float | None = None
    shares: dict[str, float] = field(default_factory=dict)
    _spent: dict[str, float] = field(default_factory=dict)
    _mark: float = field(default_factory=time.monotonic)

    @property
    def stage_s(self) -> dict[str, float] | None:
        """Seconds per picture by stage; None before the first batch."""
        if not self.images_per_s:
            return None
        return {name: share / self.images_per_s for name, share in self.shares.items()}

    def begin(self) -> None:
        """A task begins. After a rest nothing is known: what was measured before it tells little about now."""
        now = time.monotonic()
        if now - self._mark > WINDOW_S:
            self.images_per_s, self.shares = None, {}
        self._mark, self._spent = now, {}

    def lap(self, stage: str) -> None:
        """The time since the last lap went into this stage."""
        now = time.monotonic()
        self._spent[stage] = self._spent.get(stage, 0.0) + now - self._mark
        self._mark = now

    def batch(self, images: int) -> dict:
        """Count a batch in; what the worker's row says of it."""
        spent, self._spent = self._spent, {}
        took = sum(spent.values())
        weight = 1.0 if self.images_per_s is None else 1 - math.exp(-took / WINDOW_S)
        self.images_done += images
        self.images_per_s = _mean(self.images_per_s or 0.0, images / took, weight)
        self.shares = {
            stage.name: _mean(self.shares.get(stage.name, 0.0), spent.get(stage.name, 0.0) / took, weight)
            for stage in STAGES
        }
        return {"images_done": self.images_done, "images_per_s": self.images_per_s, "stage_s": self.stage_s}


def _mean(old: float, new: float, weight: float) -> float:
    return old + weight * (new - old)


def shares_of(timings: Sequence[dict[str, float]]) -> dict[str, float]:
    """Shares 0…1 of several workers' time by stage, the largest first; an hour of one counts as an hour of another."""
    totals = [sum(timing.values()) for timing in timings]
    whole = [(timing, total) for timing, total in zip(timings, totals, strict=True) if total > 0]
    shares = {
        stage.name: sum(timing.get(stage.name, 0.0) / total for timing, total in whole) / len(whole)
        for stage in STAGES
        if whole
    }
    return dict(sorted(shares.items(), key=lambda share: -share[1]))


def in_words(shares: dict[str, float]) -> str:
    """`mostly the network (71 %)`; empty where nothing was measured."""
    if not shares:
        return ""
    name, share = next(iter(shares.items()))
    return f"{'mostly' if share >= 0.5 else 'most of it'} {BY_NAME[name].words} ({share:.0%})"
