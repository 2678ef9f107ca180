"""Progress for all who watch it: counted for one of them, and no oftener than a tenth of the time may go into it."""

import threading
import time

from app.ingest.progress import Progress, progress
from app.resources import Resources

LOOKS_APART = 10  # times what a look took: to count a million rows again and again would take the database's time
SELDOM_S = 5.0  # and no longer: a look that met a database away says nothing of the next one


class Lookout:
    """One for all pages of a process, or for a command that waits. Safe to call from several threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._kept: dict[str, tuple[float, Progress]] = {}  # until when it is good, by collection
        self._lock = threading.Lock()

    def progress(self, collection_name: str) -> Progress:
        """Raises NotFound."""
        with self._lock:
            good_until, kept = self._kept.get(collection_name, (0.0, None))
            begun = time.monotonic()
            if kept is not None and begun < good_until:
                return kept
            now = progress(self._resources, collection_name)
            ended = time.monotonic()
            self._kept[collection_name] = ended + min(LOOKS_APART * (ended - begun), SELDOM_S), now
            return now
