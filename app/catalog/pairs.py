"""Pairs of an audit: candidates first, then with what the check said of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.catalog.audit_models import Audit, Pair
from app.catalog.images import portions
from app.catalog.inserting import add_new
from app.catalog.models import Image
from app.catalog.states import ImageStatus, Tier

JOINED = (Tier.IDENTICAL, Tier.SAME_PIXELS, Tier.EDITED, Tier.SAME_SCENE)  # what puts two pictures into one group
BLANK = dict.fromkeys(("tier", "score", "area", "scene", "relations", "relations_back", "warp", "reason"))
UNCHECKED = {"tier": None, "score": None}
SAME_BYTES = {"tier": Tier.IDENTICAL, "score": 1.0}
ROWS_AT_ONCE = 4096


class Candidate(NamedTuple):
    first_id: int
    second_id: int
    cosine: float | None


class Edge(NamedTuple):
    """Two images of one group, or of two scenes."""

    first_id: int
    second_id: int
    tier: Tier | None
    score: float | None
    relations: Sequence[str] | None  # what the second is to the first
    relations_back: Sequence[str] | None  # what the first is to the second


def add(session: Session, audit_id: int, candidates: Iterable[Candidate]) -> int:
    """Note pairs to be checked; how many were not noted yet."""
    return add_new(session, Pair, [{"audit_id": audit_id, **pair._asdict(), **UNCHECKED} for pair in candidates])


def add_identical(session: Session, audit: Audit) -> int:
    """Pairs of the same bytes across its two collections, which need no check."""
    first, second = aliased(Image), aliased(Image)
    same = and_(second.digest == first.digest, second.collection_id == audit.against_id)
    rows = select(first.id, second.id).join(second, same).where(first.collection_id == audit.collection_id)
    seen = rows.where(first.status == ImageStatus.READY, second.status == ImageStatus.READY)
    return sum(
        add_new(session, Pair, [_identical(audit.id, *row) for row in portion])
        for portion in session.execute(seen.execution_options(yield_per=ROWS_AT_ONCE)).partitions()
    )


def unchecked(session: Session, audit_id: int, limit: int) -> list[tuple[int, int]]:
    """(first_id, second_id) of pairs to check, the lowest ids first."""
    rows = select(Pair.first_id, Pair.second_id).where(Pair.audit_id == audit_id, Pair.tier.is_(None))
    return [tuple(row) for row in session.execute(rows.order_by(Pair.first_id, Pair.second_id).limit(limit))]


def settle(session: Session, rows: Sequence[dict]) -> None:
    """Write down what the check said: one dict per pair, its key and columns."""
    if rows:
        session.execute(update(Pair), [BLANK | row for row in rows])


def forget_checks(session: Session, audit_id: int) -> None:
    """Every pair but the identical ones is to be checked again: the check itself is another."""
    _blank(session, Pair.audit_id == audit_id, Pair.tier != Tier.IDENTICAL)


def retry_unreadable(session: Session, audit_id: int) -> None:
    """What could not be looked at may be there again."""
    _blank(session, Pair.audit_id == audit_id, Pair.tier == Tier.UNREADABLE)


def counts(session: Session, audit_id: int) -> dict[Tier | None, int]:
    """How many pairs have each tier; None: not checked yet."""
    rows = select(Pair.tier, func.count()).where(Pair.audit_id == audit_id).group_by(Pair.tier)
    return dict(session.execute(rows).all())


def edges(session: Session, audit_id: int, image_ids: Sequence[int] | None = None) -> Iterator[Edge]:
    """Pairs of visible images that are `JOINED`: all of them, or those with one of `image_ids`, some twice."""
    if image_ids is None:
        yield from _edges(session, audit_id, Pair.tier.in_(JOINED))
        return
    for chosen in portions(image_ids):
        yield from _edges(session, audit_id, Pair.tier.in_(JOINED), Pair.first_id.in_(chosen))
        yield from _edges(session, audit_id, Pair.tier.in_(JOINED), Pair.second_id.in_(chosen))


def edges_of(session: Session, audit_id: int, keys: Sequence[tuple[int, int]]) -> Iterator[Edge]:
    """These pairs, whatever the check said of them, as far as both images are visible."""
    for chosen in portions(keys):
        yield from _edges(session, audit_id, tuple_(Pair.first_id, Pair.second_id).in_(chosen))


def known(session: Session, audit_id: int, image_ids: Sequence[int]) -> set[tuple[int, int]]:
    """(first_id, second_id) of every pair noted that begins with one of these images."""
    rows = select(Pair.first_id, Pair.second_id).where(Pair.audit_id == audit_id)
    found: set[tuple[int, int]] = set()
    for chosen in portions(image_ids):
        found.update(tuple(row) for row in session.execute(rows.where(Pair.first_id.in_(chosen))))
    return found


def get(session: Session, audit_id: int, first_id: int, second_id: int) -> Pair | None:
    return session.get(Pair, (audit_id, first_id, second_id))


def _edges(session: Session, audit_id: int, *chosen: ColumnElement[bool]) -> Iterator[Edge]:
    first, second = aliased(Image), aliased(Image)
    columns = select(Pair.first_id, Pair.second_id, Pair.tier, Pair.score, Pair.relations, Pair.relations_back)
    both = columns.join(first, first.id == Pair.first_id).join(second, second.id == Pair.second_id)
    visible = (first.status == ImageStatus.READY, second.status == ImageStatus.READY)
    rows = session.execute(
        both.where(Pair.audit_id == audit_id, *visible, *chosen).execution_options(yield_per=ROWS_AT_ONCE)
    )
    yield from (Edge(*row) for row in rows)


def _blank(session: Session, *which: ColumnElement[bool]) -> None:
    session.execute(update(Pair).where(*which).values(BLANK).execution_options(synchronize_session=False))


def _identical(audit_id: int, first_id: int, second_id: int) -> dict:
    return {"audit_id": audit_id, "first_id": first_id, "second_id": second_id, "cosine": 1.0, **SAME_BYTES}
