"""A collection's model changed in the background: begun, gone on with, cancelled, and made in one transaction.

Workers embed every searchable picture under the new key while searches go on with the old one. When nothing is left,
whoever finds it so builds the new key's index and switches model, index and change number together.
"""

from dataclasses import asdict

from sqlalchemy.orm import Session

from app import library, moving, upkeep
from app.catalog import changes, collections, images, snapshots
from app.catalog.models import Change, Collection, ModelKey
from app.catalog.states import Kind
from app.encoders import Encoders
from app.errors import InvalidInput
from app.index.milvus import MilvusIndex
from app.jobs import Job, enqueue
from app.layers import layers
from app.library import CollectionFacts
from app.patches import OFF, get_detail
from app.resources import Resources
from app.search.refresh import cluster_name


def begin(
    resources: Resources,
    name: str,
    encoders: Encoders,
    model: str | None = None,
    *,
    add_only: bool = False,
    leave_behind: bool = False,
    **kind: str | None,
) -> CollectionFacts:
    """Have every searchable picture embedded under another key, then switch to it unless `add_only`.

    `kind`, its `preprocessing`, `precision` and `detail`, is as for a new collection where it is open, and as it is now
    where the model is open too; the detail stays in any case, and how pictures are seen may go with it. Where all is
    open, the change under way goes on as it was begun. Pictures that could not be
    embedded get another try; with `leave_behind` they hold up nothing and become failures instead. What has nothing
    left to embed is made at once. Raises NotFound, InvalidInput, WeightsUnavailable.
    """
    wanted = _wanted(resources, name, encoders, model, kind)
    with resources.catalog.begin() as session:
        collection = _locked(session, name)
        change = changes.find(session, collection.id)
        if wanted is None:
            wanted, add_only, leave_behind = _under_way(collection, change, add_only, leave_behind)
        _refuse_another(session, collection, change, wanted)
        if wanted != collection.model_key_id:
            changes.begin(session, collection.id, wanted, add_only=add_only, leave_behind=leave_behind)
    enqueue(resources.settings, Job.EMBED_PENDING, collection_id=collection.id)
    advance(resources, collection.id)
    return library.collection(resources, name)


def cancel(resources: Resources, name: str) -> None:
    """Stay with the model there is. Embeddings that were made are kept: a change to the same key goes on from them."""
    with resources.catalog.begin() as session:
        collection = _locked(session, name)
        change = changes.find(session, collection.id)
        if change is None:
            raise InvalidInput(f"{name!r} is not changing its model: there is nothing to cancel")
        changes.end(session, change)


def ripe(resources: Resources) -> list[int]:
    """Ids of collections whose change waits for nothing more but to be made."""
    with resources.catalog.read() as session:
        return changes.ripe(session)


def advance(resources: Resources, collection_id: int) -> bool:
    """Make the change of this collection if it has one and nothing is left to embed. True: it is made."""
    change = _find_whole(resources, collection_id)
    if change is None or not _prepare_index(resources, collection_id, change.model_key_id):
        return False
    with resources.catalog.begin() as session:
        change = _whole(session, collection_id)
        if change is not None:
            _make(session, collections.get_by_id(session, collection_id), change)
    return change is not None


def held_up(resources: Resources, name: str) -> str | None:
    """Why the change can't be made without a person; None while workers still have something to do."""
    with resources.catalog.read() as session:
        collection = collections.get(session, name)
        facts = library.change_facts(session, collection)
        if facts is None or facts.leave_behind or facts.waiting or not facts.failed:
            return None
        first = changes.first_failure(session, changes.find(session, collection.id))
        path = images.shown_paths(session, [first.image_id]).get(first.image_id, f"picture {first.image_id}")
    noun = "1 picture" if facts.failed == 1 else f"{facts.failed:,} pictures"
    return (
        f"{noun} can't be embedded with {facts.label} (first {path}: {first.reason}): "
        "put them back and run this again, or add --leave-behind"
    )


def _wanted(
    resources: Resources, name: str, encoders: Encoders, model: str | None, kind: dict[str, str | None]
) -> int | None:
    """The id of the key that is meant, its weights here; None where nothing was said."""
    said = {part: value for part, value in kind.items() if value is not None}
    with resources.catalog.read() as session:
        now = collections.model_of(session, collections.get(session, name))
    if model is None and not said:
        return None
    key = encoders.named(model or now.model, **_kind(now, said, same_model=model is None)).key
    with resources.catalog.begin() as session:
        return collections.register_model(session, **asdict(key)).id


def _kind(now: ModelKey, said: dict[str, str], *, same_model: bool) -> dict[str, str]:
    """What a new key is to be, as far as it is not left to the model and the settings."""
    detail = {"detail": now.detail} | said
    if not same_model:
        return detail
    alike = len({get_detail(name) == OFF for name in (now.detail, detail["detail"])}) == 1
    seen = {"preprocessing": now.preprocessing} if alike else {}
    return {"precision": now.precision} | seen | detail


def _locked(session: Session, name: str) -> Collection:
    collections.lock(session, collections.get(session, name).id)
    session.expire_all()  # read before the lock, it may be old
    return collections.get(session, name)


def _under_way(
    collection: Collection, change: Change | None, add_only: bool, leave_behind: bool
) -> tuple[int, bool, bool]:
    if change is None:
        raise InvalidInput(f"{collection.name!r} is not changing its model: say to which with --model")
    return change.model_key_id, add_only or change.add_only, leave_behind or change.leave_behind


def _refuse_another(session: Session, collection: Collection, change: Change | None, model_key_id: int) -> None:
    if change is not None and change.model_key_id != model_key_id:
        label = library.change_facts(session, collection).label
        raise InvalidInput(f"{collection.name!r} is changing to {label}: wait for that, or stop it with --cancel")


def _find_whole(resources: Resources, collection_id: int) -> Change | None:
    """The change that can be made now. A look without a lock comes first: it is asked every few seconds."""
    with resources.catalog.read() as session:
        if collection_id not in changes.ripe(session) or snapshots.is_building(session, collection_id):
            return None
    with resources.catalog.begin() as session:
        return _whole(session, collection_id)


def _whole(session: Session, collection_id: int) -> Change | None:
    """Under the collection's lock: nothing waits, and nothing was forgotten. What was is noted, for workers to find."""
    collections.lock(session, collection_id)
    change = changes.find(session, collection_id)
    if change is not None:
        changes.top_up(session, change)
    return change if collection_id in changes.ripe(session) else None


def _prepare_index(resources: Resources, collection_id: int, model_key_id: int) -> bool:
    """What the first search after the switch would else wait for. False: another worker is at it."""
    if resources.settings.cluster is None:
        return upkeep.prepare(resources, collection_id, model_key_id)
    with resources.catalog.read() as session:
        collection = collections.get_by_id(session, collection_id)
        _fill_cluster(resources.settings.cluster, session, collection, collections.get_model(session, model_key_id))
    return True


def _fill_cluster(url: str, session: Session, collection: Collection, key: ModelKey) -> None:
    for layer in layers(key):
        index = MilvusIndex(url, cluster_name(collection, key, layer.kind), key.dim)
        if index.watermark < collection.seq:
            moving.fill(session, collection, key, layer, index)
            index.note(collection.seq)


def _make(session: Session, collection: Collection, change: Change) -> None:
    if change.add_only:
        changes.end(session, change)
        return
    rows = {kind: snapshots.find_newest(session, collection.id, change.model_key_id, kind) for kind in Kind}
    changes.switch(session, collection, change, {kind: row.id for kind, row in rows.items() if row})
