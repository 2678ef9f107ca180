"""Threads search while their collection goes to another model and back: no error, k hits, each answer of one model."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app import library, switching, upkeep
from app.catalog import collections, embeddings
from app.ingest.workshop import Workshop
from app.search.desk import SearchDesk
from app.search.query import Page
from tests.conftest import paint
from tests.workshop import COLLECTION, fill, work

OLD, NEW = "untrained_vits14", "dinoseek_tiny14"
PICTURES, K = 24, 10


@pytest.fixture
def filled(shop_on_both, tmp_path):
    """Two dozen pictures with a snapshot, as a collection large enough has one."""
    for number in range(PICTURES):
        paint(tmp_path / "photos" / f"{number}.jpg", number)
    library.create_collection(shop_on_both.resources, COLLECTION, OLD, encoders=shop_on_both.encoders)
    fill(shop_on_both, tmp_path / "photos")
    return shop_on_both


class Traffic:
    """Searches by file and by stored vector, each held against the cosines of the model that it names."""

    def __init__(self, shop: Workshop, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        self.desk = SearchDesk(shop.resources, shop.decoder, shop.encoders)
        self.truth: dict[str, np.ndarray] = {}  # cosines (N, N) of all pairs, by model
        self.done = threading.Event()
        self.seen: list[str] = []

    def learn(self) -> None:
        """The vectors of the model that answers now, straight from the rows; picture n has the id n + 1."""
        with self.shop.resources.catalog.read() as session:
            key = collections.model_of(session, collections.get(session, COLLECTION))
            _, vectors = embeddings.of(session, range(1, PICTURES + 1), key.id)
        self.truth[key.model] = vectors @ vectors.T

    def search(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not self.done.is_set():
            image_id = int(rng.integers(1, PICTURES + 1))
            if rng.random() < 0.5:
                path = Path(library.picture(self.shop.resources, image_id).path)
                self.check(image_id, self.desk.by_file(COLLECTION, path, k=K))
            else:
                self.check(image_id, self.desk.by_image(COLLECTION, image_id, k=K))

    def check(self, asked: int, page: Page) -> None:
        assert len(page.hits) == K
        expected = self.truth[page.model][asked - 1]
        scores = np.array([hit.score for hit in page.hits])
        np.testing.assert_allclose(scores, expected[[hit.image_id - 1 for hit in page.hits]], atol=2e-3)
        assert np.all(scores[:-1] >= scores[1:])
        self.seen.append(page.model)


def go_over(traffic: Traffic, model: str) -> None:
    switching.begin(traffic.shop.resources, COLLECTION, traffic.shop.encoders, model)
    work(traffic.shop)
    switching.advance(traffic.shop.resources, 1)
    assert library.collection(traffic.shop.resources, COLLECTION).model == model


def to_and_fro(filled: Workshop, folder: Path, switches: int, threads: int) -> Traffic:
    traffic = Traffic(filled, folder)
    for model in (NEW, OLD):  # both are known before anybody asks
        go_over(traffic, model)
        traffic.learn()
    with ThreadPoolExecutor(threads) as pool:
        searches = [pool.submit(traffic.search, seed) for seed in range(threads)]
        try:
            for number in range(switches):
                settled = len(traffic.seen) + 2 * threads
                while len(traffic.seen) < settled and not any(search.done() for search in searches):
                    traffic.done.wait(0.02)
                go_over(traffic, (NEW, OLD)[number % 2])
        finally:
            traffic.done.set()
        for search in searches:
            search.result()
    return traffic


@pytest.mark.parametrize(
    "least_tail",
    [pytest.param(4, id="with snapshots"), pytest.param(10**6, id="rows alone", marks=pytest.mark.soak)],
)
def test_every_answer_is_of_one_model_while_the_collection_goes_over(filled, tmp_path, monkeypatch, least_tail):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", least_tail)
    traffic = to_and_fro(filled, tmp_path / "photos", switches=4, threads=3)
    assert {OLD, NEW} == set(traffic.seen)
    assert (upkeep.status(filled.resources, COLLECTION).snapshot is not None) == (least_tail == 4)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_twelve_threads_search_through_60_switches(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "LEAST_TAIL", 4)
    traffic = to_and_fro(filled, tmp_path / "photos", switches=60, threads=12)
    assert len(traffic.seen) > 1000
