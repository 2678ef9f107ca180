"""The jobs' bodies: a guard ladder and one call each. Running one twice is harmless."""

import contextlib
import logging
from collections.abc import Iterator
from functools import partial

from celery import shared_task
from celery.worker import state

from app import switching, upkeep
from app.audits import runs
from app.catalog.states import Priority
from app.errors import AlreadyExists, AppError, NotFound
from app.ingest.embed import embed_pending
from app.ingest.sweep import sweep, waiting_persons
from app.ingest.workshop import Workshop
from app.jobs import LONGEST_TASK_S, Job, Queue, enqueue
from app.search.refresh import Readers
from workers import process
from workers.pulse import LONGEST_BUILD_S, STUCK_S

log = logging.getLogger(__name__)

PAUSE_AFTER_TROUBLE_S = 10.0  # missing weights don't come back within milliseconds


@shared_task(name=Job.EMBED_PENDING)
def embed(collection_id: int) -> None:
    shop = process.current.workshop
    with _at_work():
        should_stop = partial(_should_stop, shop, collection_id)
        more = embed_pending(shop, collection_id, budget_s=LONGEST_TASK_S / 2, should_stop=should_stop)
        for other in _persons_elsewhere(shop, collection_id):
            enqueue(shop.resources.settings, Job.EMBED_PENDING, Queue.QUERIES, collection_id=other)
        enqueue(shop.resources.settings, Job.EMBED_PENDING if more else Job.BUILD_SNAPSHOT, collection_id=collection_id)


@shared_task(name=Job.BUILD_SNAPSHOT)
def build_snapshot(collection_id: int) -> None:
    resources = process.current.workshop.resources
    with _at_work(stuck_s=LONGEST_BUILD_S):
        switching.advance(resources, collection_id)
        upkeep.rebuild(resources, collection_id)


@shared_task(name=Job.RUN_AUDIT)
def run_audit(audit_id: int) -> None:
    shop = process.current.workshop
    with _at_work(stuck_s=LONGEST_BUILD_S), contextlib.suppress(AlreadyExists):
        runs.run(shop.resources, audit_id, shop.decoder, Readers(shop.resources), partial(_makes_room, shop))


def _makes_room(shop: Workshop) -> bool:
    """Pictures that wait to become searchable go before an audit, which looks at those that are."""
    return state.should_stop is not None or bool(sweep(shop.resources, shop.priority))


def _should_stop(shop: Workshop, collection_id: int) -> bool:
    """Asked after each batch: is the worker told to end, or does a person wait in another collection."""
    told_to_end = state.should_stop is not None  # else the exit code to end with, which is 0
    return told_to_end or bool(_persons_elsewhere(shop, collection_id))


def _persons_elsewhere(shop: Workshop, collection_id: int) -> set[int]:
    serves_persons = shop.priority is not Priority.BULK
    return set(waiting_persons(shop.resources)) - {collection_id} if serves_persons else set()


@contextlib.contextmanager
def _at_work(stuck_s: float = STUCK_S) -> Iterator[None]:
    """Hold the pulse while a task runs. A refusal is shown where people look: the rows still say what remains."""
    worker, trouble = process.current, None
    worker.pulse.task_started(stuck_s)
    try:
        yield
    except NotFound as gone:
        log.info("%s: nothing to do", gone)
    except AppError as refusal:
        log.error("%s", refusal)
        trouble = str(refusal)
    except Exception as error:
        trouble = f"{type(error).__name__}: {error}"  # a full disk, a graphics card out of memory
        raise
    finally:
        _report(worker, trouble)
        worker.pulse.task_ended(PAUSE_AFTER_TROUBLE_S if trouble else 0.0)


def _report(worker: process.WorkerProcess, trouble: str | None) -> None:
    """Where the database is the trouble it can't be told there, and the pulse must still go on."""
    try:
        worker.heartbeat.report(trouble)
    except AppError as refusal:
        log.error("%s", refusal)
