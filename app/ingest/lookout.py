"""How far a collection is, for who looks again and again: a tenth of the time may go into looking."""

import time

from app.ingest.progress import Progress, progress
from app.resources import Resources

LOOKS_APART = 10  # times what a look took: it counts rows, and a million of them take most of a second
SELDOM_S = 5.0  # and no longer: one that met a database away says nothing of the next


class Lookout:
    """One for all pages of a process, or for a command that waits. Safe to call from several threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._took_s: dict[str, float] = {}  # the last look, by collection

    def progress(self, collection_name: str) -> Progress:
        """Raises NotFound."""
        begun = time.monotonic()
        now = progress(self._resources, collection_name)
        self._took_s[collection_name] = time.monotonic() - begun
        return now

    def pause_s(self, collection_name: str) -> float:
        """For how long not to look again. Raises NotFound."""
        if collection_name not in self._took_s:
            self.progress(collection_name)
        return min(LOOKS_APART * self._took_s[collection_name], SELDOM_S)
