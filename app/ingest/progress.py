"""How far a collection is, from SQL counts: they are true whatever the broker says."""

from dataclasses import dataclass

from app.catalog import collections, overview, workers
from app.resources import Resources


@dataclass(frozen=True)
class WorkerFacts:
    name: str
    device: str
    model: str | None
    images_per_s: float | None
    heartbeat_age_s: float
    trouble: str | None  # why its last task could not be done; None while all is well


@dataclass(frozen=True)
class Progress:
    total: int
    ready: int
    waiting: int
    resting: int  # of those that wait: for a disk or a server that is away
    failed: int
    rate_per_s: float | None  # of all workers together; None while none is at work
    eta_s: float | None
    workers: list[WorkerFacts]

    @property
    def trouble(self) -> str | None:
        """What stops every worker there is, if something does."""
        told = [worker.trouble for worker in self.workers]
        return told[0] if told and all(told) else None

    @property
    def done_share(self) -> float:
        return 1.0 if not self.total else (self.ready + self.failed) / self.total


def progress(resources: Resources, collection_name: str) -> Progress:
    with resources.catalog.read() as session:
        collection_id = collections.get(session, collection_name).id
        totals, resting = overview.totals(session, collection_id), overview.resting(session, collection_id)
        alive = [_facts(worker, age_s) for worker, age_s in workers.alive(session)]
    waiting = totals["pending"]
    rate = sum(worker.images_per_s or 0.0 for worker in alive) or None
    return Progress(
        total=totals["images"],
        ready=totals["ready"],
        waiting=waiting,
        resting=resting,
        failed=totals["failed"],
        rate_per_s=rate if waiting else None,
        eta_s=waiting / rate if waiting and rate else None,
        workers=alive,
    )


def workers_alive(resources: Resources) -> list[WorkerFacts]:
    with resources.catalog.read() as session:
        return [_facts(worker, age_s) for worker, age_s in workers.alive(session)]


def _facts(worker, age_s: float) -> WorkerFacts:
    return WorkerFacts(worker.name, worker.device, worker.model, worker.images_per_s, age_s, worker.trouble)
