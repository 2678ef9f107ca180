"""An audit's answer as scripts read it: the contract of `audit run` and `audit show`."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from app.audits import runs
from app.catalog import audits, groups
from app.catalog.audit_models import Group, Member
from app.catalog.states import Tier
from app.resources import Resources

PAGE = 500


def document(resources: Resources, audit_id: int, tier: Tier | None = None) -> dict[str, Any]:
    """All of it: facts, then groups in the order of their ids, each with its keeper first."""
    return outline(resources, audit_id) | {"groups": list(each_group(resources, audit_id, tier))}


def outline(resources: Resources, audit_id: int) -> dict[str, Any]:
    """The document with its keys in order, its groups left out."""
    facts = runs.facts(resources, audit_id)
    return {
        "audit_id": facts.id,
        "collection": facts.collection,
        "against": facts.against,
        "model": facts.model,
        "status": facts.status,
        "images": facts.images,
        "pairs_checked": facts.pairs_checked,
        "groups": [],
        "reclaimable_bytes": facts.reclaimable_bytes,
        "contained": contained(resources, audit_id),
        "seconds": round(facts.seconds, 3),
    }


def each_group(resources: Resources, audit_id: int, tier: Tier | None = None) -> Iterator[dict[str, Any]]:
    """A page at a time, so that a hundred thousand groups take no more memory than a few hundred."""
    after_id = 0
    while True:
        with resources.catalog.read() as session:
            rows = groups.page_by_id(session, audit_id, after_id, PAGE, tier)
            documents = _groups(session, rows)
        if not rows:
            return
        yield from documents
        after_id = rows[-1].id


def contained(resources: Resources, audit_id: int) -> dict[str, int] | None:
    """Of a comparison with another collection: how many of the pictures are there too, and how many are not."""
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        if audit.against_id is None:
            return None
        there, total = groups.contained(session, audit_id, audit.collection_id)
    return {"yes": there, "no": total - there}


def _groups(session: Session, rows: list[Group]) -> list[dict[str, Any]]:
    members = groups.members_of(session, [row.id for row in rows])
    paths = groups.paths_of(session, [member.location_id for row in rows for member in members[row.id]])
    return [_group(row, members[row.id], paths) for row in rows]


def _group(row: Group, members: list[Member], paths: dict[int, str]) -> dict[str, Any]:
    return {
        "group_id": row.id,
        "tier": row.tier,
        "weakest": round(row.weakest, 4),
        "reclaimable_bytes": row.reclaimable_bytes,
        "settled": row.settled,
        "members": [_member(member, paths) for member in members if member.location_id in paths],
    }


def _member(row: Member, paths: dict[int, str]) -> dict[str, Any]:
    return {
        "image_id": row.image_id,
        "path": paths[row.location_id],
        "role": row.role,
        "tier": row.tier,
        "reason": row.reason,
        "score": round(row.score, 4),
        "relation": row.relations,
        "loses": row.loses,
        "marked": row.marked,
        "linked": row.linked,
    }
