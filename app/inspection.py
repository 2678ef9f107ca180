"""`index verify`: rows, vectors, ids and files of a collection held against each other, and set right."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from sqlalchemy.orm import Session

from app import moving, sharing, upkeep
from app.catalog import bases, collections, consistency, embeddings, images, regions, renewals, snapshots
from app.catalog.models import Collection, ModelKey, Snapshot
from app.errors import BadVector, DamagedSnapshot, ServiceUnavailable
from app.index import snapshot as files
from app.index.vectors import NORM_SLACK
from app.jobs import Job, enqueue
from app.layers import Layer, layers
from app.patches import OFF, get_detail
from app.patches.local import is_whole
from app.resources import Resources
from app.search.refresh import Readers
from app.storage import Storage
from app.upkeep import IndexFacts

log = logging.getLogger(__name__)

DAMAGED_VECTOR = "vectors that fail their checksum, their length or their size: made anew"
DAMAGED_REGIONS = "vectors of parts of pictures that fail their checksum or their size: made anew, found meanwhile"
DAMAGED_BASIS = "what local descriptors are written in failed its checksum: it is made anew, and they are"
LOST_PATCHES = "local descriptors that are gone or damaged: made anew, found meanwhile"
DAMAGED_FILES = "snapshot files that are not what was published: set aside and built again"
LOST_FILES = "a published snapshot whose files are gone: built again"
UNSHARED_FILES = "a published snapshot that the store did not have: put there"
OTHER_VECTORS = "vectors in the snapshot that differ from their rows, or have none: built again"
OTHER_CLUSTER = "pictures that the cluster shows too many or too few: hidden, or given to it again"
STRAY_FOLDERS = "folders of snapshots that no row tells of: set aside"
SET_RIGHT = {"unshared_files", "stray_folder"}  # without a build


@dataclass(frozen=True)
class Finding:
    """One kind of contradiction, how often it was found, and what became of it."""

    kind: str
    count: int
    meaning: str


@dataclass(frozen=True)
class Inspection:
    findings: list[Finding]  # none: all agrees
    index: IndexFacts  # afterwards


def inspect(resources: Resources, name: str) -> Inspection:
    """Find what contradicts what, and repair it. Raises NotFound.

    Reads every vector once. Searches, ingest and builds may go on meanwhile: each repair is a transaction of its own.
    """
    with resources.catalog.read() as session:
        collection_id = collections.get(session, name).id
    findings = [finding for look in LOOKS for finding in look(resources, collection_id)]
    if findings:
        enqueue(resources.settings, Job.EMBED_PENDING, collection_id=collection_id)
    if resources.settings.cluster is not None:
        return Inspection([*findings, *_cluster(resources, collection_id)], upkeep.status(resources, name))
    wrong = [*_files(resources, collection_id), *_strays(resources, collection_id)]
    broken = any(finding.kind not in SET_RIGHT for finding in wrong)
    if (broken or upkeep.is_due(resources, collection_id)) and not upkeep.rebuild(resources, collection_id, force=True):
        raise ServiceUnavailable(f"another build of {name!r} is at work: verify again when it is done")
    return Inspection([*findings, *wrong], upkeep.status(resources, name))


def _rows(resources: Resources, collection_id: int) -> Iterator[Finding]:
    """Each flaw is looked for after the ones before it were mended: a vector dropped is a picture without one."""
    for flaw in consistency.FLAWS:
        with resources.catalog.begin() as session:
            collections.lock(session, collection_id)
            collection = collections.get_by_id(session, collection_id)
            ids = consistency.found(session, collection, flaw)
            if not ids:
                continue
            flaw.repair(session, collection, ids)
        yield Finding(flaw.kind, len(ids), flaw.meaning)


def _vectors(resources: Resources, collection_id: int) -> Iterator[Finding]:
    if lame := _damaged(resources, collection_id, embeddings):
        _repair(resources, collection_id, consistency.embed_again, lame)
        yield Finding("damaged_vector", len(lame), DAMAGED_VECTOR)


def _regions(resources: Resources, collection_id: int) -> Iterator[Finding]:
    if lame := _damaged(resources, collection_id, regions):
        _repair(resources, collection_id, renewals.drop_regions, lame)
        yield Finding("damaged_regions", len(lame), DAMAGED_REGIONS)


def _patches(resources: Resources, collection_id: int) -> Iterator[Finding]:
    """Without a store of what is in the home; with one of what all hosts have."""
    with resources.catalog.read() as session:
        key = collections.model_of(session, collections.get_by_id(session, collection_id))
        digests = images.digests(session, collection_id) if get_detail(key.detail) != OFF else {}
    if digests and _is_basis_damaged(resources, key):
        _repair(resources, collection_id, _without_basis, list(digests))
        yield Finding("damaged_basis", 1, DAMAGED_BASIS)
        return
    chosen = images.portions(list(digests))
    lost = [image_id for portion in chosen for image_id in _lost(resources, key, {i: digests[i] for i in portion})]
    if lost:
        _repair(resources, collection_id, renewals.note, lost)
        yield Finding("lost_patches", len(lost), LOST_PATCHES)


def _is_basis_damaged(resources: Resources, key: ModelKey) -> bool:
    try:
        with resources.catalog.read() as session:
            bases.find(session, key.id)
    except BadVector:
        return True
    return False


def _without_basis(session: Session, collection: Collection, image_ids: Sequence[int]) -> None:
    bases.drop(session, collection.model_key_id)
    renewals.note(session, collection, image_ids)


def _lost(resources: Resources, key: ModelKey, digests: dict[int, str]) -> list[int]:
    """Ids of those of these images that have no whole local descriptors."""
    kept = resources.storage.read_patches(key.folder, digests.values())
    for digest in digests.values():
        _drop_damaged_copy(resources.storage, resources.storage.patches(key.folder, digest))
    return [image_id for image_id, digest in digests.items() if not is_whole(kept.get(digest, b""))]


def _drop_damaged_copy(storage: Storage, path: Path) -> None:
    """Of what the store may have whole: it is brought again when it is looked for."""
    if storage.store is not None and path.is_file() and not is_whole(path.read_bytes()):
        path.unlink(missing_ok=True)


def _damaged(resources: Resources, collection_id: int, rows: ModuleType) -> list[int]:
    with resources.catalog.read() as session:
        key = collections.model_of(session, collections.get_by_id(session, collection_id))
        return rows.damaged(session, collection_id, key.id, key.dim, NORM_SLACK)


def _repair(resources: Resources, collection_id: int, repair: consistency.Repair, image_ids: list[int]) -> None:
    with resources.catalog.begin() as session:
        collections.lock(session, collection_id)
        repair(session, collections.get_by_id(session, collection_id), image_ids)


def _cluster(resources: Resources, collection_id: int) -> Iterator[Finding]:
    """Pictures that the cluster shows and the rows do not, or the other way round, after it was brought up to date."""
    with resources.catalog.read() as session:
        collection = collections.get_by_id(session, collection_id)
        key = collections.model_of(session, collection)
        apart = sum(_reconcile(session, collection, key, layer, Readers(resources)) for layer in layers(key))
    if apart:
        yield Finding("other_cluster", apart, OTHER_CLUSTER)


def _reconcile(session: Session, collection: Collection, key: ModelKey, layer: Layer, readers: Readers) -> int:
    """How many ids the cluster showed too many or too few of one kind; it is filled again then."""
    index = readers.of_layer(session, collection, key, layer)
    apart = len(np.setxor1d(index.shown_ids(), moving.visible_ids(session, collection, layer)))
    if apart:
        moving.fill(session, collection, key, layer, index)
    return apart


def _files(resources: Resources, collection_id: int) -> Iterator[Finding]:
    with resources.catalog.read() as session:
        collection = collections.get_by_id(session, collection_id)
        rows = {
            layer: snapshots.find_published(session, collection, layer.kind)
            for layer in layers(collections.model_of(session, collection))
        }
    for layer, row in rows.items():
        if row is not None:
            yield from _files_of(resources, row, layer)


def _files_of(resources: Resources, row: Snapshot, layer: Layer) -> Iterator[Finding]:
    """What is published, held against its checksums and then, vector by vector, against the rows."""
    folder = resources.storage.snapshot(row.collection_id, row.id)
    if not _is_here(resources, row):
        yield Finding("lost_files", 1, LOST_FILES)
        return
    try:
        opened = files.open(folder, expect_model_key=str(row.model_key_id), expect_vectors=row.vectors)
    except DamagedSnapshot as damage:
        log.error("%s", damage)
        _take_out(resources, row)
        yield Finding("damaged_files", 1, DAMAGED_FILES)
        return
    if differing := _differing(resources, row, layer, opened):
        _take_out(resources, row)  # else it would serve again when the next one is damaged
        yield Finding("other_vectors", differing, OTHER_VECTORS)
        return
    if resources.storage.store is not None and not resources.storage.is_shared(folder):
        sharing.share(resources, row.collection_id, row.id)
        yield Finding("unshared_files", 1, UNSHARED_FILES)


def _is_here(resources: Resources, row: Snapshot) -> bool:
    """Whether a published snapshot's files are in this home, brought from the store where there is one."""
    if resources.storage.store is not None:
        return sharing.bring(resources, sharing.wanted(row))
    return resources.storage.snapshot(row.collection_id, row.id).exists()


def _differing(resources: Resources, row: Snapshot, layer: Layer, opened: files.Snapshot) -> int:
    """Vectors of the snapshot that have another row than theirs or none, and rows that it should hold and does not."""
    wrong, known = 0, np.zeros(len(opened), bool)
    with resources.catalog.read() as session:
        rows = layer.rows.all_of(session, row.collection_id, row.model_key_id, row.watermark)
        for ids, vectors, inside, shown in rows:
            places = opened.rows_of(ids)
            here = np.isin(ids, opened.ids[places])
            same = np.zeros(len(ids), bool)
            same[here] = (opened.vectors_at(places) == vectors[here]).all(axis=1)
            known[places] = True
            wrong += int(np.count_nonzero(np.where(here, inside & ~same, shown)))
    return wrong + int(np.count_nonzero(~known))


def _take_out(resources: Resources, row: Snapshot) -> None:
    files.set_aside(resources.storage.snapshot(row.collection_id, row.id))
    sharing.take_out(resources, sharing.wanted(row))


def _strays(resources: Resources, collection_id: int) -> Iterator[Finding]:
    """Folders under a snapshot's name that the catalogue never made."""
    folders = [path for path in sorted(resources.storage.snapshots(collection_id).glob("*")) if path.name.isdigit()]
    with resources.catalog.read() as session:  # after the folders: one that is built meanwhile has its row already
        known = {resources.storage.snapshot(collection_id, number) for number in snapshots.ids(session, collection_id)}
    strays = [folder for folder in folders if folder not in known]
    for folder in strays:
        files.set_aside(folder)
    if strays:
        yield Finding("stray_folder", len(strays), STRAY_FOLDERS)


LOOKS = (_rows, _vectors, _regions, _patches)  # at what workers make again
