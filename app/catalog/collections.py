"""Collections, and the sequence that orders their changes."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Collection, ModelKey
from app.errors import AlreadyExists, NotFound


def find(session: Session, name: str) -> Collection | None:
    return session.scalar(select(Collection).where(Collection.name == name, Collection.deleted_at.is_(None)))


def get(session: Session, name: str) -> Collection:
    """Raises NotFound, which lists the collections there are."""
    found = find(session, name)
    if found is None:
        known = ", ".join(c.name for c in all_live(session)) or "none yet"
        raise NotFound(f"no collection is called {name!r} (there are: {known}): see `dinoseek collections list`")
    return found


def get_by_id(session: Session, collection_id: int) -> Collection:
    found = session.get(Collection, collection_id)
    if found is None or found.deleted_at is not None:
        raise NotFound(f"collection {collection_id} is not there any more")
    return found


def all_live(session: Session) -> Sequence[Collection]:
    return session.scalars(select(Collection).where(Collection.deleted_at.is_(None)).order_by(Collection.name)).all()


def add(session: Session, name: str, model_key_id: int) -> Collection:
    """Raises AlreadyExists on the word of the unique index, also when two processes try at once."""
    collection = Collection(name=name, model_key_id=model_key_id)
    try:
        with session.begin_nested():
            session.add(collection)
    except IntegrityError:
        raise AlreadyExists(f"a collection called {name!r} is already there: choose another name") from None
    return collection


def hide(session: Session, name: str) -> Collection:
    """Take a collection out of every list. Undone by `restore`; no row and no file is removed."""
    collection = get(session, name)
    collection.deleted_at = session.scalar(select(db_now()))
    return collection


def restore(session: Session, name: str) -> Collection:
    """Bring back the collection of this name that was hidden last. The inverse of `hide`."""
    hidden = select(Collection).where(Collection.name == name, Collection.deleted_at.is_not(None))
    collection = session.scalar(hidden.order_by(Collection.deleted_at.desc()).limit(1))
    if collection is None:
        raise NotFound(f"no deleted collection is called {name!r}: nothing to restore")
    if find(session, name) is not None:
        raise AlreadyExists(f"a collection called {name!r} is in use: rename or delete that one first")
    collection.deleted_at = None
    return collection


def lock(session: Session, collection_id: int) -> None:
    """Wait for other writers of this collection, so that two that add the same bytes don't collide."""
    session.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update())


def note_work(session: Session, collection_id: int) -> None:
    """A batch of it is stored. Kept here, for a worker's row goes with its worker."""
    worked = update(Collection).where(Collection.id == collection_id).values(worked_at=db_now())
    session.execute(worked.execution_options(synchronize_session=False))


def next_seq(session: Session, collection_id: int) -> int:
    """The number of the next change. The row stays locked until commit, so numbers commit in their order:

    a reader who has seen number n will never miss a smaller one. Ids promise no such thing on PostgreSQL.
    """
    bump = update(Collection).where(Collection.id == collection_id).values(seq=Collection.seq + 1)
    return session.scalar(bump.returning(Collection.seq).execution_options(synchronize_session=False))


def register_model(session: Session, **key) -> ModelKey:
    """The row of this model key, added when it is new."""
    identity = {name: key[name] for name in ("model", "weights_sha256", "preprocessing", "precision", "detail")}
    known = select(ModelKey).filter_by(**identity)
    found = session.scalar(known)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(ModelKey(**key))
    except IntegrityError:
        pass  # another process was faster
    return session.scalars(known).one()


def model_of(session: Session, collection: Collection) -> ModelKey:
    return get_model(session, collection.model_key_id)


def get_model(session: Session, model_key_id: int) -> ModelKey:
    return session.get_one(ModelKey, model_key_id)


def answers_with(session: Session, collection_id: int, model_key_id: int) -> bool:
    """Whether this is the collection's key, deleted or not; for good only under its lock."""
    return session.scalar(select(Collection.model_key_id).where(Collection.id == collection_id)) == model_key_id
