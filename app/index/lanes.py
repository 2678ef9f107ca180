"""How many searches run at once in this process, and how many OpenMP threads FAISS gives each."""

import os
import threading

import faiss


class Lanes:
    """A `with` block around a search: waits for a free lane, then sets FAISS's threads for this one.

    A server wants many searches of one thread each; a batch job wants one search on all cores. Without a bound, each
    of twenty web threads would start a team of OpenMP threads beside those of torch and numpy.
    """

    def __init__(self, searches: int, threads: int) -> None:
        self._threads = threads
        self._free = threading.BoundedSemaphore(searches)

    def __enter__(self) -> None:
        self._free.acquire()
        # OpenMP keeps this number per calling thread, so setting it once at start would miss every other thread.
        faiss.omp_set_num_threads(self._threads)

    def __exit__(self, *_) -> None:
        self._free.release()


SERVING = Lanes(searches=os.cpu_count() or 1, threads=1)
