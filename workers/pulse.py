"""The pulse of a worker: while it is idle it looks at the ledger and sends itself what waits.

In the embedded mode this is how work is found, a few times a second. With a broker it is the sweep that makes lost
messages harmless: only idle workers send, so messages can't pile up.
"""

import logging
import os
import threading
import time

from celery import Celery

from app import switching, upkeep
from app.ingest.sweep import sweep
from app.jobs import BULK_QUEUE, Job
from app.resources import Resources

log = logging.getLogger(__name__)

UPKEEP_S = 5.0  # how often an idle worker asks whether an index is due
GRACE_S = 3.0  # a message just sent gets this long to arrive before it is sent again
STUCK_S = 1800.0  # a task's budget is half a minute and a batch; the slowest legal batch decodes for six minutes
LONGEST_BUILD_S = 6 * 3600.0  # of an index of ten million vectors, on a busy machine
STUCK = 75  # EX_TEMPFAIL


class Pulse(threading.Thread):
    def __init__(self, app: Celery, resources: Resources, stopping: threading.Event) -> None:
        super().__init__(name="pulse", daemon=True)
        self._app = app
        self._resources = resources
        self._stopping = stopping
        self._idle = threading.Event()
        self._idle.set()
        settings = resources.settings
        self._interval_s = settings.poll_s if settings.broker is None else settings.sweep_s
        self._quiet_until = 0.0
        self._upkeep_at = 0.0
        self._busy_since, self._stuck_s = 0.0, STUCK_S

    def task_started(self, stuck_s: float) -> None:
        self._busy_since, self._stuck_s = time.monotonic(), stuck_s
        self._idle.clear()

    def task_ended(self, pause_s: float = 0.0) -> None:
        self._quiet_until = time.monotonic() + pause_s
        self._idle.set()

    def run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            if not self._idle.is_set():
                self._end_if_stuck()
            elif time.monotonic() > self._quiet_until:
                self._look()

    def _end_if_stuck(self) -> None:
        """A network step or a device that hangs can't be interrupted from within: the supervisor starts afresh."""
        if time.monotonic() - self._busy_since > self._stuck_s:
            log.error("a task has run for over %.0f s: ending this worker, its leases run out", self._stuck_s)
            os._exit(STUCK)

    def _look(self) -> None:
        try:
            self._send(Job.EMBED_PENDING, waiting := sweep(self._resources))
            self._send(Job.BUILD_SNAPSHOT, switching.ripe(self._resources))
            if not waiting and time.monotonic() > self._upkeep_at:
                self._upkeep_at = time.monotonic() + UPKEEP_S
                self._send(Job.BUILD_SNAPSHOT, upkeep.due(self._resources))
        except Exception as error:  # noqa: BLE001  (whatever database or broker throw: the pulse must go on)
            log.warning("could not look for work (%s): looking again in %.1f s", error, self._interval_s)

    def _send(self, job: Job, collection_ids: list[int]) -> None:
        for collection_id in collection_ids:
            self._quiet_until = time.monotonic() + GRACE_S
            self._app.send_task(job, kwargs={"collection_id": collection_id}, queue=BULK_QUEUE, retry=False)
