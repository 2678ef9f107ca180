"""Folders of this machine into a collection, in the background: a page may be left while it goes on."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from app.errors import AppError, InvalidInput, NotFound
from app.ingest import scan
from app.ingest.report import ScanReport
from app.resources import Resources
from app.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class Reading:
    """A folder being read: files done and found so far, then the report or what stopped it."""

    folder: Path
    done: int = 0
    found: int = 0
    report: ScanReport | None = None
    refusal: str | None = None

    @property
    def going(self) -> bool:
        return self.report is None and self.refusal is None


_readings: dict[str, Reading] = {}  # by collection: the last one
_lock = threading.Lock()


def allowed(settings: Settings, text: str) -> Path:
    """The folder meant, links resolved. Raises InvalidInput outside the allowed roots, NotFound where there is none."""
    folder = Path(text.strip()).expanduser().resolve()
    roots = [root.expanduser().resolve() for root in settings.allowed_roots]
    if not any(folder.is_relative_to(root) for root in roots):
        where = ", ".join(map(str, roots))
        raise InvalidInput(
            f"{folder} is outside the folders that may be read here ({where}): see DINOSEEK_ALLOWED_ROOTS"
        )
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder on this machine: check its path (a disk not mounted?)")
    return folder


def reading(collection: str) -> Reading | None:
    return _readings.get(collection)


def start(resources: Resources, collection: str, folder: Path) -> Reading:
    """Begin to read a folder; a second call while one is going returns that one."""
    with _lock:
        current = _readings.get(collection)
        if current and current.going:
            return current
        current = _readings[collection] = Reading(folder)
    threading.Thread(target=_read, args=(resources, collection, current), name=f"read {folder}", daemon=True).start()
    return current


def _read(resources: Resources, collection: str, current: Reading) -> None:
    def on_progress(done: int, found: int) -> None:
        current.done, current.found = done, found

    try:
        current.report = scan.ingest(resources, [current.folder], collection, on_progress)
    except AppError as refusal:
        current.refusal = str(refusal)
    except Exception:
        log.exception("reading %s failed", current.folder)
        current.refusal = f"reading {current.folder} broke off: the server's log says why; start it again to go on"
