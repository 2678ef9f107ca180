"""Batches side by side on a processor, each on its own share of the threads."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Answer = TypeVar("Answer")


class Lanes:
    """As many as there are threads, where the device is a processor; one elsewhere.

    The threads of one operation wait for each other at its end, some thousand times a second. Where anything else
    runs, such as the children that decode for us, they wait for one that has no core: on two busy cores a batch on two
    threads took nearly twice as long as two batches side by side on one thread each.
    """

    def __init__(self, device: torch.device) -> None:
        self._threads = torch.get_num_threads()
        self.count = self._threads if device.type == "cpu" else 1
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="lane")

    def share(self, items: int) -> int:
        """So many items in each lane that none stays empty."""
        return math.ceil(items / self.count)

    def map(self, run: Callable[[Batch], Answer], batches: Sequence[Batch]) -> Iterator[Answer]:
        """The answers in the order of the batches."""
        side_by_side = min(self.count, len(batches))
        if side_by_side < 2:
            yield from map(run, batches)
            return
        try:
            yield from self._pool.map(self._alone(run, self._threads // side_by_side), batches)
        finally:
            torch.set_num_threads(self._threads)  # part of torch's setting is the whole process's

    def _alone(self, run: Callable[[Batch], Answer], threads: int) -> Callable[[Batch], Answer]:
        def in_lane(batch: Batch) -> Answer:
            torch.set_num_threads(threads)  # the other part is each thread's own
            return run(batch)

        return in_lane
