"""How many searches run at once in this process, and how many OpenMP threads FAISS gives each."""

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

import faiss
import numpy as np
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

    def spread(self, search: Callable[[np.ndarray], Sequence[Made]], queries: np.ndarray) -> list[Made]:
        """What `search` makes of some of the rows of `queries` at a time, in their order.

        Each lane is waited for once, for its share of them: nobody else waits for longer than that. Not for use inside
        a lane, which would wait for itself.
        """
        shares = np.array_split(queries, max(1, min(self._searches, len(queries))))
        if len(shares) == 1:
            return list(self._inside(search, queries))
        with ThreadPoolExecutor(len(shares)) as pool:
            made = pool.map(functools.partial(self._inside, search), shares)
            return list(chain.from_iterable(made))

    def _inside(self, search: Callable[[np.ndarray], Sequence[Made]], share: np.ndarray) -> Sequence[Made]:
        with self:
            return search(share)


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
