"""The Celery application of a worker: solo pool, one task at a time, JSON, no results, no remote control.

Solo, because a process that has touched torch or FAISS must never fork; a supervisor starts it again when it dies.
"""

from celery import Celery

from app.jobs import EMBEDDED_BROKER, transport_config
from app.settings import Settings


def make_app(settings: Settings) -> Celery:
    app = Celery("dinoseek", broker=settings.broker or EMBEDDED_BROKER, include=["workers.tasks"])
    app.conf.update(
        transport_config(),
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_pool="solo",
        worker_concurrency=1,
        worker_enable_remote_control=False,  # whoever reaches the broker could stop workers
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,  # the fence makes a late twin harmless
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is down comes back; the catalogue waits
    )
    return app
