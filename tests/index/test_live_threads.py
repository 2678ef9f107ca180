"""Threads search while one writes. FAISS itself crashes here: two of two runs, when an index grows under a search."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest

from app.index.lanes import Lanes
from app.index.live import LiveIndex
from tests.index.plain import make_snapshot, unit_vectors
from tests.program import PATIENCE_S

DIM, IN_SNAPSHOT, FRESH, READERS, K = 32, 2000, 2500, 6, 10


def test_readers_see_only_true_live_and_complete_answers_while_one_writes(tmp_path):
    vectors = unit_vectors(1 + IN_SNAPSHOT + FRESH, DIM)  # row = id
    opened = make_snapshot(tmp_path / "1", np.arange(1, IN_SNAPSHOT + 1), vectors[1 : IN_SNAPSHOT + 1])
    index = LiveIndex(DIM, opened)
    buried_up_to = searchable_up_to = 0  # what the writer had done by then; ids below the first are dead for good
    done, searches = threading.Event(), []

    def write() -> None:
        nonlocal buried_up_to, searchable_up_to
        searchable_up_to = IN_SNAPSHOT
        for start in range(IN_SNAPSHOT + 1, len(vectors), 7):
            ids = np.arange(start, min(start + 7, len(vectors)))
            index.absorb(ids, vectors[ids])
            searchable_up_to = int(ids[-1])
            dead = np.arange(buried_up_to + 1, buried_up_to + 4)
            index.bury(dead)
            buried_up_to = int(dead[-1])
            index.absorb(ids[:1], vectors[ids[:1]])  # delivered twice
        done.set()

    def read(seed: int) -> None:
        chance = np.random.default_rng(seed)
        while not done.is_set():
            dead, wanted = buried_up_to, int(chance.integers(buried_up_to + 500, searchable_up_to + 1))
            found = index.search(vectors[wanted][None], K)[0]
            ids = [hit.image_id for hit in found]
            assert ids[0] == wanted or wanted <= buried_up_to
            assert len(set(ids)) == K and min(ids) > dead
            scores = [hit.score for hit in found]
            assert scores == sorted(scores, reverse=True)
            np.testing.assert_allclose(scores, vectors[ids].astype(np.float64) @ vectors[wanted], atol=1e-6)
            searches.append(wanted)

    _together([write, *(lambda seed=seed: read(seed) for seed in range(READERS))])
    assert index.vectors == IN_SNAPSHOT + FRESH - buried_up_to
    assert len(searches) > 200


def test_rows_absorbed_by_several_writers_are_all_there():
    index, vectors = LiveIndex(DIM), unit_vectors(801, DIM)

    def write(first: int) -> None:
        for image in range(first, 801, 4):
            index.absorb(np.array([image]), vectors[image][None])

    _together([lambda first=first: write(first) for first in (1, 2, 3, 4)])
    stored = index.vectors_of(np.arange(1, 801))
    assert sorted(stored.ids.tolist()) == list(range(1, 801))
    assert (stored.vectors == vectors[stored.ids]).all()


def test_no_more_searches_run_at_once_than_there_are_lanes_and_each_has_its_threads():
    lanes, two = Lanes(searches=2, threads=3), threading.Barrier(2, timeout=PATIENCE_S)
    running, seen = [], []

    def search() -> None:
        with lanes:
            running.append(None)
            two.wait()  # for another: there is a lane for it
            seen.append((len(running), faiss.omp_get_max_threads()))
            running.pop()

    _together([search] * 12)
    assert {threads for _, threads in seen} == {3}
    assert max(count for count, _ in seen) == 2


def test_one_search_is_spread_over_the_lanes_and_keeps_its_order():
    lanes, two = Lanes(searches=2, threads=3), threading.Barrier(2, timeout=PATIENCE_S)

    def search(some: np.ndarray) -> list[tuple[int, int]]:
        two.wait()  # for another: there is a lane for it
        return [(number, faiss.omp_get_max_threads()) for number in some.tolist()]

    assert lanes.spread(search, np.arange(5)) == [(number, 3) for number in range(5)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_fails_on_its_way_gives_its_lanes_back(count):
    lanes = Lanes(searches=1, threads=1)
    with pytest.raises(ZeroDivisionError):
        lanes.spread(lambda some: 1 // 0, np.arange(count))
    assert lanes.spread(np.ndarray.tolist, np.arange(count)) == list(range(count))


def test_what_is_spread_waits_while_others_have_all_lanes():
    lanes, began = Lanes(searches=2, threads=1), threading.Event()

    def search(some: np.ndarray) -> list[int]:
        began.set()
        return some.tolist()

    with ThreadPoolExecutor(1) as pool:
        with lanes, lanes:
            found = pool.submit(lanes.spread, search, np.arange(4))
            assert not began.wait(0.2)
        assert found.result(PATIENCE_S) == [0, 1, 2, 3]


def _together(acts: list[Callable[[], None]]) -> None:
    """Run each in a thread of its own; the first exception of any is raised here."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(act) for act in acts]:
            future.result()
