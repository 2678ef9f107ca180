"""A collection's change to another model key: what it still has to embed, whether it can be made, and the making.

All but the counts and `ripe` are asked under the collection's lock, as is everything that makes an image searchable:
what a change finds whole stays whole until its transaction ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from app.catalog import collections, snapshots
from app.catalog.images import portions
from app.catalog.models import Change, Collection, Embedding, Image, Reembedding
from app.catalog.states import ImageStatus, Kind

WAITING = (ImageStatus.PENDING, ImageStatus.WORKING)
WITHHELD = (*WAITING, ImageStatus.FAILED)  # not searchable, though their bytes are there


@dataclass(frozen=True)
class Remaining:
    """Searchable pictures that have no embedding of the new key yet."""

    waiting: int
    failed: int  # refused or set aside


def find(session: Session, collection_id: int) -> Change | None:
    return session.get(Change, collection_id)


def begin(session: Session, collection_id: int, model_key_id: int, *, add_only: bool, leave_behind: bool) -> Change:
    """The change to this key, begun or gone on with. Pictures that failed get another try unless they are left."""
    change = find(session, collection_id)
    if change is None:
        change = Change(collection_id=collection_id, model_key_id=model_key_id)
        session.add(change)
    change.add_only, change.leave_behind = add_only, leave_behind
    session.flush()
    if not leave_behind:
        retry(session, change)
    top_up(session, change)
    return change


def retry(session: Session, change: Change) -> None:
    """Give pictures that failed their attempts back."""
    failed = (*_of(change), Reembedding.status == ImageStatus.FAILED)
    fresh = {"status": ImageStatus.PENDING, "attempts": 0, "not_before": 0.0, "code": None, "reason": None}
    session.execute(update(Reembedding).where(*failed).values(**fresh))


def top_up(session: Session, change: Change, image_ids: Sequence[int] | None = None) -> None:
    """Note the work on searchable images, all or these, that lack the new embedding and are not noted yet."""
    noted = select(Reembedding.id).where(
        Reembedding.image_id == Image.id, Reembedding.model_key_id == change.model_key_id
    )
    missing = select(Image.collection_id, Image.id, literal(change.model_key_id)).where(
        Image.collection_id == change.collection_id,
        Image.status == ImageStatus.READY,
        ~_has_vector(change.model_key_id),
        ~noted.exists(),
    )
    if image_ids is not None:
        missing = missing.where(Image.id.in_(image_ids))
    names = ["collection_id", "image_id", "model_key_id"]
    session.execute(insert(Reembedding).from_select(names, missing.order_by(Image.id)))


def strike_off(session: Session, model_key_id: int, image_ids: Sequence[int]) -> None:
    """Done: these have their embedding."""
    done = (Reembedding.image_id.in_(image_ids), Reembedding.model_key_id == model_key_id)
    session.execute(delete(Reembedding).where(*done))


def remaining(session: Session, change: Change) -> Remaining:
    here = select(Reembedding.status, func.count()).where(*_of(change), Reembedding.status.in_(WITHHELD))
    counts = dict(session.execute(here.group_by(Reembedding.status)).all())
    return Remaining(sum(counts.get(status, 0) for status in WAITING), counts.get(ImageStatus.FAILED, 0))


def first_failure(session: Session, change: Change) -> Reembedding | None:
    failed = (*_of(change), Reembedding.status == ImageStatus.FAILED)
    return session.scalar(select(Reembedding).where(*failed).order_by(Reembedding.id).limit(1))


def ripe(session: Session) -> list[int]:
    """Ids of collections whose change has nothing left to wait for, as far as the notes tell: see `top_up`."""
    here = select(Reembedding.id).where(*_of(Change))
    open_ = here.where(Reembedding.status.in_(WAITING)).exists()
    failed = here.where(Reembedding.status == ImageStatus.FAILED).exists()
    ordinary = select(Image.id).where(Image.collection_id == Change.collection_id, Image.status.in_(WAITING)).exists()
    statement = select(Change.collection_id).join(Collection, Collection.id == Change.collection_id)
    holds_up = ~Change.leave_behind & (failed | ordinary)
    return list(session.scalars(statement.where(Collection.deleted_at.is_(None), ~open_, ~holds_up)))


def switch(session: Session, collection: Collection, change: Change, chosen: Mapping[Kind, int]) -> None:
    """Let the collection answer with the change's key and these snapshots of it, from this change number on.

    Images without the new embedding become failures with their reason; those a change before left behind, and that
    have it, are searchable again.
    """
    seq = collections.next_seq(session, collection.id)
    _leave_behind(session, change, seq)
    _welcome_back(session, change, seq)
    snapshots.go_over(session, collection, chosen)
    here = update(Collection).where(Collection.id == collection.id)
    session.execute(here.values(model_key_id=change.model_key_id))
    end(session, change)
    session.execute(delete(Reembedding).where(Reembedding.collection_id == collection.id))  # of the key before


def end(session: Session, change: Change) -> None:
    """Forget the change and its work. Embeddings that were made stay."""
    session.execute(delete(Reembedding).where(*_of(change)))
    session.execute(delete(Change).where(Change.collection_id == change.collection_id))


def _of(change: Change | type[Change]) -> tuple[ColumnElement[bool], ...]:
    """Its work, told from pictures of the key there is that are described anew."""
    return Reembedding.collection_id == change.collection_id, Reembedding.model_key_id == change.model_key_id


def _leave_behind(session: Session, change: Change, seq: int) -> None:
    failed = (*_of(change), Reembedding.status == ImageStatus.FAILED)
    mine = (Reembedding.image_id == Image.id, Reembedding.model_key_id == change.model_key_id)
    told = {name: select(getattr(Reembedding, name)).where(*mine).scalar_subquery() for name in ("code", "reason")}
    for chosen in portions(session.scalars(select(Reembedding.image_id).where(*failed)).all()):
        session.execute(
            update(Image)
            .where(Image.id.in_(chosen), Image.status == ImageStatus.READY)
            .values(status=ImageStatus.FAILED, changed_seq=seq, **told)
            .execution_options(synchronize_session=False)
        )


def _welcome_back(session: Session, change: Change, seq: int) -> None:
    withheld = (Image.collection_id == change.collection_id, Image.status.in_(WITHHELD))
    free = {"owner": None, "lease_until": None, "code": None, "reason": None}
    session.execute(
        update(Image)
        .where(*withheld, _has_vector(change.model_key_id))
        .values(status=ImageStatus.READY, changed_seq=seq, **free)
        .execution_options(synchronize_session=False)
    )


def _has_vector(model_key_id: int) -> ColumnElement[bool]:
    mine = (Embedding.image_id == Image.id, Embedding.model_key_id == model_key_id)
    return select(Embedding.image_id).where(*mine).exists()
