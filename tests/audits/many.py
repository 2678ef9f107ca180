"""Audits of as many groups as one likes: rows alone, without pictures. The review page reads nothing else."""

import random

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.catalog import collections
from app.catalog.audit_models import Audit, Group, Member, Pair
from app.catalog.models import Image, Location
from app.catalog.states import AuditStatus, ImageStatus, Role, Tier
from app.resources import Resources
from tests.rows import KEY

ROWS_AT_ONCE = 5_000
TIERS = (*[Tier.IDENTICAL] * 50, *[Tier.SAME_PIXELS] * 10, *[Tier.EDITED] * 38, *[Tier.SAME_SCENE] * 2)
SIZES = (2, 2, 2, 2, 3, 3, 3, 3, 2, 3)  # files of a group: 2.5 on average
WARP = [0.8, 0.0, 0.1, 0.0, 0.8, 0.1]


def fill(resources: Resources, count: int) -> int:
    """An audit with `count` groups; every thirtieth is settled. Its id."""
    chance = random.Random(7)
    with resources.catalog.begin() as session:
        key = collections.register_model(session, **KEY, dim=4)
        collection = collections.add(session, "photos", key.id)
        audit = Audit(
            collection_id=collection.id, model_key_id=key.id, status=AuditStatus.DONE, cosine=0.5, method="m", rules={}
        )
        session.add(audit)
        session.flush()
        audit_id, collection_id = audit.id, collection.id
    image_id = 1
    for start in range(0, count, ROWS_AT_ONCE):
        with resources.catalog.begin() as session:
            for number in range(start, min(count, start + ROWS_AT_ONCE)):
                image_id = _stage(collection_id, audit_id, number, image_id, chance)
            _store(session)
    _analyze(resources)
    return audit_id


_staged: dict[type, list[dict]] = {Image: [], Location: [], Group: [], Member: [], Pair: []}


def _stage(collection_id: int, audit_id: int, number: int, first_id: int, chance: random.Random) -> int:
    files, tier = SIZES[number % len(SIZES)], TIERS[number % len(TIERS)]
    score = 1.0 if tier is not Tier.EDITED else round(chance.uniform(0.3, 0.999), 6)
    sizes = [chance.randrange(40_000, 9_000_000) for _ in range(files)]
    for place, size in enumerate(sizes):
        _stage_file(collection_id, first_id + place, size, number)
        _stage_member(number + 1, place, first_id + place, tier, score)
        if place and tier is not Tier.IDENTICAL:
            pair = {"audit_id": audit_id, "first_id": first_id, "second_id": first_id + place, "cosine": 0.9}
            _staged[Pair].append(pair | {"tier": tier, "score": score, "area": 1.0, "relations": [], "warp": WARP})
    group = {"id": number + 1, "audit_id": audit_id, "keeper_id": first_id, "scene": tier is Tier.SAME_SCENE}
    group |= {"tier": tier, "weakest": score, "members": files, "settled": number % 30 == 0}
    _staged[Group].append(group | {"reclaimable_bytes": sum(sizes[1:])})
    return first_id + files


def _stage_file(collection_id: int, image_id: int, size: int, number: int) -> None:
    folder = f"/photos/{number % 400:03d}"
    path = f"{folder}/IMG_{image_id:07d}.jpg"
    digest = f"{image_id:064x}"
    shape = {"format": "JPEG", "width_px": 4000, "height_px": 3000, "status": ImageStatus.READY}
    _staged[Image].append(
        {"id": image_id, "collection_id": collection_id, "digest": digest, "size_bytes": size} | shape
    )
    place = {"collection_id": collection_id, "image_id": image_id, "path": path, "folder": folder, "mtime_ns": 0}
    _staged[Location].append({"id": image_id, "path_bytes": path.encode(), "size_bytes": size} | place)


def _stage_member(group_id: int, place: int, image_id: int, tier: Tier, score: float) -> None:
    role, own = (Role.DUPLICATE, tier) if place else (Role.KEEPER, None)
    relations = ["cropped", "recompressed"] if place and tier is Tier.EDITED else []
    row = {"group_id": group_id, "place": place, "image_id": image_id, "location_id": image_id, "role": role}
    row |= {"tier": own, "score": score, "relations": relations, "loses": [], "reason": "smaller: 1 × 1 px"}
    _staged[Member].append(row | {"marked": bool(place) and tier is Tier.IDENTICAL})


def _store(session: Session) -> None:
    for table, rows in _staged.items():
        if rows:
            session.execute(insert(table), rows)
        rows.clear()


def _analyze(resources: Resources) -> None:
    """What both databases do by themselves, sooner or later."""
    with resources.catalog.begin() as session:
        session.connection().exec_driver_sql("ANALYZE")
