"""Groups of an audit as rows, without pictures: what reports read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert

from app.catalog.audit_models import Group, Member
from app.catalog.images import displayable
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus, Role, Tier
from app.resources import Resources
from tests.audits.pairs import audit_of
from tests.catalog.rows import make_collection

PORTION = 2000


@dataclass(frozen=True)
class Planned:
    """A group: the addresses of its files, the keeper's first."""

    addresses: tuple[bytes | str, ...]
    tier: Tier = Tier.EDITED
    bytes: int = 1000
    relations: tuple[str, ...] = ("resized", "recompressed")
    loses: tuple[str, ...] = field(default=())


def fill(resources: Resources, groups: Iterable[Planned], **audit) -> int:
    """The id of an audit with these groups."""
    planned = list(groups)
    with resources.catalog.begin() as session:
        collection = make_collection(session)
        audit_id = audit_of(session, collection, **audit).id
    for start in range(0, len(planned), PORTION):
        with resources.catalog.begin() as session:
            _put(session, collection.id, audit_id, planned[start : start + PORTION], start)
    return audit_id


def _put(session, collection_id: int, audit_id: int, planned: list[Planned], start: int) -> None:
    files = [(group, place, address) for group in planned for place, address in enumerate(group.addresses)]
    ids = _images(session, collection_id, files, start)
    locations = _locations(session, collection_id, files, ids)
    keepers = [id_ for id_, (_, place, _) in zip(ids, files, strict=True) if place == 0]
    rows = [_group(audit_id, *each) for each in zip(planned, keepers, strict=True)]
    group_ids = list(session.scalars(insert(Group).returning(Group.id, sort_by_parameter_order=True), rows))
    by_group = {id(group): group_id for group, group_id in zip(planned, group_ids, strict=True)}
    members = (
        _member(by_group[id(group)], group, place, image_id, location_id)
        for (group, place, _), image_id, location_id in zip(files, ids, locations, strict=True)
    )
    session.execute(insert(Member), list(members))


def _images(session, collection_id: int, files: list, start: int) -> list[int]:
    facts = {"width_px": 640, "height_px": 480, "format": "JPEG", "taken_at": datetime(2024, 5, 6, 7, 8)}
    known = {"collection_id": collection_id, "size_bytes": 1000, "status": ImageStatus.READY, **facts}
    rows = [known | {"digest": f"{start:08x}{number:056x}"} for number, _ in enumerate(files)]
    return list(session.scalars(insert(Image).returning(Image.id, sort_by_parameter_order=True), rows))


def _locations(session, collection_id: int, files: list, ids: list[int]) -> list[int]:
    rows = [
        {
            "collection_id": collection_id,
            "image_id": image_id,
            "path_bytes": os.fsencode(address),
            "path": displayable(os.fsencode(address)),
            "folder": "/photos",
            "size_bytes": 1000,
            "mtime_ns": 1,
        }
        for (_, _, address), image_id in zip(files, ids, strict=True)
    ]
    return list(session.scalars(insert(Location).returning(Location.id, sort_by_parameter_order=True), rows))


def _group(audit_id: int, group: Planned, keeper_id: int) -> dict:
    known = {"audit_id": audit_id, "keeper_id": keeper_id, "scene": group.tier is Tier.SAME_SCENE, "tier": group.tier}
    return known | {"weakest": 0.91, "members": len(group.addresses), "reclaimable_bytes": group.bytes}


def _member(group_id: int, group: Planned, place: int, image_id: int, location_id: int) -> dict:
    ids = {"group_id": group_id, "place": place, "image_id": image_id, "location_id": location_id}
    if place == 0:
        said = {"role": Role.KEEPER, "tier": None, "score": 1.0, "relations": [], "loses": []}
        return ids | said | {"reason": "more pixels: 640 × 480", "marked": False}
    said = {"role": Role.DUPLICATE, "tier": group.tier, "score": 0.91, "relations": list(group.relations)}
    return ids | said | {"loses": list(group.loses), "reason": "the keeper is larger", "marked": False}
