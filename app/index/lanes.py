"""How many searches run at once in this process, and how many OpenMP threads FAISS gives each."""

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import faiss
from threadpoolctl import threadpool_limits

AHEAD = 32  # results a core may have ready before they are taken

Given = TypeVar("Given")
Made = TypeVar("Made")


class Lanes:
    """A `with` block around a search: waits for a free lane, then sets FAISS's threads for this one.

    A server wants many searches of one thread each; a batch job wants one search on all cores. Without a bound, each
    of twenty web threads would start a team of OpenMP threads beside those of torch and numpy.
    """

    def __init__(self, searches: int, threads: int) -> None:
        self._searches, self._threads = searches, threads
        self._free = threading.BoundedSemaphore(searches)

    def __enter__(self) -> None:
        self._free.acquire()
        # OpenMP keeps this number per calling thread, so setting it once at start would miss every other thread.
        faiss.omp_set_num_threads(self._threads)

    def __exit__(self, *_) -> None:
        self._free.release()

    def each(self, search: Callable[[Given], Made], given: Sequence[Given]) -> list[Made]:
        """What `search` makes of each, in their order; side by side where lanes are free."""
        with ThreadPoolExecutor(max(1, min(self._searches, len(given)))) as pool:
            return list(pool.map(functools.partial(self._inside, search), given))

    def _inside(self, search: Callable[[Given], Made], one: Given) -> Made:
        with self:
            return search(one)


SERVING = Lanes(searches=os.cpu_count() or 1, threads=1)


def on_each_core(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """What `make` makes of each, in their order, for a batch job that wants all cores: numpy lets go of Python's lock.

    One thread a product, for FAISS and numpy alike: where others use the machine too, two threads that wait for one
    another took eight times as long for the small products of a join.
    """
    cores, given = os.cpu_count() or 1, iter(given)
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(cores, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool,
    ):
        while some := list(islice(given, cores * AHEAD)):
            yield from pool.map(make, some)
