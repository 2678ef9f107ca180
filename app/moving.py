"""A collection's vectors copied to a cluster, whose answers are held against ours before anybody relies on them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import collections, embeddings, images
from app.catalog.models import Collection, ModelKey
from app.errors import InvalidInput
from app.index.milvus import MilvusIndex, shown_url
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
        index = MilvusIndex(url, cluster_name(collection, key), key.dim)
        count = fill(session, collection, key, index, on_progress)
        index.note(collection.seq)
        compared, same = _compare(session, collection, key, index, Readers(resources))
    return Moved(name, shown_url(url), count, index.vectors, compared, same)


def fill(
    session: Session, collection: Collection, key: ModelKey, index: MilvusIndex, on_progress: Progress = quietly
) -> int:
    """Give the cluster every visible picture's vector, and hide what else it shows; how many are visible."""
    total, done = images.count_visible(session, collection.id), 0
    for ids, vectors, _ in embeddings.stream(session, collection.id, key.id):
        index.unbury(ids)
        index.absorb(ids, vectors)
        done += len(ids)
        on_progress(done, total)
    index.bury(np.setdiff1d(index.shown_ids(), visible_ids(session, collection)))
    return done


def visible_ids(session: Session, collection: Collection) -> np.ndarray:
    """int64, ascending."""
    return np.array(images.matching_ids(session, collection.id, ALL), np.int64)


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
