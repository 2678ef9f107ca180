"""A worker's heartbeat: while it is at work, what it holds stays its own."""

import logging
import threading

from app.catalog import leases, workers
from app.ingest.sweep import retire_dead
from app.ingest.workshop import Workshop

log = logging.getLogger(__name__)


class Heartbeat:
    """A thread that gives one worker's sign of life until it is stopped, and renews its leases while it is at work."""

    def __init__(self, workshop: Workshop, device: str) -> None:
        self._workshop = workshop
        self._resources = workshop.resources
        self._name = workshop.name
        self._device = device
        self._stopped = threading.Event()
        self._reported: str | None = None
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Announce the worker; take over from workers of this host that died with work in their hands."""
        retire_dead(self._resources)
        with self._resources.catalog.begin() as session:
            workers.announce(session, self._name, self._device)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        with self._resources.catalog.begin() as session:
            leases.give_back(session, self._name)
            leases.end_leases(session, [self._name])

    def report(self, trouble: str | None) -> None:
        """Say why a task could not be done, where people look; None when one could."""
        if trouble == self._reported:
            return
        with self._resources.catalog.begin() as session:
            workers.beat(session, self._name, trouble=trouble)
        self._reported = trouble

    def _beat(self) -> None:
        while not self._stopped.wait(workers.BEAT_S):
            try:
                self._beat_once()
            except Exception as error:  # noqa: BLE001  (a lease outlives a few missed beats; the next may get through)
                log.warning("no heartbeat: %s", error)

    def _beat_once(self) -> None:
        if not self._workshop.at_work:
            self._workshop.give_back_owed()
        with self._resources.catalog.begin() as session:
            if self._workshop.at_work:
                leases.renew(session, self._name, self._resources.settings.lease_s)
            workers.beat(session, self._name)
