"""Figures of all collections at once, for who watches from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import upkeep
from app.catalog import backlogs, collections, failures, overview
from app.catalog.states import ImageStatus
from app.ingest.progress import WorkerFacts, workers_alive
from app.ingest.stages import STAGES
from app.resources import Resources


@dataclass(frozen=True)
class Census:
    """Keys named collection are ids."""

    images: dict[tuple[int, str], int]  # by collection and status
    failures: dict[str, int]  # by code
    unclaimed_s: dict[int, float]  # by collection; 0 while none waits or somebody is at work there
    tails: dict[int, int]  # by collection: searchable pictures beside its snapshot
    workers: list[WorkerFacts]

    @property
    def images_per_s(self) -> float:
        return sum(worker.images_per_s or 0.0 for worker in self.workers)

    @property
    def stage_s(self) -> dict[str, float]:
        """Seconds per picture by stage, the mean of the workers at work."""
        return _mean([worker.stage_s for worker in self.workers if worker.at_work and worker.stage_s])


def take_census(resources: Resources) -> Census:
    with resources.catalog.read() as session:
        ids = [row.id for row in collections.all_live(session)]
        counts = overview.counts_everywhere(session)
        codes = failures.counts_everywhere(session)
        unclaimed = {collection_id: backlogs.unclaimed_s(session, collection_id) or 0.0 for collection_id in ids}
    images = {(here, status.value): counts.get((here, status), 0) for here in ids for status in ImageStatus}
    return Census(images, codes, unclaimed, upkeep.tails(resources), workers_alive(resources))


def _mean(timings: Sequence[dict[str, float]]) -> dict[str, float]:
    if not timings:
        return {}
    return {stage.name: sum(timing.get(stage.name, 0.0) for timing in timings) / len(timings) for stage in STAGES}
