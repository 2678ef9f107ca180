"""The pulse of a worker: while it is idle it looks at the ledger and sends itself what waits.

In the embedded mode this is how work is found, a few times a second. With a broker it is the sweep that makes lost
messages harmless: only idle workers send, so messages can't pile up. One that is sent messages and gets none is deaf,
and ends: its supervisor starts it again.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence

from celery import Celery

from app import switching, upkeep
from app.audits import runs
from app.audits.acting import settling
from app.catalog.states import Priority
from app.ingest.sweep import sweep, waiting_persons
from app.jobs import Job, Queue
from app.resources import Resources

log = logging.getLogger(__name__)

UPKEEP_S = 5.0  # how often an idle worker asks whether an index is due
FINISH_S = 60.0  # how often it looks whether files were left half way into quarantine, or out of it
GRACE_S = 3.0  # a message just sent gets this long to arrive before it is sent again
STUCK_S = 1800.0  # a task's budget is half a minute and a batch; the slowest legal batch decodes for nineteen
LONGEST_BUILD_S = 6 * 3600.0  # of an index of ten million vectors, on a busy machine
DEAF_S = 60.0  # work waits and messages are sent for so long, and none arrives: the line to the broker is dead
STUCK = 75  # EX_TEMPFAIL
PRIORITIES = {(Queue.QUERIES,): Priority.PERSON, (Queue.BULK,): Priority.BULK}  # of a worker with one queue alone


class Pulse(threading.Thread):
    def __init__(
        self, app: Celery, resources: Resources, stopping: threading.Event, queues: Sequence[Queue] = tuple(Queue)
    ) -> None:
        super().__init__(name="pulse", daemon=True)
        self._app = app
        self._resources = resources
        self._stopping = stopping
        self._queues = tuple(queues)
        self._idle = threading.Event()
        self._idle.set()
        settings = resources.settings
        self._interval_s = settings.poll_s if settings.broker is None else settings.sweep_s
        self._quiet_until = 0.0
        self._upkeep_at = 0.0
        self._finish_at = 0.0
        self._busy_since, self._stuck_s = 0.0, STUCK_S
        self._unheard_since: float | None = None  # when the first of the messages was sent that none answered yet

    @property
    def priority(self) -> Priority | None:
        """Of the images this worker takes; none: of all."""
        return PRIORITIES.get(self._queues)

    def task_started(self, stuck_s: float) -> None:
        self._busy_since, self._stuck_s = time.monotonic(), stuck_s
        self._unheard_since = None
        self._idle.clear()

    def task_ended(self, pause_s: float = 0.0) -> None:
        self._quiet_until = time.monotonic() + pause_s
        self._idle.set()

    def run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            if not self._idle.is_set():
                self._end_if_stuck()
            elif self._unheard_since and time.monotonic() - self._unheard_since > DEAF_S:
                self._end("work waits, and none of the messages sent for %.0f s arrived", DEAF_S)
            elif time.monotonic() > self._quiet_until:
                self._look()

    def _end_if_stuck(self) -> None:
        """A network step or a device that hangs can't be interrupted from within: the supervisor starts afresh."""
        if time.monotonic() - self._busy_since > self._stuck_s:
            self._end("a task has run for over %.0f s", self._stuck_s)

    def _end(self, why: str, seconds: float) -> None:
        log.error(f"{why}: ending this worker, it is started again", seconds)
        os._exit(STUCK)

    def _look(self) -> None:
        try:
            waiting = sweep(self._resources, self.priority)
            self._send_work(waiting)
            self._send_switches()
            if not waiting:
                self._unheard_since = None
                self._send_audits()
                self._look_after_indexes()
                self._look_after_moves()
        except Exception as error:  # noqa: BLE001  (whatever database or broker throw: the pulse must go on)
            log.warning("could not look for work (%s): looking again in %.1f s", error, self._interval_s)

    def _send_work(self, waiting: Sequence[int]) -> None:
        persons = set(waiting_persons(self._resources)) if waiting else set()
        for collection_id in waiting:
            queue = Queue.QUERIES if collection_id in persons else Queue.BULK
            self._send(Job.EMBED_PENDING, queue, collection_id=collection_id)
            self._unheard_since = self._unheard_since or time.monotonic()

    def _send_switches(self) -> None:
        for collection_id in switching.ripe(self._resources) if Queue.BULK in self._queues else ():
            self._send(Job.BUILD_SNAPSHOT, Queue.BULK, collection_id=collection_id)

    def _send_audits(self) -> None:
        for audit_id in runs.waiting(self._resources) if Queue.BULK in self._queues else ():
            self._send(Job.RUN_AUDIT, Queue.BULK, audit_id=audit_id)

    def _look_after_indexes(self) -> None:
        if Queue.BULK not in self._queues or time.monotonic() < self._upkeep_at:
            return
        self._upkeep_at = time.monotonic() + UPKEEP_S
        for collection_id in upkeep.due(self._resources):
            self._send(Job.BUILD_SNAPSHOT, Queue.BULK, collection_id=collection_id)

    def _look_after_moves(self) -> None:
        if Queue.BULK in self._queues and time.monotonic() >= self._finish_at:
            self._finish_at = time.monotonic() + FINISH_S
            settling.finish_left(self._resources)

    def _send(self, job: Job, queue: Queue, **ids: int) -> None:
        self._quiet_until = time.monotonic() + GRACE_S
        queue = queue if queue in self._queues else self._queues[0]  # to itself, whatever it is
        self._app.send_task(job, kwargs=ids, queue=queue, retry=False)
