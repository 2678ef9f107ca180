"""`python -m workers [QUEUE…]`: one Celery worker in this process, until it is told to stop.

`dinoseek worker` restarts it.
"""

import logging
import os
import sys
from collections.abc import Sequence

from celery.signals import worker_ready, worker_shutdown

from app.errors import AppError, ServiceUnavailable
from app.jobs import Queue
from app.settings import get_settings
from workers import process
from workers.celery_app import make_app

UNUSABLE = 78  # EX_CONFIG: starting it again can't help


def main(queues: Sequence[Queue]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = get_settings()
        app = make_app(settings)
        process.current = process.WorkerProcess(app, settings, queues)
    except ServiceUnavailable as refusal:
        print(refusal, file=sys.stderr)
        return 1  # our supervisor could use the database just now: it comes back
    except AppError as refusal:
        print(refusal, file=sys.stderr)
        return UNUSABLE
    worker_ready.connect(lambda **_: process.current.start(), weak=False)
    worker_shutdown.connect(lambda **_: process.current.stop(), weak=False)
    name = process.current.workshop.name.replace(":", "-")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=solo",
            "--loglevel=WARNING",
            *quiet,
            f"--hostname={name}@%h",
            f"--queues={','.join(queues)}",
        ]
    )
    return 0


if __name__ == "__main__":
    code = main([Queue(name) for name in sys.argv[1:]] or list(Queue))
    os._exit(code)  # threads of torch and the decoder must not hold up an orderly stop
