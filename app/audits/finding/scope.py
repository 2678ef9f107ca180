"""What a run of an audit examines: fixed when the run begins, so that one that was stopped goes on with the same."""

import hashlib
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import collections, looks, scopes
from app.catalog.audit_models import Audit
from app.catalog.scopes import Scope

Hashed = tuple[np.ndarray, np.ndarray]  # ids int64 (N,), hashes uint8 (N, B)


@dataclass(frozen=True)
class Scopes:
    """Of the collection, and of the one it is compared with."""

    audit_id: int
    method: str
    own: Scope
    other: Scope | None

    @classmethod
    def of(cls, session: Session, audit: Audit) -> "Scopes":
        """As of now."""
        own = _scope(session, audit.collection_id, audit, audit.seq)
        beside = audit.against_id is not None
        return cls(
            audit.id,
            audit.method,
            own,
            _scope(session, audit.against_id, audit, audit.against_seq) if beside else None,
        )

    @property
    def both(self) -> list[Scope]:
        return [self.own] if self.other is None else [self.own, self.other]

    @property
    def until(self) -> dict[str, int]:
        """The change numbers examined up to, as the audit's row has them."""
        return {"until_seq": self.own.until_seq, "against_until_seq": self.other.until_seq if self.other else 0}

    def news(self, session: Session, scope: Scope) -> np.ndarray:
        """Ids int64 (N,), ascending, of those that no run examined; and of those it could not look at."""
        late = np.array(looks.seen_late(session, self.audit_id, self.method), np.int64)
        return np.union1d(scopes.news(session, scope), np.intersect1d(late, scopes.ids(session, scope)))


def mark_of(audit: Audit, within: Scopes, *arrays: np.ndarray) -> str:
    """Two runs with the same mark cut the same rows into the same blocks."""
    told = hashlib.sha256(repr((within.until, audit.cosine, audit.method)).encode())
    for array in arrays:
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()


def _scope(session: Session, collection_id: int, audit: Audit, after_seq: int) -> Scope:
    until_seq = collections.get_by_id(session, collection_id).seq
    return Scope(collection_id, audit.model_key_id, after_seq, until_seq)
