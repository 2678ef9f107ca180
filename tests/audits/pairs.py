"""An audit that is done, of pictures that are only rows: pairs with scores, and the truth about each."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import insert

from app.alignment import DEFAULT_THRESHOLD, METHOD
from app.audits.evidence import labels
from app.catalog.audit_models import Audit, Pair
from app.catalog.models import Image
from app.catalog.states import AuditStatus, ImageStatus, Tier
from app.resources import Resources
from tests.catalog.rows import make_collection

SCENE = 0.55  # from here on the made pairs are of one scene


@dataclass(frozen=True)
class Audited:
    audit_id: int
    truth: dict[tuple[int, int], bool]  # by image ids, whether the two are copies


def audit_of(session, collection, against=None, **values) -> Audit:
    known = {"status": AuditStatus.DONE, "cosine": 0.5, "method": METHOD, "rules": {}}
    other = against and against.id
    row = Audit(collection_id=collection.id, against_id=other, model_key_id=collection.model_key_id, **known | values)
    session.add(row)
    session.flush()
    return row


def tier_of(score: float) -> Tier:
    if score >= DEFAULT_THRESHOLD:
        return Tier.EDITED
    return Tier.SAME_SCENE if score >= SCENE else Tier.DIFFERENT


def world(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Scores and truth: copies lie high, others low, and they meet around 0.7."""
    rng = np.random.default_rng(5)
    copies = np.arange(count) % 2 == 0
    return np.where(copies, rng.uniform(0.66, 1, count), rng.uniform(0, 0.72, count)), copies


def answer(resources: Resources, audited: Audited, times: int) -> list[tuple[int, int]]:
    """As somebody would who sees what is true; the pairs, in the order in which they were asked about."""
    keys = []
    while len(keys) < times and (asked := labels.next_pair(resources, audited.audit_id)) is not None:
        keys.append((asked.first.image_id, asked.second.image_id))
        labels.label(resources, audited.audit_id, *keys[-1], audited.truth[keys[-1]])
    return keys


def fill(resources: Resources, scores: np.ndarray, copies: np.ndarray) -> Audited:
    """One pair of pictures of its own for each score."""
    with resources.catalog.begin() as session:
        collection = make_collection(session)
        rows = [
            Image(collection_id=collection.id, digest=f"{n:064x}", size_bytes=n, status=ImageStatus.READY)
            for n in range(2 * len(scores))
        ]
        session.add_all(rows)
        session.flush()
        audit = audit_of(session, collection)
        keys = [(rows[2 * n].id, rows[2 * n + 1].id) for n in range(len(scores))]
        session.execute(insert(Pair), [_pair(audit.id, *key, score) for key, score in zip(keys, scores, strict=True)])
        return Audited(audit.id, dict(zip(keys, copies.astype(bool).tolist(), strict=True)))


def _pair(audit_id: int, first_id: int, second_id: int, score: float) -> dict:
    ids = {"audit_id": audit_id, "first_id": first_id, "second_id": second_id}
    return ids | {"score": float(score), "tier": tier_of(score), "scene": bool(score >= SCENE)}
