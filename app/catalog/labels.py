"""What a person said of pairs to find the threshold, the pairs there are to ask about, and the threshold set by it."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, Row, and_, case, cast, delete, func, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.catalog.audit_models import Audit, Label, Pair, Threshold
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.models import Image
from app.catalog.states import ImageStatus, Tier

ASKED_OF = (Tier.EDITED, Tier.SAME_SCENE, Tier.DIFFERENT)  # what the threshold decides; same pixels need no question
PRIMES = (999_979, 999_983, 1_000_003, 7919, 104_729, 15_485_863)  # products of two stay far below 63 bits


class Labelled(NamedTuple):
    """A label on a pair of this audit, with the score that the check gives it now."""

    first_id: int
    second_id: int
    score: float
    copies: bool


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
    """Every label on a pair of this audit, the latest last."""
    rows = session.scalars(
        select(Label).where(*_mine(audit)).order_by(Label.labelled_at, Label.first_digest, Label.second_digest)
    ).all()
    digests = {digest for row in rows for digest in (row.first_digest, row.second_digest)}
    named = _digests_of(session, audit, digests)
    scores = _pairs_among(session, audit.id, named)
    found = ((scores.get((row.first_digest, row.second_digest)), row.copies) for row in rows)
    return [Labelled(*pair, copies) for pair, copies in found if pair is not None]


def put(session: Session, audit: Audit, pair: Pair, copies: bool, weight: float) -> None:
    """Keep what a person said of a pair, in place of what was said before."""
    key = dict(zip(("first_digest", "second_digest"), _digests(session, pair), strict=True))
    said = {"score": pair.score, "weight": weight, "copies": copies}
    found = session.get(Label, (audit.collection_id, audit.model_key_id, *key.values()))
    if found is None:
        session.add(Label(collection_id=audit.collection_id, model_key_id=audit.model_key_id, **key, **said))
        return
    for name, value in (said | {"labelled_at": db_now()}).items():
        setattr(found, name, value)


def remove(session: Session, audit: Audit, pair: Pair) -> None:
    first, second = _digests(session, pair)
    session.execute(delete(Label).where(*_mine(audit), Label.first_digest == first, Label.second_digest == second))


def set_threshold(session: Session, audit: Audit, score: float, target_precision: float, evidence: dict) -> None:
    key = {"collection_id": audit.collection_id, "model_key_id": audit.model_key_id}
    values = {"score": score, "target_precision": target_precision, "evidence": evidence, "set_at": db_now()}
    session.merge(Threshold(**key, **values))
    session.flush()


def audits_with(session: Session, audit: Audit) -> Sequence[Audit]:
    """All audits that have the threshold of this one."""
    same = (Audit.collection_id == audit.collection_id, Audit.model_key_id == audit.model_key_id)
    return session.scalars(select(Audit).where(*same).order_by(Audit.id)).all()


def clear_threshold(session: Session, audit: Audit) -> None:
    mine = (Threshold.collection_id == audit.collection_id, Threshold.model_key_id == audit.model_key_id)
    session.execute(delete(Threshold).where(*mine))


def retier(session: Session, audit_id: int, threshold: float, scene_score: float) -> int:
    """Call pairs copies from this score on, and no others. How many must be looked at again to be named.

    From `scene_score` on, what is no copy is another shot of the same scene, without a look; below it, and where
    nobody worked out yet how one of two became the other, the check has to say.
    """
    fallen = and_(Pair.tier == Tier.EDITED, Pair.score < threshold)
    risen = and_(Pair.tier.in_((Tier.SAME_SCENE, Tier.DIFFERENT)), Pair.score >= threshold)
    known = case(
        (and_(fallen, Pair.score >= scene_score), Tier.SAME_SCENE),
        (and_(risen, _is_named()), Tier.EDITED),
        else_=null(),
    )
    moved = update(Pair).where(Pair.audit_id == audit_id, or_(fallen, risen)).values(tier=known)
    session.execute(moved.execution_options(synchronize_session=False))
    unchecked = (Pair.audit_id == audit_id, Pair.tier.is_(None))
    return session.scalar(select(func.count()).select_from(Pair).where(*unchecked))


def _asked_of(audit_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Pair.audit_id == audit_id, Pair.tier.in_(ASKED_OF), Pair.score.is_not(None))


def _mine(audit: Audit) -> tuple[ColumnElement[bool], ...]:
    return (Label.collection_id == audit.collection_id, Label.model_key_id == audit.model_key_id)


def _is_named() -> ColumnElement[bool]:
    return and_(Pair.relations.is_not(None), Pair.relations_back.is_not(None))


def _shuffled() -> ColumnElement[int]:
    one, other, last, *factors = PRIMES
    left = (Pair.first_id * factors[0] + Pair.second_id * factors[1] + 1) % one
    right = (Pair.first_id * factors[2] + Pair.second_id + 1) % other
    return (left * right) % last


def _digests(session: Session, pair: Pair) -> tuple[str, str]:
    """The lower first, as labels have them."""
    rows = session.scalars(select(Image.digest).where(Image.id.in_((pair.first_id, pair.second_id)))).all()
    return min(rows), max(rows)


def _digests_of(session: Session, audit: Audit, digests: set[str]) -> dict[int, str]:
    """Digest by id, of the audit's own images that have one of these."""
    here = Image.collection_id.in_([audit.collection_id, audit.against_id or audit.collection_id])
    found: dict[int, str] = {}
    for chosen in portions(sorted(digests)):
        rows = session.execute(select(Image.id, Image.digest).where(here, Image.digest.in_(chosen)))
        found |= dict(rows.all())
    return found


def _pairs_among(session: Session, audit_id: int, named: dict[int, str]) -> dict[tuple[str, str], tuple]:
    """(first_id, second_id, score) by both digests, of pairs between these images."""
    found = {}
    for chosen in portions(sorted(named)):
        columns = select(Pair.first_id, Pair.second_id, Pair.score)
        for row in session.execute(columns.where(*_asked_of(audit_id), Pair.first_id.in_(chosen))):
            if row.second_id in named:
                key = sorted((named[row.first_id], named[row.second_id]))
                found[tuple(key)] = tuple(row)
    return found
