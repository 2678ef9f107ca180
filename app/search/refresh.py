"""Keep a process's live index at the catalogue's last commit: new snapshot, fresh rows, changed visibility."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.catalog import collections, images, snapshots
from app.catalog.models import Collection, ModelKey, Snapshot
from app.catalog.states import ImageStatus, Kind
from app.errors import DamagedSnapshot
from app.index import snapshot as files
from app.index.live import LiveIndex
from app.index.milvus import MilvusIndex
from app.layers import WHOLE, Layer, layers
from app.resources import Resources
from app.sharing import Arrivals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reader:
    """The live index of one kind of a collection's vectors, and up to which change it has read."""

    live: LiveIndex | MilvusIndex
    layer: Layer
    model_key_id: int
    snapshot_id: int | None
    seen_seq: int  # changes up to here are inside


class Readers:
    """Live indexes by collection and kind, brought up to date on each use. Safe to share between threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._arrivals = Arrivals(resources)
        self._readers: dict[tuple[int, Kind], Reader] = {}
        self._lock = threading.Lock()  # one refresh at a time; searches go on beside it

    def fresh(self, session: Session, collection: Collection, key: ModelKey) -> LiveIndex | MilvusIndex:
        """The index of this collection as of now: every committed embedding of a visible image, and no other."""
        return self.of_layer(session, collection, key, WHOLE)

    def fresh_regions(self, session: Session, collection: Collection, key: ModelKey) -> LiveIndex | MilvusIndex | None:
        """The same of the regions of its images, whose ids `catalog.regions` makes. None: the key has none."""
        chosen = next((layer for layer in layers(key) if layer.kind is Kind.REGIONS), None)
        return None if chosen is None else self.of_layer(session, collection, key, chosen)

    def of_layer(
        self, session: Session, collection: Collection, key: ModelKey, layer: Layer
    ) -> LiveIndex | MilvusIndex:
        with self._lock:
            reader = self._current(session, collection, key, layer)
            if reader.seen_seq < collection.seq:
                reader = _catch_up(session, collection, key, reader)
                reader = self._told(reader, collection.id, key)
            self._readers[collection.id, layer.kind] = reader
            return reader.live

    def _current(self, session: Session, collection: Collection, key: ModelKey, layer: Layer) -> Reader:
        """The reader there is, unless another snapshot is here or the model switched."""
        known = self._readers.get((collection.id, layer.kind))
        if known is None or known.model_key_id != key.id:
            return self._open(session, collection, key, layer)
        published = snapshots.published_id(collection, layer.kind)
        if known.snapshot_id == published or self._expects(session, collection, layer):
            return known
        return self._open(session, collection, key, layer)

    def _expects(self, session: Session, collection: Collection, layer: Layer) -> bool:
        """Whether what was published is on its way from the store: what answers now goes on."""
        row = snapshots.find_published(session, collection, layer.kind)
        on_files = self._resources.settings.cluster is None
        return on_files and row is not None and self._arrivals.expects(row)

    def _told(self, reader: Reader, collection_id: int, key: ModelKey) -> Reader:
        """A cluster has it for all processes. What one of them hid while another brought it back is looked at again."""
        while isinstance(reader.live, MilvusIndex):
            reader.live.note(reader.seen_seq)
            with self._resources.catalog.read() as session:
                collection = collections.get_by_id(session, collection_id)
                if collection.seq == reader.seen_seq:
                    break
                reader = _catch_up(session, collection, key, reader)
        return reader

    def _open(self, session: Session, collection: Collection, key: ModelKey, layer: Layer) -> Reader:
        url = self._resources.settings.cluster
        if url is not None:
            return _open_cluster(url, collection, key, layer)
        return self._open_snapshot(session, collection, key, layer)

    def _open_snapshot(self, session: Session, collection: Collection, key: ModelKey, layer: Layer) -> Reader:
        """A reader on the published snapshot; the one before it, or rows alone, if its files are damaged or away."""
        live, seen_seq = LiveIndex(key.dim, None), 0
        for row in _generations(session, collection, layer):
            opened = self._open_files(row, key)
            if opened is not None:
                live, seen_seq = LiveIndex(key.dim, opened), row.watermark
                break
        expected = self._expects(session, collection, layer)  # then it is bound to nothing yet
        snapshot_id = None if expected else snapshots.published_id(collection, layer.kind)
        return Reader(live, layer, collection.model_key_id, snapshot_id, seen_seq)

    def _open_files(self, row: Snapshot, key: ModelKey) -> files.Snapshot | None:
        folder = self._resources.storage.snapshot(row.collection_id, row.id)
        if row.model_key_id != key.id or not folder.exists():
            return None
        try:
            return files.open(folder, expect_model_key=str(key.id), expect_vectors=row.vectors)
        except DamagedSnapshot as damage:
            log.error("%s; it is set aside, the rows answer until it is built again", damage)
            files.set_aside(folder)
            return None


def _generations(session: Session, collection: Collection, layer: Layer) -> Iterator[Snapshot]:
    """What is published, and what was before it as long as that is kept."""
    row = snapshots.find_published(session, collection, layer.kind)
    while row is not None:
        yield row
        row = snapshots.find_previous(session, row)


def cluster_name(collection: Collection, key: ModelKey, kind: Kind = Kind.WHOLE) -> str:
    """Of the same rows on every machine, and of no others that share the cluster: its birth tells it from those."""
    whole = f"dinoseek_{collection.id}_{key.id}_{int(collection.created_at)}"
    return whole if kind is Kind.WHOLE else f"{whole}_{kind}"


def _open_cluster(url: str, collection: Collection, key: ModelKey, layer: Layer) -> Reader:
    """A reader on the cluster, as far as that says it was brought."""
    index = MilvusIndex(url, cluster_name(collection, key, layer.kind), key.dim)
    return Reader(index, layer, key.id, snapshots.published_id(collection, layer.kind), index.watermark)


def _catch_up(session: Session, collection: Collection, key: ModelKey, reader: Reader) -> Reader:
    """Read what changed since: rows commit in the order of their numbers, so nothing below is missed later."""
    for ids, vectors, _ in reader.layer.rows.stream(session, collection.id, key.id, reader.seen_seq):
        reader.live.unbury(ids)  # one that went before it was embedded is back: these rows are all visible
        reader.live.absorb(ids, vectors)
    changed = images.changed_since(session, collection.id, reader.seen_seq)
    gone = [image_id for image_id, status, _ in changed if status is not ImageStatus.READY]
    reader.live.bury(reader.layer.ids_of(gone))
    _bring_back(session, key, reader, [i for i, status, _ in changed if status is ImageStatus.READY])
    return replace(reader, seen_seq=collection.seq)


def _bring_back(session: Session, key: ModelKey, reader: Reader, image_ids: list[int]) -> None:
    """Images visible again: dug up where the index holds them, read from their rows where it does not."""
    reader.live.unbury(reader.layer.ids_of(image_ids))
    rows = reader.layer.rows.of(session, image_ids, key.id)
    if rows is not None:
        reader.live.absorb(*rows)
