"""What a person said of pairs to find the threshold, and the pairs there are to ask about.

An answer is of two pictures, by their digests: it outlives scans, moves and models, and so does an "I can't tell".
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, Row, and_, cast, delete, func, select
from sqlalchemy.orm import Session, aliased

from app.catalog.audit_models import Audit, Label, Pair
from app.catalog.clock import db_now
from app.catalog.decisions import Digests, key
from app.catalog.images import portions
from app.catalog.models import Image
from app.catalog.states import ImageStatus, Tier

ASKED_OF = (Tier.EDITED, Tier.SAME_SCENE, Tier.DIFFERENT)  # what the threshold decides; same pixels need no question
PRIMES = (999_979, 999_983, 1_000_003, 7919, 104_729, 15_485_863)  # products of two stay far below 63 bits


class Labelled(NamedTuple):
    """An answer about a pair of this audit, with the score that the check gives it now."""

    first_id: int
    second_id: int
    score: float
    copies: bool | None  # None: the person could not tell


def counts_by_step(session: Session, audit_id: int, steps: int) -> list[tuple[int, int]]:
    """(step, pairs) of every step of the score that has some; a step is 1 / `steps` wide, the last one holds 1.0."""
    # a cast to an integer rounds on one database and cuts on the other
    step = cast(func.round(Pair.score * steps - 0.5), Integer)
    rows = select(step, func.count()).where(*_asked_of(audit_id)).group_by(step)
    return [(min(max(number, 0), steps), pairs) for number, pairs in session.execute(rows)]


def drawn(session: Session, audit_id: int, low: float, high: float, limit: int) -> Sequence[Row]:
    """(first_id, second_id, score) of pairs with a score from `low` to below `high`, in an order that is like chance.

    It depends on the ids alone, so it is the same each time. Pairs whose pictures can't be shown are left out.
    """
    first, second = aliased(Image), aliased(Image)
    visible = and_(first.status == ImageStatus.READY, second.status == ImageStatus.READY)
    shown = select(Pair.first_id, Pair.second_id, Pair.score).join(first, first.id == Pair.first_id)
    here = (*_asked_of(audit_id), Pair.score >= low, Pair.score < high, visible)
    chosen = shown.join(second, second.id == Pair.second_id).where(*here)
    return session.execute(chosen.order_by(_shuffled(), Pair.first_id, Pair.second_id).limit(limit)).all()


def find_pair(session: Session, audit_id: int, first_id: int, second_id: int) -> Pair | None:
    """A pair that may be asked about."""
    which = (Pair.first_id == first_id, Pair.second_id == second_id)
    return session.scalar(select(Pair).where(*_asked_of(audit_id), *which))


def of_audit(session: Session, audit: Audit) -> list[Labelled]:
    """Every answer about a pair of this audit, whatever model brought the pair up, the latest last."""
    order = (Label.labelled_at, Label.first_digest, Label.second_digest)
    rows = session.scalars(select(Label).where(Label.collection_id == audit.collection_id).order_by(*order)).all()
    said = {(row.first_digest, row.second_digest): row.copies for row in rows}
    found = _pairs_among(session, audit.id, _digests_of(session, audit, {digest for pair in said for digest in pair}))
    return [Labelled(*found[pair], copies) for pair, copies in said.items() if pair in found]


def say(session: Session, audit: Audit, pair: Pair, copies: bool | None, weight: float) -> None:
    """Keep what a person said of a pair, in place of what was said before."""
    first, second = _digests(session, pair)
    mine = {"collection_id": audit.collection_id, "model_key_id": audit.model_key_id}
    of = {"first_digest": first, "second_digest": second}
    said = {"score": pair.score, "weight": weight, "copies": copies, "labelled_at": session.scalar(select(db_now()))}
    forget(session, audit, pair)
    session.add(Label(**mine, **of, **said))


def forget(session: Session, audit: Audit, pair: Pair) -> None:
    first, second = _digests(session, pair)
    of = (Label.first_digest == first, Label.second_digest == second)
    session.execute(delete(Label).where(Label.collection_id == audit.collection_id, *of))


def _asked_of(audit_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Pair.audit_id == audit_id, Pair.tier.in_(ASKED_OF), Pair.score.is_not(None))


def _shuffled() -> ColumnElement[int]:
    one, other, last, *factors = PRIMES
    left = (Pair.first_id * factors[0] + Pair.second_id * factors[1] + 1) % one
    right = (Pair.first_id * factors[2] + Pair.second_id + 1) % other
    return (left * right) % last


def _digests(session: Session, pair: Pair) -> Digests:
    return key(*session.scalars(select(Image.digest).where(Image.id.in_((pair.first_id, pair.second_id)))))


def _digests_of(session: Session, audit: Audit, digests: set[str]) -> dict[int, str]:
    """Digest by id, of the audit's own images that have one of these."""
    here = Image.collection_id.in_([audit.collection_id, audit.against_id or audit.collection_id])
    found: dict[int, str] = {}
    for chosen in portions(sorted(digests)):
        rows = session.execute(select(Image.id, Image.digest).where(here, Image.digest.in_(chosen)))
        found |= dict(rows.all())
    return found


def _pairs_among(session: Session, audit_id: int, named: dict[int, str]) -> dict[Digests, tuple]:
    """(first_id, second_id, score) by both digests, of pairs between these images."""
    found = {}
    for chosen in portions(sorted(named)):
        columns = select(Pair.first_id, Pair.second_id, Pair.score)
        for row in session.execute(columns.where(*_asked_of(audit_id), Pair.first_id.in_(chosen))):
            if row.second_id in named:
                found[key(named[row.first_id], named[row.second_id])] = tuple(row)
    return found
