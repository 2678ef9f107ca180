"""Snapshots between hosts: put into the store by the one that built them, brought from it by those that search."""

import contextlib
import logging
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.catalog import collections, snapshots
from app.catalog.models import Snapshot
from app.catalog.states import Kind
from app.errors import AlreadyExists, DamagedSnapshot, NotFound, ServiceUnavailable
from app.index import folders
from app.index import snapshot as files
from app.index.manifest import MANIFEST
from app.jobs import Job, enqueue
from app.resources import Resources

log = logging.getLogger(__name__)

RETRY_S = 15.0  # after the store could not be used
LOOKS = 2  # a line may damage what the store has whole


@dataclass(frozen=True)
class Wanted:
    """A published snapshot, outside of any session."""

    id: int
    collection_id: int
    model_key_id: int
    kind: Kind
    vectors: int | None


def wanted(row: Snapshot) -> Wanted:
    return Wanted(row.id, row.collection_id, row.model_key_id, row.kind, row.vectors)


def reach(resources: Resources) -> None:
    """Raises ServiceUnavailable when the store can't be used."""
    if resources.storage.store is not None:
        resources.storage.store.names("snapshots")


def share(resources: Resources, collection_id: int, snapshot_id: int) -> None:
    """Put a verified snapshot where other hosts find it, before it is published. Raises ServiceUnavailable."""
    if resources.storage.store is not None:
        resources.storage.share_snapshot(resources.storage.snapshot(collection_id, snapshot_id), last=MANIFEST)


def retire(resources: Resources, collection_id: int) -> None:
    """Remove files of generations nobody opens any more, here and in the store: derived, and the last two stay."""
    files.sweep_leftovers(resources.storage.snapshots(collection_id))
    with resources.catalog.read() as session:
        old = snapshots.superseded(session, collections.get_by_id(session, collection_id))
    for snapshot_id in old:
        shutil.rmtree(resources.storage.snapshot(collection_id, snapshot_id), ignore_errors=True)
    if resources.storage.store is None or not old:
        return
    try:
        resources.storage.withdraw_snapshots(collection_id, old)
    except ServiceUnavailable as refusal:
        log.warning("%s: retired snapshots stay there until the next build", refusal)


def bring(resources: Resources, snapshot: Wanted) -> bool:
    """Have a published snapshot's files in this home, fetched if need be, every byte of them checked.

    False: they are lost, and it is taken out of service. Raises ServiceUnavailable when the store can't be used: that
    says nothing about what it holds.
    """
    folder = resources.storage.snapshot(snapshot.collection_id, snapshot.id)
    for look in range(1, LOOKS + 1):
        try:
            if not folder.exists():
                _fetch(resources, snapshot, folder)
            return True
        except (DamagedSnapshot, NotFound) as loss:
            log.warning("snapshot %d, look %d of %d: %s", snapshot.id, look, LOOKS, loss)
    take_out(resources, snapshot)
    return False


def bring_or_build(resources: Resources, snapshot: Wanted) -> None:
    """As `bring`; what is lost is built again by a worker."""
    if not bring(resources, snapshot):
        enqueue(resources.settings, Job.BUILD_SNAPSHOT, collection_id=snapshot.collection_id)


def take_out(resources: Resources, snapshot: Wanted) -> None:
    """The one before it serves again, or the rows do. Nothing happens to one that was replaced meanwhile."""
    with resources.catalog.begin() as session:
        row = session.get_one(Snapshot, snapshot.id)
        if snapshots.published_id(collections.get_by_id(session, snapshot.collection_id), row.kind) != row.id:
            return
        previous = snapshots.find_previous(session, row)
        snapshots.mark_damaged(session, row.id, previous.id if previous else None)


def bring_published(resources: Resources, name: str) -> None:
    """Before a search by a process that ends with it. The rows answer where this fails. Raises NotFound."""
    if resources.storage.store is None or resources.settings.cluster is not None:
        return
    with resources.catalog.read() as session:
        rows = [snapshots.find_published(session, collections.get(session, name), kind) for kind in Kind]
        published = [wanted(row) for row in rows if row]
    try:
        for snapshot in published:
            bring_or_build(resources, snapshot)
    except ServiceUnavailable as refusal:
        log.warning("%s: the rows answer", refusal)


def _fetch(resources: Resources, snapshot: Wanted, folder: Path) -> None:
    with contextlib.suppress(AlreadyExists), folders.beside(folder) as part:  # another process may be faster
        resources.storage.fetch_snapshot(folder, part)
        files.open(part, expect_model_key=str(snapshot.model_key_id), expect_vectors=snapshot.vectors)
        folders.publish(part, folder)
    retire(resources, snapshot.collection_id)


class Arrivals:
    """Published snapshots on their way into this home, beside the searches. Safe to share between threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._under_way: set[int] = set()
        self._lock = threading.Lock()

    def expects(self, row: Snapshot) -> bool:
        """Whether a snapshot that is not here will be; its way is begun at the first question."""
        here = self._resources.storage.snapshot(row.collection_id, row.id)
        if self._resources.storage.store is None or here.exists():
            return False
        with self._lock:
            if row.id not in self._under_way:
                self._under_way.add(row.id)
                name = f"snapshot-{row.id}"
                threading.Thread(target=self._run, args=(wanted(row),), name=name, daemon=True).start()
        return True

    def _run(self, snapshot: Wanted) -> None:
        try:
            bring_or_build(self._resources, snapshot)
        except Exception as trouble:  # noqa: BLE001  (whatever it is, searches go on, and it is tried again)
            log.warning("snapshot %d is not here yet: %s", snapshot.id, trouble)
            time.sleep(RETRY_S)
        finally:
            with self._lock:
                self._under_way.discard(snapshot.id)
