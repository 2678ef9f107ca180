"""How far a collection is, from SQL counts: they are true whatever the broker says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row

from app.catalog import backlogs, collections, overview, workers
from app.catalog.states import ImageStatus
from app.ingest.stages import shares_of
from app.library import ChangeFacts, change_facts
from app.resources import Resources

IDLE_S = 5.0  # a worker that holds nothing for longer than this is no longer between two tasks
UNCLAIMED_S = 30.0  # an idle worker looks twice a second, or every 20 s with a broker; a model loads within this
STALLED_S = 600.0  # the slowest legal batch, where each picture takes its decoder's whole time, takes six minutes


@dataclass(frozen=True)
class WorkerFacts:
    name: str
    host: str
    pid: int
    device: str
    model: str | None  # of its last work
    images_per_s: float | None  # now: what it did lately, less where it should have told of more by now
    images_done: int
    stage_s: dict[str, float]  # seconds per picture by stage, over its last half minute at work
    holding: int  # pictures it has claimed
    up_s: float
    heartbeat_age_s: float
    claim_age_s: float | None
    batch_age_s: float | None
    trouble: str | None  # why its last task could not be done; None while all is well

    @property
    def at_work(self) -> bool:
        return self.holding > 0 or (self.batch_age_s is not None and self.batch_age_s < IDLE_S)

    @property
    def quiet_s(self) -> float:
        """For how long it has held pictures without taking or finishing any."""
        ages = [age for age in (self.claim_age_s, self.batch_age_s) if age is not None]
        return min(ages) if self.holding and ages else 0.0


@dataclass(frozen=True)
class Obstacle:
    """What keeps waiting work from being done, and the way out."""

    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.what}: {self.way_out}"


@dataclass(frozen=True)
class Progress:
    total: int
    ready: int
    waiting: int  # for their first try or a further one
    resting: int  # of those that wait: for a disk or a server that is away
    failed: int
    rate_per_s: float | None  # of all workers together; None while none is at work
    eta_s: float | None
    unclaimed_s: float | None  # for how long work has waited that nobody claims; None while somebody is at it
    workers: list[WorkerFacts]
    change: ChangeFacts | None = None  # of model; new pictures go before it
    change_eta_s: float | None = None

    @property
    def trouble(self) -> str | None:
        """What stops every worker there is, if something does."""
        told = [worker.trouble for worker in self.workers]
        return told[0] if told and all(told) else None

    @property
    def done_share(self) -> float:
        return 1.0 if not self.total else (self.ready + self.failed) / self.total

    @property
    def stages(self) -> dict[str, float]:
        """Shares of the workers' time by stage, the largest first."""
        return shares_of([worker.stage_s for worker in self.workers if worker.at_work])

    @property
    def obstacle(self) -> Obstacle | None:
        """The first thing that keeps the waiting pictures waiting; None while they move, or soon will."""
        return _obstacle(self) if self.waiting else None


def progress(resources: Resources, collection_name: str) -> Progress:
    with resources.catalog.read() as session:
        collection = collections.get(session, collection_name)
        counts, resting = overview.counts(session, collection.id), overview.resting(session, collection.id)
        elsewhere = overview.waiting_elsewhere(session, collection.id)
        unclaimed_s = backlogs.unclaimed_s(session, collection.id)
        change = change_facts(session, collection)
        alive = [_facts(row) for row in workers.alive(session)]
    waiting = sum(counts[status] for status in overview.WAITING)
    to_change = change.waiting if change else 0
    rate = sum(worker.images_per_s or 0.0 for worker in alive) or None
    return Progress(
        total=sum(number for status, number in counts.items() if status is not ImageStatus.GONE),
        ready=counts[ImageStatus.READY],
        waiting=waiting,
        resting=resting,
        failed=counts[ImageStatus.FAILED],
        rate_per_s=rate if waiting or to_change else None,
        eta_s=eta_s(waiting, elsewhere, rate) if waiting and rate else None,
        unclaimed_s=unclaimed_s,
        workers=alive,
        change=change,
        change_eta_s=(waiting + to_change) / rate if to_change and rate else None,
    )


def workers_alive(resources: Resources) -> list[WorkerFacts]:
    with resources.catalog.read() as session:
        return [_facts(row) for row in workers.alive(session)]


def eta_s(waiting: int, elsewhere: Iterable[int], rate_per_s: float) -> float:
    """Workers take turns among the collections that wait: each gets as much done as this one until it is empty."""
    return (waiting + sum(min(waiting, other) for other in elsewhere)) / rate_per_s


def _obstacle(now: Progress) -> Obstacle | None:
    if not now.workers:
        return Obstacle("no worker is alive", "they are kept; start one with `dinoseek worker`, it takes some seconds")
    if now.trouble:
        return Obstacle("no worker can do its work", now.trouble)
    if (now.unclaimed_s or 0.0) > UNCLAIMED_S:
        return _unclaimed(now.unclaimed_s, now.workers)
    return _stalled(now.workers)


def _unclaimed(unclaimed_s: float, alive: Sequence[WorkerFacts]) -> Obstacle:
    what = f"work waits and nobody has claimed any for {unclaimed_s:,.0f} s"
    if any(worker.at_work for worker in alive):
        return Obstacle(what, "the workers are busy with other collections; a further `dinoseek worker` helps")
    if min(worker.up_s for worker in alive) < UNCLAIMED_S:
        return Obstacle(what, "a worker has just started; if it does so again and again, see its log")
    return Obstacle(what, "the workers are idle; start them again, and see what `dinoseek doctor` says of the broker")


def _stalled(alive: Sequence[WorkerFacts]) -> Obstacle | None:
    at_work = [worker for worker in alive if worker.holding]
    if not at_work or any(worker.quiet_s < STALLED_S for worker in at_work):
        return None
    quietest = max(at_work, key=lambda worker: worker.quiet_s)
    what = f"{quietest.name} has held {quietest.holding} pictures for {quietest.quiet_s:,.0f} s and finished none"
    return Obstacle(what, f"its device may hang: end process {quietest.pid} on {quietest.host}, nothing is lost")


def _facts(row: Row) -> WorkerFacts:
    worker = row.Worker
    return WorkerFacts(
        name=worker.name,
        host=worker.host,
        pid=worker.pid,
        device=worker.device,
        model=worker.model,
        images_per_s=_rate(worker.images_per_s, row.holding, row.batch_age_s),
        images_done=worker.images_done,
        stage_s=worker.stage_s or {},
        holding=row.holding,
        up_s=row.up_s,
        heartbeat_age_s=row.age_s,
        claim_age_s=row.claim_age_s,
        batch_age_s=row.batch_age_s,
        trouble=worker.trouble,
    )


def _rate(told: float | None, holding: int, batch_age_s: float | None) -> float | None:
    """What a worker told with its last batch, no more than it can have done since: it still holds what it holds."""
    if told is None or batch_age_s is None:
        return None
    if not holding:
        return told if batch_age_s < IDLE_S else None
    return min(told, holding / max(batch_age_s, 1e-3))
