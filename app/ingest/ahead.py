"""Counts files ahead of who reads them, so that a bar can say how far it is and how long it takes."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from app.ingest.walk import is_hidden


class Ahead:
    """A thread that counts the files below folders; it asks nothing of a file but its name and kind."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.files = 0
        self._folders = [os.fspath(folder) for folder in folders]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, name="count", daemon=True)

    def __enter__(self) -> "Ahead":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    def _count(self) -> None:
        while self._folders and not self._stop.is_set():
            try:
                self._count_in(self._folders.pop())
            except OSError:
                continue  # who reads it says why

    def _count_in(self, folder: str) -> None:
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.is_file(follow_symlinks=False):
                    self.files += 1
                elif entry.is_dir(follow_symlinks=False) and not is_hidden(os.fsencode(entry.name)):
                    self._folders.append(entry.path)
                if self._stop.is_set():
                    return
