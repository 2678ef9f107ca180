"""One snapshot built: rows streamed into files, which are verified and shared, under a lease that is kept meanwhile."""

import contextlib
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator

import numpy as np
from sqlalchemy.orm import Session

from app import sharing
from app.catalog import collections, snapshots
from app.catalog.models import Collection, Snapshot
from app.errors import AppError
from app.index import snapshot as files
from app.index.building import Target
from app.layers import Layer
from app.resources import Resources

BUILD_LEASE_S = 120.0  # no longer than that after a builder died; two at once waste work and harm nothing
RENEW_S = BUILD_LEASE_S / 4  # a million vectors take longer than one lease


def start(session: Session, collection: Collection, model_key_id: int, layer: Layer) -> Snapshot | None:
    """What `make` will fill, holding all changes so far. None while another builder is at the collection."""
    owner = f"{socket.gethostname()}:{secrets.token_hex(4)}"
    started = snapshots.start_build(session, collection.id, model_key_id, owner, BUILD_LEASE_S, layer.kind)
    if started is not None:
        started.watermark = collection.seq
    return started


def make(resources: Resources, started: Snapshot, layer: Layer) -> None:
    """Build and verify. Raises what goes wrong, and then nothing is left of it."""
    try:
        facts = _build(resources, started, layer)
    except BaseException:
        with resources.catalog.begin() as session:
            snapshots.give_up(session, started.id)
        raise
    with resources.catalog.begin() as session:
        snapshots.mark_verified(session, started.id, **facts)


def _build(resources: Resources, started: Snapshot, layer: Layer) -> dict:
    """Stream rows into files, which other hosts can have then; what the publication needs to know."""
    with resources.catalog.read() as session:
        dim = collections.get_model(session, started.model_key_id).dim
    settings = resources.settings
    with _renewed(resources, started.id):
        manifest = files.build(
            resources.storage.snapshot(started.collection_id, started.id),
            _batches(resources, started, layer),
            dim=dim,
            model_key=str(started.model_key_id),
            watermark=started.watermark,
            target=Target(settings.index_recall, settings.index_memory_bytes, asks=layer.each),
        )
        _share(resources, started)
    return {
        "recipe": manifest.recipe,
        "vectors": manifest.vectors,
        "size_bytes": manifest.bytes,
        "recall_at_10": manifest.recall_at_10,
        "build_s": manifest.build_s,
        "checksum": manifest.checksum,
    }


def _share(resources: Resources, started: Snapshot) -> None:
    try:
        sharing.share(resources, started.collection_id, started.id)
    except BaseException:
        shutil.rmtree(resources.storage.snapshot(started.collection_id, started.id), ignore_errors=True)
        raise


def _batches(resources: Resources, started: Snapshot, layer: Layer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The read ends with the rows: what comes after it can take minutes, and a database keeps what a reader may see."""
    with resources.catalog.read() as session:
        for ids, vectors, _ in layer.rows.stream(session, started.collection_id, started.model_key_id):
            yield ids, vectors


@contextlib.contextmanager
def _renewed(resources: Resources, snapshot_id: int) -> Iterator[None]:
    """Keep the lease of a build for as long as it runs."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_S):
            with contextlib.suppress(AppError), resources.catalog.begin() as session:
                snapshots.renew(session, snapshot_id, BUILD_LEASE_S)

    thread = threading.Thread(target=renew, name="build-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
