"""Contestants measured in turn, round after round, so that a slow minute of the machine is slow for all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Contestant = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """Seconds of each contestant by round; the first round warms up and is not kept."""

    seconds: Mapping[str, list[float]]

    def median_s(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratio(self, slower: str, faster: str) -> str:
        """Time of `slower` over time of `faster`: the median of the rounds' own ratios, and the middle half of them."""
        ratios = [a / b for a, b in zip(self.seconds[slower], self.seconds[faster], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def measure(contestants: Mapping[str, Contestant], rounds: int) -> Measured:
    for contestant in contestants.values():
        contestant()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            started = time.perf_counter()
            contestant()
            seconds[name].append(time.perf_counter() - started)
    return Measured(seconds)
