"""This worker process: its workshop, its heartbeat, its pulse. Opened before the first task, closed after the last."""

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Sequence

from celery import Celery

from app.encoders import Encoders
from app.ingest.lease import Heartbeat
from app.ingest.workshop import Workshop
from app.jobs import SUPERVISOR_PID, Queue
from app.resources import open_resources
from app.settings import Settings
from app.vision.decoder import Decoder
from app.vision.encoder import choose_device
from workers.pulse import Pulse

log = logging.getLogger(__name__)

SUPERVISOR_LOOK_S = 1.0


class WorkerProcess:
    """Everything a task needs, and the two threads beside it."""

    def __init__(self, app: Celery, settings: Settings, queues: Sequence[Queue]) -> None:
        resources = open_resources(settings)
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self.pulse = Pulse(app, resources, self.stopping, queues)
        self.workshop = Workshop(resources, Encoders(settings), Decoder(settings), name, self.pulse.priority)
        self.heartbeat = Heartbeat(self.workshop, str(choose_device(settings.device)))

    def start(self) -> None:
        self._announce_or_end()
        self.pulse.start()
        if SUPERVISOR_PID in os.environ:
            threading.Thread(target=self._watch_supervisor, name="supervisor-watch", daemon=True).start()

    def _announce_or_end(self) -> None:
        """Celery would swallow a refusal and go on without a pulse, deaf to what waits: let us be started again."""
        try:
            self.heartbeat.start()
        except Exception as error:  # noqa: BLE001  (whatever the database throws)
            log.error("this worker can't announce itself (%s): ending it, it is started again", error)
            os._exit(os.EX_UNAVAILABLE)

    def stop(self) -> None:
        self.stopping.set()
        self.pulse.join()
        self.heartbeat.stop()
        self.workshop.decoder.close()

    def _watch_supervisor(self) -> None:
        """A supervisor that was killed can't stop us: end in order, as it would have asked."""
        supervisor = int(os.environ[SUPERVISOR_PID])
        while os.getppid() == supervisor and not self.stopping.wait(SUPERVISOR_LOOK_S):
            pass
        if not self.stopping.is_set():
            os.kill(os.getpid(), signal.SIGTERM)


current: WorkerProcess | None = None  # set once by `workers.__main__`, read by the tasks
