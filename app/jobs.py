"""Names of the jobs that workers do, and how one is asked for. No bodies: `workers.tasks` has those.

A message only wakes a worker. The work itself is in the rows, so a lost message costs a sweep and never a picture.
"""

import enum
import functools
import logging

from celery import Celery
from kombu.exceptions import OperationalError

from app.faults import Point, reach
from app.settings import Settings

log = logging.getLogger(__name__)

SUPERVISOR_PID = "DINOSEEK_SUPERVISOR_PID"  # in a worker's environment: it ends when this process is gone
EMBEDDED_BROKER = "memory://localhost"  # within the worker's process: its pulse sends to itself
CONNECT_TIMEOUT_S = 2.0
LONGEST_TASK_S = 60.0


class Queue(enum.StrEnum):
    """A worker takes from the first as long as there is anything in it."""

    QUERIES = "queries"  # a person waits
    BULK = "bulk"


class Job(enum.StrEnum):
    EMBED_PENDING = "ingest.embed_pending"
    BUILD_SNAPSHOT = "upkeep.build_snapshot"
    RUN_AUDIT = "audits.run_audit"


def enqueue(settings: Settings, job: Job, queue: Queue = Queue.BULK, **ids: int) -> bool:
    """Wake a worker for this job. False when the broker can't be reached: the sweep will find the work.

    Without a broker there is nothing to send: embedded workers look at the catalogue several times a second.
    """
    reach(Point.BEFORE_ENQUEUE)
    if settings.broker is None:
        return True
    try:
        producer(settings.broker).send_task(job, kwargs=ids, queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the broker can't be reached (%s): the work is kept and found by the next sweep", error)
        return False
    return True


@functools.lru_cache(maxsize=1)
def producer(broker: str) -> Celery:
    return Celery("dinoseek", broker=broker, set_as_current=False, config_source=transport_config())


def transport_config() -> dict:
    """What producers and workers must agree on: JSON only, no results, loss bounded by our own lease."""
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "result_backend": None,
        "task_default_queue": Queue.BULK,
        "broker_transport_options": {
            "visibility_timeout": 4 * LONGEST_TASK_S,
            "unacked_restore_throttle": 1,
            "queue_order_strategy": "priority",  # of Redis: as the worker names its queues, never in turn
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "max_retries": 1,
            "polling_interval": 0.1,  # of the in-process broker; Redis blocks and has no use for it
        },
        "broker_connection_timeout": CONNECT_TIMEOUT_S,
    }
