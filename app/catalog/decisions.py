"""What a person said of two pictures, by their digests."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.catalog.audit_models import Decision
from app.catalog.clock import db_now
from app.catalog.images import portions
from app.catalog.states import Word

Digests = tuple[str, str]  # the lower first


def pair_of(one: str, other: str) -> Digests:
    return (one, other) if one <= other else (other, one)


def decide(session: Session, pairs: Iterable[Digests], word: Word) -> dict[Digests, Word | None]:
    """Keep this word on each pair; what was said of each before, None where nothing was."""
    before: dict[Digests, Word | None] = {}
    for digests in pairs:
        found = _find(session, digests)
        before[digests] = found and found.word
        if found is None:
            session.add(Decision(first_digest=digests[0], second_digest=digests[1], word=word))
        else:
            found.word, found.decided_at = word, db_now()
    session.flush()
    return before


def revoke(session: Session, pairs: Iterable[Digests]) -> None:
    for first, second in pairs:
        mine = (Decision.first_digest == first, Decision.second_digest == second)
        session.execute(delete(Decision).where(*mine))


def among(session: Session, digests: Sequence[str]) -> dict[Digests, Word]:
    """Every word on two pictures that are both among these."""
    wanted, found = set(digests), {}
    for chosen in portions(sorted(wanted)):
        touching = or_(Decision.first_digest.in_(chosen), Decision.second_digest.in_(chosen))
        for row in session.scalars(select(Decision).where(touching)):
            found[row.first_digest, row.second_digest] = row.word
    return {pair: word for pair, word in found.items() if set(pair) <= wanted}


def touching(session: Session, digests: Sequence[str]) -> dict[Digests, Word]:
    """Every word that one of these is part of."""
    found = {}
    for chosen in portions(sorted(set(digests))):
        mine = or_(Decision.first_digest.in_(chosen), Decision.second_digest.in_(chosen))
        found |= {
            (row.first_digest, row.second_digest): row.word for row in session.scalars(select(Decision).where(mine))
        }
    return found


def _find(session: Session, digests: Digests) -> Decision | None:
    mine = (Decision.first_digest == digests[0], Decision.second_digest == digests[1])
    return session.scalar(select(Decision).where(*mine))
