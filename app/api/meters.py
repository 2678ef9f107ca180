"""What Prometheus reads: figures from SQL at the time of a scrape, kept for seconds, and this page's searches.

Collections go by their number: a name, such as a person's, tells about the pictures.
"""

import shutil
import threading
import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.ingest.census import Census, take_census
from app.resources import Resources
from app.search.query import Page

KEPT_S = 5.0  # however often and by however many it is asked, the database is asked no more often
SEARCH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meters:
    """The registry of one page: the catalogue's figures, and a histogram of its searches."""

    def __init__(self, resources: Resources) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(CatalogueMeter(resources))
        self._search = Histogram(
            "dinoseek_search_seconds",
            "Time that a search by picture took on this page, decoding and embedding included.",
            buckets=SEARCH_BUCKETS_S,
            registry=self._registry,
        )

    def note_search(self, page: Page) -> None:
        self._search.observe(page.took_ms["total"] / 1000)

    def text(self) -> bytes:
        """In the Prometheus text format. Raises ServiceUnavailable when the database can't be asked."""
        return generate_latest(self._registry)


class CatalogueMeter(Collector):
    """Reads a census at most every few seconds, by one thread at a time."""

    def __init__(self, resources: Resources, kept_s: float = KEPT_S) -> None:
        self._resources = resources
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._census: Census | None = None
        self._taken_at = 0.0

    def describe(self) -> Iterable[Metric]:
        return []  # else the database would be asked when this is registered

    def collect(self) -> Iterator[Metric]:
        census = self._fresh()
        yield from (family(census) for family in FAMILIES)
        free = shutil.disk_usage(self._resources.settings.home).free
        yield GaugeMetricFamily("dinoseek_disk_free_bytes", "Free on the disk of DINOSEEK_HOME.", value=free)

    def _fresh(self) -> Census:
        with self._lock:
            if self._census is None or time.monotonic() - self._taken_at > self._kept_s:
                self._census, self._taken_at = take_census(self._resources), time.monotonic()
            return self._census


def _gauge(name: str, meaning: str, labels: tuple[str, ...], samples: dict) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, number in samples.items():
        family.add_metric([str(value) for value in values], number)
    return family


def _images(census: Census) -> Metric:
    return _gauge("dinoseek_images", "Pictures by collection and status.", ("collection", "status"), census.images)


def _failures(census: Census) -> Metric:
    by_code = {(code,): number for code, number in census.failures.items()}
    return _gauge("dinoseek_failures", "Pictures refused or set aside, by the reason's short word.", ("code",), by_code)


def _workers(census: Census) -> Metric:
    alive: dict[tuple[str, str], int] = {}
    for worker in census.workers:
        kind = (worker.device, worker.model or "")
        alive[kind] = alive.get(kind, 0) + 1
    return _gauge("dinoseek_workers_alive", "Workers that gave a sign of life.", ("device", "model"), alive)


def _rate(census: Census) -> Metric:
    meaning = "Pictures per second of all workers together."
    return GaugeMetricFamily("dinoseek_images_per_second", meaning, value=census.images_per_s)


def _stages(census: Census) -> Metric:
    meaning = "Seconds per picture by stage of the work, the mean of the workers at it."
    by_stage = {(stage,): seconds for stage, seconds in census.stage_s.items()}
    return _gauge("dinoseek_stage_seconds", meaning, ("stage",), by_stage)


def _unclaimed(census: Census) -> Metric:
    meaning = "For how long work has waited that no worker claims; 0 while none waits or somebody is at it."
    return _gauge("dinoseek_unclaimed_seconds", meaning, ("collection",), _by_collection(census.unclaimed_s))


def _tails(census: Census) -> Metric:
    meaning = "Searchable pictures that are not in the index's snapshot yet, and are scanned beside it."
    return _gauge("dinoseek_snapshot_tail", meaning, ("collection",), _by_collection(census.tails))


def _by_collection(numbers: dict[int, float]) -> dict[tuple[int], float]:
    return {(collection_id,): number for collection_id, number in numbers.items()}


FAMILIES = (_images, _failures, _workers, _rate, _stages, _unclaimed, _tails)
