"""The crew: worker processes that paint, as many as the work deserves."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

CHUNK = 8  # like pictures a worker paints in a row: it then draws each object once
MOST_WORKERS = 8  # each holds two hundred megabytes of sprites and layers


def crew(files: int) -> ProcessPoolExecutor:
    """Spawned, not forked: callers have threads."""
    count = max(1, min(os.cpu_count() or 1, MOST_WORKERS, -(-files // CHUNK)))
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def finished(pool: ProcessPoolExecutor, calls: Iterable[tuple]) -> Iterator:
    """What each call returns a list of, as it is finished; a call is a function and its arguments."""
    for future in as_completed([pool.submit(*call) for call in calls]):
        yield from future.result()
