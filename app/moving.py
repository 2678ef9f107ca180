"""A collection's vectors copied to a cluster, whose answers are held against ours before anybody relies on them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import collections, images
from app.catalog.models import Collection, ModelKey
from app.errors import InvalidInput
from app.index.milvus import MilvusIndex, shown_url
from app.layers import WHOLE, Layer, layers
from app.resources import Resources
from app.search.refresh import Readers, cluster_name

COMPARED = 100  # pictures whose neighbours are looked up on both sides
TOP = 10
ALL = images.Filters()

Progress = Callable[[int, int], None]  # (vectors copied, vectors in all)


def quietly(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Moved:
    """What was copied, and how alike both sides answer."""

    collection: str
    cluster: str  # its address, without a password
    vectors: int  # of the catalogue
    on_cluster: int  # searchable there; the same number, or the copy is not whole
    compared: int
    same_top_10: float  # share of our ten nearest that the cluster finds too, 0 to 1

    @property
    def whole(self) -> bool:
        return self.vectors == self.on_cluster


def copy(resources: Resources, name: str, url: str, on_progress: Progress = quietly) -> Moved:
    """Safe to run again: rows that are there stay. Searches and ingest go on meanwhile.

    Raises NotFound, InvalidInput where we are on a cluster already, and what `MilvusIndex` raises.
    """
    if resources.settings.cluster is not None:
        raise InvalidInput("DINOSEEK_VECTOR_URL is set: unset it to copy from the files of this home")
    with resources.catalog.read() as session:
        collection = collections.get(session, name)
        key = collections.model_of(session, collection)
        indexes = {layer: MilvusIndex(url, cluster_name(collection, key, layer.kind), key.dim) for layer in layers(key)}
        count = 0
        for layer, index in indexes.items():
            count += fill(session, collection, key, layer, index, on_progress)
            index.note(collection.seq)
        compared, same = _compare(session, collection, key, indexes[WHOLE], Readers(resources))
    there = sum(index.vectors for index in indexes.values())
    return Moved(name, shown_url(url), count, there, compared, same)


def fill(
    session: Session,
    collection: Collection,
    key: ModelKey,
    layer: Layer,
    index: MilvusIndex,
    on_progress: Progress = quietly,
) -> int:
    """Give the cluster every visible picture's vectors of a kind, and hide what else it shows; how many there are."""
    total, done = images.count_visible(session, collection.id) * layer.each, 0
    for ids, vectors, _ in layer.rows.stream(session, collection.id, key.id):
        index.unbury(ids)
        index.absorb(ids, vectors)
        done += len(ids)
        on_progress(done, total)
    index.bury(np.setdiff1d(index.shown_ids(), visible_ids(session, collection, layer)))
    return done


def visible_ids(session: Session, collection: Collection, layer: Layer = WHOLE) -> np.ndarray:
    """Of the visible pictures' vectors: int64, ascending."""
    return layer.ids_of(images.matching_ids(session, collection.id, ALL))


def _compare(
    session: Session, collection: Collection, key: ModelKey, index: MilvusIndex, readers: Readers
) -> tuple[int, float]:
    live = readers.fresh(session, collection, key)
    rng, visible = np.random.default_rng(5), visible_ids(session, collection)
    if not visible.size:
        return 0, 1.0
    asked = live.vectors_of(rng.choice(visible, min(COMPARED, len(visible)), replace=False)).vectors
    pairs = zip(live.search(asked, TOP), index.search(asked, TOP), strict=True)
    shares = [
        np.isin([hit.image_id for hit in ours], [hit.image_id for hit in theirs]).mean() for ours, theirs in pairs
    ]
    return len(asked), float(np.mean(shares))
