"""Pairs of images that may be copies: noted, checked, and read as edges."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import and_, delete, func, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.catalog.audit_models import Audit, Pair
from app.catalog.images import portions
from app.catalog.models import Image
from app.catalog.states import ImageStatus, Tier

COPIES = (Tier.IDENTICAL, Tier.SAME_PIXELS, Tier.EDITED)
Key = tuple[int, int]


class Edge(NamedTuple):
    """Two visible images whose pair was checked."""

    first_id: int
    second_id: int
    tier: Tier
    score: float
    relations: list[str]  # what the second is to the first
    relations_back: list[str]


def add(session: Session, audit_id: int, first: np.ndarray, second: np.ndarray, cosine: np.ndarray | None) -> None:
    """Note pairs to be checked; those that are there stay as they are."""
    cosines = (
        [None] * len(first) if cosine is None else [None if value != value else value for value in cosine.tolist()]
    )
    rows = {(one, other): value for one, other, value in zip(first.tolist(), second.tolist(), cosines, strict=True)}
    for key in known(session, audit_id, list(rows)):
        rows.pop(key)
    values = [
        {"audit_id": audit_id, "first_id": one, "second_id": other, "cosine": value}
        for (one, other), value in rows.items()
    ]
    if values:
        session.execute(insert(Pair), values)


def known(session: Session, audit_id: int, keys: Sequence[Key]) -> set[Key]:
    wanted, found = set(keys), set()
    for chosen in portions(sorted({one for one, _ in wanted})):
        mine = (Pair.audit_id == audit_id, Pair.first_id.in_(chosen))
        found |= {tuple(row) for row in session.execute(select(Pair.first_id, Pair.second_id).where(*mine))}
    return found & wanted


def add_identical(session: Session, audit: Audit) -> None:
    """Pairs of the same bytes in two collections: nothing about them needs checking."""
    mine, other = aliased(Image), aliased(Image)
    there = select(Pair.first_id).where(Pair.audit_id == audit.id, Pair.first_id == mine.id, Pair.second_id == other.id)
    same = select(
        literal(audit.id), mine.id, other.id, literal(1.0), literal(Tier.IDENTICAL.value), literal(1.0), literal(1.0)
    ).where(
        mine.collection_id == audit.collection_id,
        other.collection_id == audit.against_id,
        mine.digest == other.digest,
        mine.status == ImageStatus.READY,
        other.status == ImageStatus.READY,
        ~there.exists(),
    )
    names = ["audit_id", "first_id", "second_id", "cosine", "tier", "score", "area"]
    session.execute(insert(Pair).from_select(names, same))


def unchecked(session: Session, audit_id: int, limit: int) -> list[Key]:
    """In an order that has pairs of one image together."""
    mine = (Pair.audit_id == audit_id, Pair.tier.is_(None))
    statement = select(Pair.first_id, Pair.second_id).where(*mine).order_by(Pair.first_id, Pair.second_id)
    return [tuple(row) for row in session.execute(statement.limit(limit))]


def count_unchecked(session: Session, audit_id: int) -> int:
    mine = (Pair.audit_id == audit_id, Pair.tier.is_(None))
    return session.scalar(select(func.count()).select_from(Pair).where(*mine))


def settle(session: Session, audit_id: int, verdicts: Sequence[dict]) -> None:
    """One dict per pair: first_id, second_id, and what the check said."""
    if verdicts:
        session.execute(update(Pair), [{"audit_id": audit_id, **verdict} for verdict in verdicts])


def forget_checks(session: Session, audit_id: int) -> None:
    """Every pair is to be checked again: the method is another."""
    told = dict.fromkeys(("score", "area", "reason"))
    blank = {name: null() for name in ("relations", "relations_back", "warp")}
    session.execute(update(Pair).where(Pair.audit_id == audit_id).values(tier=None, **told, **blank))


def retry_unreadable(session: Session, audit_id: int) -> None:
    """Pairs one of which could not be looked at get another try."""
    lost = (Pair.audit_id == audit_id, Pair.tier == Tier.UNREADABLE)
    session.execute(update(Pair).where(*lost).values(tier=None, reason=None))


def remove(session: Session, audit_id: int) -> None:
    session.execute(delete(Pair).where(Pair.audit_id == audit_id))


def edges(
    session: Session, audit_id: int, tiers: Sequence[Tier], image_ids: Sequence[int] | None = None
) -> Iterator[Edge]:
    """Checked pairs of visible images: all of them, or those that one of these is in."""
    if image_ids is None:
        yield from _edges(session, audit_id, tiers)
        return
    seen: set[Key] = set()
    for chosen in portions(list(image_ids)):
        touching = or_(Pair.first_id.in_(chosen), Pair.second_id.in_(chosen))
        for edge in _edges(session, audit_id, tiers, touching):
            if edge[:2] not in seen:
                seen.add(edge[:2])
                yield edge


def _edges(session: Session, audit_id: int, tiers: Sequence[Tier], *which) -> Iterator[Edge]:
    first, second = aliased(Image), aliased(Image)
    here = and_(first.status == ImageStatus.READY, second.status == ImageStatus.READY)
    columns = (Pair.first_id, Pair.second_id, Pair.tier, Pair.score, Pair.relations, Pair.relations_back)
    statement = (
        select(*columns)
        .join(first, first.id == Pair.first_id)
        .join(second, second.id == Pair.second_id)
        .where(Pair.audit_id == audit_id, Pair.tier.in_(tiers), here, *which)
        .order_by(Pair.first_id, Pair.second_id)
    )
    for row in session.execute(statement.execution_options(yield_per=10_000)):
        yield Edge(row[0], row[1], row[2], row[3], row[4] or [], row[5] or [])
