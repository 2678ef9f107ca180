"""Snapshots' upkeep: when one is due, and build → verify → publish → retire."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import building, sharing
from app.catalog import collections, images, snapshots
from app.catalog.models import Collection, Snapshot
from app.errors import InvalidInput
from app.layers import WHOLE, Layer, layers
from app.resources import Resources

ON_CLUSTER = "cluster"
LEAST_TAIL = 256  # below this an exact scan of the tail costs less than any file
TAIL_SHARE = 0.1  # tail / snapshot above which a rebuild is due


@dataclass(frozen=True)
class RegionFacts:
    """Of the index of regions. Tail and tombstones count pictures."""

    each: int  # regions of one picture
    snapshot: dict | None
    tail: int
    tombstones: int
    state: str


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
    regions: RegionFacts | None = None  # none: the collection keeps none


@dataclass(frozen=True)
class Age:
    """How far a collection has moved on from a snapshot, in pictures."""

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
        return [row.id for row in collections.all_live(session) if _due(resources, session, row)]


def is_due(resources: Resources, collection_id: int) -> bool:
    with resources.catalog.read() as session:
        return bool(_due(resources, session, collections.get_by_id(session, collection_id)))


def rebuild(resources: Resources, collection_id: int, *, force: bool = False) -> bool:
    """Build, verify and publish the snapshots that are due, or all. False: none was, or another builder is at it."""
    if resources.settings.cluster is not None and not force:
        return False
    if resources.settings.cluster is not None:
        raise InvalidInput(
            "the vectors are on Milvus, which builds its own index: unset DINOSEEK_VECTOR_URL to build files"
        )
    with resources.catalog.read() as session:
        collection = collections.get_by_id(session, collection_id)
        wanted = _layers(session, collection) if force else _due(resources, session, collection)
    return bool(wanted) and all(_rebuild(resources, collection_id, layer, force=force) for layer in wanted)


def _rebuild(resources: Resources, collection_id: int, layer: Layer, *, force: bool) -> bool:
    sharing.reach(resources)  # a build that nobody can have would be in vain
    with resources.catalog.begin() as session:
        collection = collections.get_by_id(session, collection_id)
        if not (force or _age(resources, session, collection, layer).due):
            return False
        started = building.start(session, collection, collection.model_key_id, layer)
        replaces = snapshots.published_id(collection, layer.kind)
    if started is None:
        return False
    building.make(resources, started, layer)
    with resources.catalog.begin() as session:
        won = snapshots.publish(session, started.id, replaces)
    sharing.retire(resources, collection_id)
    return won


def prepare(resources: Resources, collection_id: int, model_key_id: int) -> bool:
    """See that another model key has snapshots that are not due, so that a switch to it can publish those.

    False: another builder is at it.
    """
    with resources.catalog.read() as session:
        wanted = layers(collections.get_model(session, model_key_id))
    return all(_prepare(resources, collection_id, model_key_id, layer) for layer in wanted)


def _prepare(resources: Resources, collection_id: int, model_key_id: int, layer: Layer) -> bool:
    with resources.catalog.begin() as session:
        collection = collections.get_by_id(session, collection_id)
        row = snapshots.find_newest(session, collection_id, model_key_id, layer.kind)
        if not _age_of(resources, session, collection, model_key_id, layer, row).due:
            return True
        started = building.start(session, collection, model_key_id, layer)
    if started is None:
        return False
    building.make(resources, started, layer)
    return True


def status(resources: Resources, name: str) -> IndexFacts:
    with resources.catalog.read() as session:
        collection = collections.get(session, name)
        key = collections.model_of(session, collection)
        parts = {layer: _part(resources, session, collection, layer) for layer in layers(key)}
        pictures = images.count_visible(session, collection.id)
    whole = parts.pop(WHOLE)
    regions = next((RegionFacts(layer.each, *part) for layer, part in parts.items()), None)
    return IndexFacts(name, key.model, pictures, *whole, regions)


def tails(resources: Resources) -> dict[int, int]:
    """By collection id, how many searchable pictures are scanned beside its snapshot. On a cluster there is no such."""
    if resources.settings.cluster is not None:
        return {}
    with resources.catalog.read() as session:
        return {row.id: _age(resources, session, row, WHOLE).tail for row in collections.all_live(session)}


def _part(
    resources: Resources, session: Session, collection: Collection, layer: Layer
) -> tuple[dict | None, int, int, str]:
    """Snapshot, tail, tombstones and state of one of its indexes."""
    if resources.settings.cluster is not None:
        return None, 0, 0, ON_CLUSTER
    row, age = snapshots.find_published(session, collection, layer.kind), _age(resources, session, collection, layer)
    return row and _snapshot_facts(row), age.tail, age.dead, age.state


def _layers(session: Session, collection: Collection) -> tuple[Layer, ...]:
    return layers(collections.model_of(session, collection))


def _due(resources: Resources, session: Session, collection: Collection) -> list[Layer]:
    return [layer for layer in _layers(session, collection) if _age(resources, session, collection, layer).due]


def _age(resources: Resources, session: Session, collection: Collection, layer: Layer) -> Age:
    published = snapshots.find_published(session, collection, layer.kind)
    return _age_of(resources, session, collection, collection.model_key_id, layer, published)


def _age_of(
    resources: Resources,
    session: Session,
    collection: Collection,
    model_key_id: int,
    layer: Layer,
    row: Snapshot | None,
) -> Age:
    live = images.count_visible(session, collection.id)
    if row is None:
        return Age(live, tail=live, dead=0)
    tail = layer.rows.count(session, collection.id, model_key_id, after_seq=row.watermark)
    alone = resources.storage.store is None  # else another host built it, and who searches here brings it
    lost = alone and not resources.storage.snapshot(collection.id, row.id).exists()
    return Age(live, tail, dead=max(0, (row.vectors or 0) // layer.each - (live - tail)), built=True, lost=lost)


def _snapshot_facts(row: Snapshot) -> dict:
    return {
        "recipe": row.recipe,
        "vectors": row.vectors,
        "bytes": row.size_bytes,
        "recall_at_10": row.recall_at_10,
        "build_s": row.build_s,
        "built_at": row.built_at,
    }
