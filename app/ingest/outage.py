"""A database that is away for moments, as while it restarts: who waits for pictures waits for it too."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from app.errors import ServiceUnavailable

log = logging.getLogger(__name__)

AWAY_S = 120.0  # a PostgreSQL that was killed has recovered by then
PAUSE_S = 0.5

T = TypeVar("T")


def outlast(step: Callable[[], T], away_s: float = AWAY_S) -> T:
    """What `step` returns, tried again while it raises ServiceUnavailable. Running it twice must be harmless."""
    deadline = None
    while True:
        try:
            return step()
        except ServiceUnavailable as refusal:
            deadline = deadline or _start_waiting(refusal, away_s)
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)


def _start_waiting(refusal: ServiceUnavailable, away_s: float) -> float:
    log.warning("%s (waiting for up to %.0f s)", refusal, away_s)
    return time.monotonic() + away_s
