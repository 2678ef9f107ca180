"""Twenty threads search while rows come and go and one snapshot replaces another: no error, no dead id, k live hits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import func, select

from app import upkeep
from app.catalog import collections, images
from app.catalog.models import Image, Snapshot
from app.index import recipe
from app.resources import Resources
from app.search.refresh import Readers
from tests.rows import fill_rows

DIM, FIRST, K = 24, 1500, 10


class Traffic:
    """What writers have done, as searchers may rely on it: ids hidden before a search began must not show."""

    def __init__(self, resources: Resources, swaps: int) -> None:
        self.resources, self.swaps = resources, swaps
        self.readers = Readers(resources)
        self.hidden: set[int] = set()
        self.done = threading.Event()
        self.searches = 0

    def build(self) -> None:
        for _ in range(self.swaps):
            assert upkeep.rebuild(self.resources, 1, force=True)
        self.done.set()

    def write(self) -> None:
        seed, visible = 1, list(range(1, FIRST + 1))
        while not self.done.is_set():
            visible += fill_rows(self.resources, 5, DIM, seed).tolist()
            gone, visible = visible[:4], visible[4:]
            with self.resources.catalog.begin() as session:
                for image_id in gone:
                    images.hide_gone(session, session.get_one(Image, image_id))
            self.hidden |= set(gone)
            seed += 1

    def search(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not self.done.is_set():
            query = rng.normal(size=(1, DIM)).astype(np.float32)
            hidden = set(self.hidden)
            with self.resources.catalog.read() as session:
                collection = collections.get(session, "photos")
                live = self.readers.fresh(session, collection, collections.model_of(session, collection))
                hits = live.search(query / np.linalg.norm(query), K)[0]
            ids = {hit.image_id for hit in hits}
            assert len(ids) == K
            assert not ids & hidden
            self.searches += 1


def swap(resources: Resources, swaps: int, threads: int) -> Traffic:
    fill_rows(resources, FIRST, DIM)
    traffic = Traffic(resources, swaps)
    acts = [traffic.build, traffic.write, *(lambda seed=seed: traffic.search(seed) for seed in range(threads))]
    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(act) for act in acts]
        try:
            for future in futures:
                future.result()
        finally:
            traffic.done.set()
    with resources.catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Snapshot)) >= swaps
    return traffic


@pytest.mark.parametrize("layout", [pytest.param("exact", marks=pytest.mark.soak), "cells-8bit"])
def test_searches_go_on_through_swaps_with_rows_coming_and_going(resources, monkeypatch, layout):
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe(layout),))
    assert swap(resources, swaps=3, threads=4).searches > 10


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("layout", ["exact", "cells-8bit"])
def test_20_threads_search_through_100_swaps(resources_on_both, monkeypatch, layout):
    monkeypatch.setattr(recipe, "RECIPES", (recipe.get_recipe(layout),))
    traffic = swap(resources_on_both, swaps=100, threads=20)
    assert traffic.searches > 1000
    assert len(traffic.hidden) > 100
