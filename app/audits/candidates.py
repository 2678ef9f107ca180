"""The second stage: pairs that may be copies, by their vectors and by their hashes, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.alignment import forms
from app.audits.lease import Hold
from app.catalog import audits, collections, embeddings, looks, pairs
from app.catalog.audit_models import Audit
from app.catalog.models import Collection, ModelKey
from app.catalog.states import AuditStage
from app.index.hashes import HashJoin
from app.index.join import Join, Pairs
from app.index.live import LiveIndex
from app.search.refresh import Readers

# model -> the cosine from which two of its vectors are worth a look, and why
COSINES = {
    "dinoseek_tiny14": 0.45,  # 96.6 % of the copies among 1,198 photographs, with four pairs a picture to look at
}
OTHER_MODELS = 0.6  # a guess for DINOv2's own: crops of a third were seen above it, other scenes seldom
MOST_BITS = 48  # of 256: hashes of unrelated pictures differ by 128 ± 8


@dataclass(frozen=True)
class Scope:
    """What a run compares, as of one moment: two runs that find the same scope have the same blocks."""

    live: LiveIndex  # whose rows are the second of each pair
    seq: int
    against_seq: int
    parts: tuple[Join | HashJoin, ...]

    @property
    def blocks(self) -> int:
        return sum(part.blocks for part in self.parts)

    def run(self, first_block: int) -> Iterator[tuple[int, Pairs]]:
        before = 0
        for part in self.parts:
            for found in part.run(max(0, first_block - before)) if first_block < before + part.blocks else ():
                yield before + found.block, found
            before += part.blocks


def default_cosine(model: str) -> float:
    return COSINES.get(model, OTHER_MODELS)


def join(hold: Hold, readers: Readers) -> None:
    """Note every pair of which one is new since the last run, from the block after the last that is noted."""
    with hold.resources.catalog.read() as session:
        audit = audits.get(session, hold.audit_id)
        scope = _scope(session, audit, readers)
    first = audit.blocks if (scope.seq, scope.against_seq) == (audit.until_seq, audit.against_until_seq) else 0
    with hold.resources.catalog.begin() as session:
        pairs.retry_unreadable(session, audit.id)
        if audit.against_id is not None:
            pairs.add_identical(session, audit)
        frozen = {"until_seq": scope.seq, "against_until_seq": scope.against_seq, "blocks": first}
        hold.write(session, stage=AuditStage.JOIN, done=first, total=scope.blocks, **frozen)
    for block, found in scope.run(first):
        _note(hold, block, found, scope.blocks)
        hold.go_on()


def _note(hold: Hold, block: int, found: Pairs, blocks: int) -> None:
    with hold.resources.catalog.begin() as session:
        pairs.add(session, hold.audit_id, found.first, found.second, found.cosine)  # NaN: only their hashes are near
        hold.write(session, stage=AuditStage.JOIN, done=block + 1, total=blocks, blocks=block + 1)


def _scope(session: Session, audit: Audit, readers: Readers) -> Scope:
    key = collections.get_model(session, audit.model_key_id)
    own = collections.get_by_id(session, audit.collection_id)
    if audit.against_id is None:
        live = _live(session, readers, own, key)
        return Scope(live, own.seq, 0, _within(session, audit, own, live))
    other = collections.get_by_id(session, audit.against_id)
    live = _live(session, readers, other, key)
    return Scope(live, own.seq, other.seq, _across(session, audit, own, other, live))


def _within(session: Session, audit: Audit, own: Collection, live: LiveIndex) -> tuple[Join | HashJoin, ...]:
    news = embeddings.arrived(session, own.id, audit.model_key_id, audit.seq) if audit.seq else None
    hashed = looks.hashes(session, own.id, audit.method)
    return Join(live, audit.cosine, news=news), HashJoin(*hashed, forms, MOST_BITS, news=news)


def _across(
    session: Session, audit: Audit, own: Collection, other: Collection, live: LiveIndex
) -> tuple[Join | HashJoin, ...]:
    """New ones of ours against all of the other; the rest of ours against new ones there."""
    key_id, method = audit.model_key_id, audit.method
    fresh = embeddings.arrived(session, own.id, key_id, audit.seq)
    there = embeddings.arrived(session, other.id, key_id, audit.against_seq)
    ids = embeddings.arrived(session, own.id, key_id, 0)
    known = np.setdiff1d(ids, fresh)
    asked, hashed, against = (
        _vectors(session, fresh, key_id, live.dim),
        *(looks.hashes(session, collection.id, method) for collection in (own, other)),
    )
    parts = [Join(live, audit.cosine, asked=asked), HashJoin(*_only(hashed, fresh), forms, MOST_BITS, against=against)]
    if len(known) and len(there):
        asked = _vectors(session, known, key_id, live.dim)
        parts.append(Join(live, audit.cosine, asked=asked, news=there))
        parts.append(HashJoin(*_only(hashed, known), forms, MOST_BITS, against=_only(against, there)))
    return tuple(parts)


def _vectors(session: Session, ids: np.ndarray, key_id: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    found = embeddings.of(session, ids.tolist(), key_id)
    return found or (np.empty(0, np.int64), np.empty((0, dim), np.float32))


def _only(hashed: tuple[np.ndarray, np.ndarray], ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = np.isin(hashed[0], ids)
    return hashed[0][kept], hashed[1][kept]


def _live(session: Session, readers: Readers, collection: Collection, key: ModelKey) -> LiveIndex:
    """What searches use; from the rows where a cluster answers those, since a cluster joins nothing."""
    live = readers.fresh(session, collection, key)
    if isinstance(live, LiveIndex):
        return live
    own = LiveIndex(key.dim)
    for ids, vectors, _ in embeddings.stream(session, collection.id, key.id):
        own.absorb(ids, vectors)
    return own
