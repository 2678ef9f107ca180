"""A person's words on pairs of pictures, by their digests: they hold whatever scan, model or place."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.catalog.audit_models import Decision
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.inserting import put
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus, Word
from app.errors import NotFound

Digests = tuple[str, str]  # the lower one first
Key = tuple[float, int]  # when a decision was made, and its id


def key(one: str, other: str) -> Digests:
    return (one, other) if one <= other else (other, one)


def say(session: Session, words: Mapping[Digests, Word | None]) -> dict[Digests, Word | None]:
    """Write these words down, or take back what was said where it is None; what was there before."""
    before = dict.fromkeys(words) | said_of_pairs(session, list(words))
    spoken = {pair: word for pair, word in words.items() if word is not None}
    now = session.scalar(select(db_now()))
    rows = [{"first_digest": a, "second_digest": b, "word": word, "decided_at": now} for (a, b), word in spoken.items()]
    put(session, Decision, rows, ("first_digest", "second_digest"))
    for taken_back in portions([pair for pair in words if pair not in spoken]):
        session.execute(delete(Decision).where(_pair().in_(taken_back)))
    return before


def get(session: Session, decision_id: int) -> Decision:
    found = session.get(Decision, decision_id)
    if found is None:
        raise NotFound(f"decision {decision_id} was taken back already: look at the list again")
    return found


def page(session: Session, collection_ids: Sequence[int], key: Key | None, backwards: bool, limit: int):
    """Decisions on pictures of these collections after `key`, or before it; the newest first."""
    order = (Decision.decided_at, Decision.id)
    rows = select(Decision).where(*seen_in(collection_ids))
    if key is not None:
        rows = rows.where(tuple_(*order) > tuple_(*key) if backwards else tuple_(*order) < tuple_(*key))
    rows = rows.order_by(*(column.asc() if backwards else column.desc() for column in order)).limit(limit)
    found = session.scalars(rows).all()
    return found[::-1] if backwards else found


def count(session: Session, collection_ids: Sequence[int]) -> int:
    return session.scalar(select(func.count()).select_from(Decision).where(*seen_in(collection_ids)))


def pictures(session: Session, collection_ids: Sequence[int], digests: Iterable[str]) -> dict[str, str | None]:
    """By digest, where a picture with these bytes lies in these collections; None where it lies nowhere any more."""
    lies = select(Image.digest, func.min(Location.path)).outerjoin(Location, Location.image_id == Image.id)
    here = (Image.collection_id.in_(collection_ids), Image.digest.in_(sorted(digests)))
    return dict(session.execute(lies.where(*here).group_by(Image.digest)).all())


def said_of_pairs(session: Session, pairs: Sequence[Digests]) -> dict[Digests, Word]:
    rows = [row for chosen in portions(pairs) for row in session.scalars(select(Decision).where(_pair().in_(chosen)))]
    return _words(rows)


def said_of(session: Session, digests: Iterable[str]) -> dict[Digests, Word]:
    """All that was said of pairs with one of these."""
    found: dict[Digests, Word] = {}
    for chosen in portions(sorted(digests)):
        touches = or_(Decision.first_digest.in_(chosen), Decision.second_digest.in_(chosen))
        found |= _words(session.scalars(select(Decision).where(touches)))
    return found


def all_said(session: Session) -> dict[Digests, Word]:
    return _words(session.scalars(select(Decision).execution_options(yield_per=4096)))


def images_of(session: Session, digests: Iterable[str], collection_ids: Sequence[int]) -> dict[str, list[int]]:
    """Ids of the visible images with these bytes, by digest."""
    found: dict[str, list[int]] = {}
    shown = (Image.collection_id.in_(collection_ids), Image.status == ImageStatus.READY)
    for chosen in portions(sorted(digests)):
        for digest, image_id in session.execute(select(Image.digest, Image.id).where(Image.digest.in_(chosen), *shown)):
            found.setdefault(digest, []).append(image_id)
    return found


def seen_in(collection_ids: Sequence[int]) -> list[ColumnElement[bool]]:
    """Both pictures are known in one of these."""
    here = select(Image.id).where(Image.collection_id.in_(collection_ids))
    return [here.where(Image.digest == one).exists() for one in (Decision.first_digest, Decision.second_digest)]


def _pair():
    return tuple_(Decision.first_digest, Decision.second_digest)


def _words(rows: Iterable[Decision]) -> dict[Digests, Word]:
    return {(row.first_digest, row.second_digest): row.word for row in rows}
