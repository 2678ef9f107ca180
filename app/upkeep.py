"""Snapshots' upkeep: when one is due, and build → verify → publish → retire."""

import contextlib
import logging
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app import sharing
from app.catalog import collections, embeddings, images, snapshots
from app.catalog.models import Collection, Snapshot
from app.errors import AppError, InvalidInput
from app.index import snapshot as files
from app.index.building import Target
from app.resources import Resources

log = logging.getLogger(__name__)

ON_CLUSTER = "cluster"
LEAST_TAIL = 256  # below this an exact scan of the tail costs less than any file
TAIL_SHARE = 0.1  # tail / snapshot above which a rebuild is due
BUILD_LEASE_S = 120.0  # no longer than that after a builder died; two at once waste work and harm nothing
RENEW_S = BUILD_LEASE_S / 4  # a million vectors take longer than one lease


@dataclass(frozen=True)
class IndexFacts:
    """`dinoseek index status`, as the contract has it."""

    collection: str
    model: str
    images: int
    snapshot: dict | None
    tail: int
    tombstones: int
    state: str  # fresh: all in the snapshot; tail: some are scanned; due: a rebuild is; empty; cluster: kept on Milvus


@dataclass(frozen=True)
class Age:
    """How far a collection has moved on from its snapshot."""

    live: int  # searchable
    tail: int  # of these, not in the snapshot
    dead: int  # in the snapshot, and searchable no more
    built: bool = False
    lost: bool = False  # published, but its files are not in this home, and no store may have them: the rows answer

    @property
    def due(self) -> bool:
        stale = self.tail + self.dead
        return self.lost or (stale >= LEAST_TAIL and stale > TAIL_SHARE * (self.live - self.tail))

    @property
    def state(self) -> str:
        if not self.live:
            return "empty"
        if self.due:
            return "due"
        return "fresh" if self.built and not self.tail else "tail"


def due(resources: Resources) -> list[int]:
    """Ids of collections whose tail or tombstones have outgrown their snapshot, or whose files are lost."""
    if resources.settings.cluster is not None:
        return []  # it builds its own
    with resources.catalog.read() as session:
        return [row.id for row in collections.all_live(session) if _age(resources, session, row).due]


def is_due(resources: Resources, collection_id: int) -> bool:
    with resources.catalog.read() as session:
        return _age(resources, session, collections.get_by_id(session, collection_id)).due


def rebuild(resources: Resources, collection_id: int, *, force: bool = False) -> bool:
    """Build, verify and publish a snapshot if one is due. False: none was due, or another builder is at it."""
    if resources.settings.cluster is not None and not force:
        return False
    if resources.settings.cluster is not None:
        raise InvalidInput(
            "the vectors are on Milvus, which builds its own index: unset DINOSEEK_VECTOR_URL to build files"
        )
    if not (force or is_due(resources, collection_id)):
        return False
    sharing.reach(resources)  # a build that nobody can have would be in vain
    with resources.catalog.begin() as session:
        collection = collections.get_by_id(session, collection_id)
        if not (force or _age(resources, session, collection).due):
            return False
        started = _start(session, collection, collection.model_key_id)
        replaces = collection.snapshot_id
    if started is None:
        return False
    _make(resources, started)
    with resources.catalog.begin() as session:
        won = snapshots.publish(session, started.id, replaces)
    sharing.retire(resources, collection_id)
    return won


def prepare(resources: Resources, collection_id: int, model_key_id: int) -> bool:
    """See that another model key has a snapshot that is not due, so that a switch to it can publish that.

    False: another builder is at it.
    """
    with resources.catalog.begin() as session:
        collection = collections.get_by_id(session, collection_id)
        row = snapshots.find_newest(session, collection_id, model_key_id)
        if not _age_of(resources, session, collection, model_key_id, row).due:
            return True
        started = _start(session, collection, model_key_id)
    if started is None:
        return False
    _make(resources, started)
    return True


def _start(session: Session, collection: Collection, model_key_id: int) -> Snapshot | None:
    owner = f"{socket.gethostname()}:{secrets.token_hex(4)}"
    started = snapshots.start_build(session, collection.id, model_key_id, owner, BUILD_LEASE_S)
    if started is not None:
        started.watermark = collection.seq
    return started


def _make(resources: Resources, started: Snapshot) -> None:
    """Build and verify."""
    try:
        facts = _build(resources, started)
    except BaseException:
        with resources.catalog.begin() as session:
            snapshots.give_up(session, started.id)
        raise
    with resources.catalog.begin() as session:
        snapshots.mark_verified(session, started.id, **facts)


def status(resources: Resources, name: str) -> IndexFacts:
    with resources.catalog.read() as session:
        collection = collections.get(session, name)
        key = collections.model_of(session, collection)
        row = snapshots.find_published(session, collection)
        age = _age(resources, session, collection)
    if resources.settings.cluster is not None:
        return IndexFacts(name, key.model, age.live, None, 0, 0, ON_CLUSTER)
    facts = None if row is None else _snapshot_facts(row)
    return IndexFacts(name, key.model, age.live, facts, age.tail, age.dead, age.state)


def tails(resources: Resources) -> dict[int, int]:
    """By collection id, how many searchable pictures are scanned beside its snapshot. On a cluster there is no such."""
    if resources.settings.cluster is not None:
        return {}
    with resources.catalog.read() as session:
        return {row.id: _age(resources, session, row).tail for row in collections.all_live(session)}


def _age(resources: Resources, session: Session, collection: Collection) -> Age:
    published = snapshots.find_published(session, collection)
    return _age_of(resources, session, collection, collection.model_key_id, published)


def _age_of(
    resources: Resources, session: Session, collection: Collection, model_key_id: int, row: Snapshot | None
) -> Age:
    live = images.count_visible(session, collection.id)
    if row is None:
        return Age(live, tail=live, dead=0)
    tail = embeddings.count(session, collection.id, model_key_id, after_seq=row.watermark)
    alone = resources.storage.store is None  # else another host built it, and who searches here brings it
    lost = alone and not resources.storage.snapshot(collection.id, row.id).exists()
    return Age(live, tail, dead=max(0, (row.vectors or 0) - (live - tail)), built=True, lost=lost)


def _snapshot_facts(row: Snapshot) -> dict:
    return {
        "recipe": row.recipe,
        "vectors": row.vectors,
        "bytes": row.size_bytes,
        "recall_at_10": row.recall_at_10,
        "build_s": row.build_s,
        "built_at": row.built_at,
    }


def _build(resources: Resources, started: Snapshot) -> dict:
    """Stream rows into files, which other hosts can have then; what the publication needs to know."""
    with resources.catalog.read() as session:
        dim = collections.get_model(session, started.model_key_id).dim
    with _renewed(resources, started.id):
        manifest = files.build(
            resources.storage.snapshot(started.collection_id, started.id),
            _batches(resources, started),
            dim=dim,
            model_key=str(started.model_key_id),
            watermark=started.watermark,
            target=Target(resources.settings.index_recall, resources.settings.index_memory_bytes),
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


def _batches(resources: Resources, started: Snapshot) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The read ends with the rows: what comes after it can take minutes, and a database keeps what a reader may see."""
    with resources.catalog.read() as session:
        for ids, vectors, _ in embeddings.stream(session, started.collection_id, started.model_key_id):
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
