"""The second stage: pairs that may be copies, by their vectors and by their hashes, block by block."""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.alignment import forms
from app.audits.finding.lease import Hold
from app.audits.finding.scope import Hashed, Scopes, mark_of
from app.catalog import audits, collections, embeddings, pairs, scopes
from app.catalog.audit_models import Audit
from app.catalog.pairs import Candidate
from app.catalog.scopes import Scope
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
Part = Join | HashJoin


def default_cosine(model: str) -> float:
    return COSINES.get(model, OTHER_MODELS)


def join(hold: Hold, readers: Readers, within: Scopes) -> None:
    """Note every pair of which one is new since the last run, from the block after the last that is noted."""
    with hold.resources.catalog.read() as session:
        audit = audits.get(session, hold.audit_id)
        parts, mark = _parts(session, audit, within, readers)
    first = audit.blocks if audit.mark == mark else 0
    total = sum(part.blocks for part in parts)
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.JOIN, done=first, total=total, blocks=first, mark=mark, **within.until)
        pairs.retry_unreadable(session, audit.id)
        if audit.against_id is not None:
            pairs.add_identical(session, audit)
    for done, found in _run(parts, first):
        _note(hold, found, done, total)
        hold.go_on()


def _run(parts: Sequence[Part], first: int) -> Iterator[tuple[int, Pairs]]:
    """Blocks of all parts, counted through, with how many are done then."""
    before = 0
    for part in parts:
        for found in part.run(max(0, first - before)) if first < before + part.blocks else ():
            yield before + found.block + 1, found
        before += part.blocks


def _note(hold: Hold, found: Pairs, done: int, total: int) -> None:
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.JOIN, done=done, total=total, blocks=done)
        pairs.add(session, hold.audit_id, _candidates(found))


def _candidates(found: Pairs) -> Iterator[Candidate]:
    """Each pair once; without a cosine where only the hashes are near."""
    rows = zip(found.first.tolist(), found.second.tolist(), found.cosine.tolist(), strict=True)
    return (Candidate(first, second, None if cosine != cosine else cosine) for first, second, cosine in rows)


def _parts(session: Session, audit: Audit, within: Scopes, readers: Readers) -> tuple[list[Part], str]:
    hashed = scopes.hashes(session, within.own, audit.method)
    news = within.news(session, within.own)
    if within.other is None:
        live = _live(session, readers, within.own)
        asking = news if audit.seq else None
        parts = [Join(live, audit.cosine, news=asking), HashJoin(*hashed, forms, MOST_BITS, news=asking)]
        return parts, mark_of(audit, within, news, hashed[0])
    theirs = scopes.hashes(session, within.other, audit.method)
    there = within.news(session, within.other)
    beside = _Beside(session, audit, within, _live(session, readers, within.other), hashed, theirs)
    return beside.parts(news, there), mark_of(audit, within, news, there, hashed[0], theirs[0])


class _Beside:
    """A collection compared with another."""

    def __init__(
        self, session: Session, audit: Audit, within: Scopes, live: LiveIndex, hashed: Hashed, theirs: Hashed
    ) -> None:
        self._session, self._audit, self._own, self._live = session, audit, within.own, live
        self._hashed, self._theirs = hashed, theirs

    def parts(self, news: np.ndarray, there: np.ndarray) -> list[Part]:
        """New ones of ours against all of the other; the rest of ours against new ones there."""
        known = np.setdiff1d(scopes.ids(self._session, self._own), news)
        rest = self._pair(known, there) if len(known) and len(there) else []
        return [*self._pair(news, None), *rest]

    def _pair(self, ours: np.ndarray, news: np.ndarray | None) -> list[Part]:
        key_id = self._audit.model_key_id
        nothing = np.empty(0, np.int64), np.empty((0, self._live.dim), np.float32)
        asked = embeddings.of(self._session, ours.tolist(), key_id) or nothing
        against = self._theirs if news is None else _only(self._theirs, news)
        return [
            Join(self._live, self._audit.cosine, asked=asked, news=news),
            HashJoin(*_only(self._hashed, ours), forms, MOST_BITS, against=against),
        ]


def _only(hashed: Hashed, ids: np.ndarray) -> Hashed:
    kept = np.isin(hashed[0], ids)
    return hashed[0][kept], hashed[1][kept]


def _live(session: Session, readers: Readers, scope: Scope) -> LiveIndex:
    """What searches use; from the rows where a cluster answers those, since a cluster joins nothing."""
    key = collections.get_model(session, scope.model_key_id)
    live = readers.fresh(session, collections.get_by_id(session, scope.collection_id), key)
    if isinstance(live, LiveIndex):
        return live
    own = LiveIndex(key.dim)
    for ids, vectors, _ in embeddings.stream(session, scope.collection_id, key.id):
        own.absorb(ids, vectors)
    return own
