"""Files below a folder and rows as an audit leaves them, without pictures to decode: the same bytes are copies."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.alignment import METHOD
from app.audits.acting.shelf import SHELF
from app.audits.grouping import decisions
from app.audits.grouping.rules import Rules, default
from app.catalog import audits, collections, embeddings, groups, pairs, sightings, sources
from app.catalog.audit_models import Audit, Batch, Group, Member, Move
from app.catalog.models import Collection, Image, Location
from app.catalog.sightings import Sighting
from app.catalog.states import AuditStatus, ImageStatus, MoveState, Role, SourceKind, Tier
from app.resources import Resources
from tests.rows import KEY

DIM = 8
LONG_AGO_NS = 1_500_000_000 * 10**9
HOUR_NS = 3600 * 10**9


class Tree:
    """Written first, then `known`. The file that was written first is the oldest, and so the one that is kept."""

    def __init__(self, resources: Resources, root: Path) -> None:
        self.resources, self.root = resources, root
        self.written = 0
        self.audit_id = 0

    def write(self, name: str, data: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        when = LONG_AGO_NS + self.written * HOUR_NS
        os.utime(path, ns=(when, when))
        self.written += 1
        return path

    def pair(self, name: str = "a", data: bytes = b"the same") -> tuple[Path, Path]:
        """A picture and a copy of it below another folder."""
        return self.write(f"{name}.jpg", data), self.write(f"copies/{name}.jpg", data)

    def known(self, rules: Rules | None = None, *more: Path) -> int:
        """Collect and audit all that lies there, and `more`; the audit's id."""
        files = [*sorted(self.root / name for name in held(self.root)), *more]
        with self.resources.catalog.begin() as session:
            key = collections.register_model(session, **KEY, dim=DIM)
            found = collections.find(session, "photos") or collections.add(session, "photos", key.id)
            place = (SourceKind.FOLDER, os.fsencode(self.root), self.resources.storage.host)
            sources.remember(session, found.id, *place, copied=False)
            host = self.resources.storage.host
            rows = sightings.record(session, found.id, [_sighting(path, host) for path in files])
            ids = sorted({row.image_id for row in rows})
            _embed(session, found, ids)
            audit = audits.find(session, found.id, None, key.id) or _audit(session, found)
            audit.rules = (rules or default()).stored()
            session.flush()
            self.audit_id = audit.id
        decisions.regroup(self.resources, self.audit_id, ids)
        return self.audit_id

    def edited(self, kept: Path, copy: Path) -> None:
        """The check said that these are copies, of other bytes; a person marked the second."""
        first, second = sorted(self.image_at(path) for path in (kept, copy))
        with self.resources.catalog.begin() as session:
            pairs.add(session, self.audit_id, [pairs.Candidate(first, second, 0.9)])
            said = {"tier": Tier.EDITED, "score": 0.95, "area": 1.0, "relations": ["resized"]}
            key = {"audit_id": self.audit_id, "first_id": first, "second_id": second}
            pairs.settle(session, [key | said | {"relations_back": ["resized"]}])
        decisions.regroup(self.resources, self.audit_id, [first, second])
        self.mark(copy)

    def group(self, kept: Path, copy: Path) -> None:
        """One that no check made, its copy marked."""
        first, second = self.image_at(kept), self.image_at(copy)
        facts = {"keeper_id": first, "scene": True, "tier": Tier.SAME_SCENE, "weakest": 0.9, "members": 2}
        with self.resources.catalog.begin() as session:
            at = dict(session.execute(select(Location.image_id, Location.id)).all())
            said = {"score": 0.9, "relations": [], "reason": "", "loses": [], "linked": False}
            keeper = {"role": Role.KEEPER, "tier": None, "marked": False, **said}
            other = {"role": Role.DUPLICATE, "tier": Tier.SAME_SCENE, "marked": True, **said}
            rows = [{"image_id": i, "location_id": at[i], **row} for i, row in ((first, keeper), (second, other))]
            groups.store(session, self.audit_id, [(facts | {"reclaimable_bytes": 0}, rows)])

    def mark(self, *paths: Path, marked: bool = True) -> None:
        with self.resources.catalog.begin() as session:
            here = select(Location.id).where(Location.path_bytes.in_(list(map(os.fsencode, paths))))
            session.execute(update(Member).where(Member.location_id.in_(here)).values(marked=marked))

    def image_at(self, path: Path) -> int:
        with self.resources.catalog.read() as session:
            return session.scalar(select(Location.image_id).where(Location.path_bytes == os.fsencode(path)))

    def shown(self) -> set[Path]:
        """Where the pictures lie that a search may show."""
        rows = select(Location.path).join(Image, Image.id == Location.image_id)
        with self.resources.catalog.read() as session:
            return set(map(Path, session.scalars(rows.where(Image.status == ImageStatus.READY))))

    def marked(self) -> set[Path]:
        rows = select(Location.path).join(Member, Member.location_id == Location.id).where(Member.marked)
        with self.resources.catalog.read() as session:
            return set(map(Path, session.scalars(rows)))

    def grouped(self) -> list[list[Path]]:
        """Files of each group, the keeper first."""
        with self.resources.catalog.read() as session:
            ids = session.scalars(select(Group.id).where(Group.audit_id == self.audit_id)).all()
            found = groups.members_of(session, ids)
            paths = groups.paths_of(session, [member.location_id for rows in found.values() for member in rows])
        return sorted([Path(paths[member.location_id]) for member in rows] for rows in found.values())

    def moves(self) -> list[tuple[Path, MoveState]]:
        with self.resources.catalog.read() as session:
            return [(Path(row.path), row.state) for row in session.scalars(select(Move).order_by(Move.id))]

    def batches(self) -> list[Batch]:
        with self.resources.catalog.read() as session:
            return list(session.scalars(select(Batch).order_by(Batch.id)))


Held = dict[str, tuple[str, int]]


def held(root: Path) -> Held:
    """Every file below a folder but those in quarantine: its digest and when it was written."""
    return {name: fact for name, fact in _facts(root) if SHELF.decode() not in name.split("/")}


def shelved(root: Path) -> Held:
    """Those in quarantine, but for its journal."""
    return {n: fact for n, fact in _facts(root) if SHELF.decode() in n.split("/") and not n.endswith("ledger.jsonl")}


def _facts(root: Path) -> Iterable[tuple[str, tuple[str, int]]]:
    for path in root.rglob("*"):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield str(path.relative_to(root)), (digest, path.stat().st_mtime_ns)


def _embed(session: Session, collection: Collection, image_ids: list[int]) -> None:
    """Those that wait are searchable, each with a vector of its own."""
    waiting = select(Image.id).where(Image.id.in_(image_ids), Image.status == ImageStatus.PENDING)
    ids = session.scalars(waiting.order_by(Image.id)).all()
    vectors = np.random.default_rng(len(image_ids)).normal(size=(len(ids), DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    session.execute(update(Image).where(Image.id.in_(ids)).values(status=ImageStatus.READY, format="JPEG"))
    embeddings.add(session, collection.id, collection.model_key_id, ids, vectors)


def _audit(session: Session, collection: Collection) -> Audit:
    facts = {"cosine": 0.5, "method": METHOD, "status": AuditStatus.DONE}
    audit = Audit(collection_id=collection.id, model_key_id=collection.model_key_id, **facts)
    session.add(audit)
    return audit


def _sighting(path: Path, host: str) -> Sighting:
    status, digest = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
    return Sighting(os.fsencode(path), digest, status.st_size, status.st_mtime_ns, host=host)
