"""Groups and their members: read for grouping, and written so that what did not change keeps its id and its marks."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Group, Look, Member
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus, PlaceKind, Role, Tier
from app.errors import NotFound

FACTS = (
    Image.id,
    Image.collection_id,
    Image.digest,
    Image.size_bytes,
    Image.format,
    Image.width_px,
    Image.height_px,
    Image.taken_at,
    Look.camera,
    Look.located,
)
PLACES = (Location.id, Location.image_id, Location.path, Location.mtime_ns, Location.size_bytes)


def get(session: Session, audit_id: int, group_id: int) -> Group:
    found = session.get(Group, group_id)
    if found is None or found.audit_id != audit_id:
        raise NotFound(
            f"audit {audit_id} has no group {group_id}: it may have changed; `dinoseek audit show {audit_id}`"
        )
    return found


def facts_of(session: Session, method: str, image_ids: Sequence[int]) -> list[Row]:
    """FACTS of those of these images that are visible."""
    looked = (Look.digest == Image.digest) & (Look.method == method)
    found: list[Row] = []
    for chosen in portions(list(image_ids)):
        here = (Image.id.in_(chosen), Image.status == ImageStatus.READY)
        found += session.execute(select(*FACTS).outerjoin(Look, looked).where(*here)).all()
    return found


def places_of(session: Session, image_ids: Sequence[int]) -> list[Row]:
    """PLACES of these images, oldest first."""
    found: list[Row] = []
    for chosen in portions(list(image_ids)):
        found += session.execute(select(*PLACES).where(Location.image_id.in_(chosen)).order_by(Location.id)).all()
    return found


def repeated(session: Session, collection_id: int) -> list[int]:
    """Ids of visible images that lie at more than one place."""
    here = (Image.collection_id == collection_id, Image.status == ImageStatus.READY)
    statement = select(Location.image_id).join(Image, Image.id == Location.image_id)
    files = statement.where(*here, Location.kind == PlaceKind.FILE).group_by(Location.image_id)
    return list(session.scalars(files.having(func.count() > 1).order_by(Location.image_id)))


def touching(session: Session, audit_id: int, image_ids: Sequence[int] | None) -> list[Group]:
    """Groups with one of these images; all of the audit where none are named."""
    if image_ids is None:
        return list(session.scalars(select(Group).where(Group.audit_id == audit_id)))
    found: dict[int, Group] = {}
    for chosen in portions(list(image_ids)):
        with_them = select(Member.group_id).where(Member.image_id.in_(chosen))
        rows = session.scalars(select(Group).where(Group.audit_id == audit_id, Group.id.in_(with_them)))
        found |= {row.id: row for row in rows}
    return list(found.values())


def members_of(session: Session, group_ids: Sequence[int]) -> dict[int, list[Member]]:
    """By group, the keeper first."""
    found: dict[int, list[Member]] = {group_id: [] for group_id in group_ids}
    for chosen in portions(list(group_ids)):
        rows = session.scalars(
            select(Member).where(Member.group_id.in_(chosen)).order_by(Member.group_id, Member.place)
        )
        for row in rows:
            found[row.group_id].append(row)
    return found


def remove(session: Session, group_ids: Sequence[int]) -> None:
    for chosen in portions(list(group_ids)):
        session.execute(delete(Member).where(Member.group_id.in_(chosen)))
        session.execute(delete(Group).where(Group.id.in_(chosen)))


def add(session: Session, audit_id: int, rows: Iterable[dict]) -> dict[tuple[int, bool], int]:
    """New groups; their ids by keeper and scene."""
    values = [{"audit_id": audit_id, "settled": False, **row} for row in rows]
    if not values:
        return {}
    made = session.execute(insert(Group).returning(Group.keeper_id, Group.scene, Group.id), values)
    return {(keeper_id, scene): group_id for keeper_id, scene, group_id in made}


def change(session: Session, rows: Iterable[dict]) -> None:
    """One dict per group: id, and what is new."""
    values = list(rows)
    if values:
        session.execute(update(Group), values)


def put_members(session: Session, group_ids: Sequence[int], rows: Sequence[dict]) -> None:
    """All members of these groups, in place of those there are."""
    for chosen in portions(list(group_ids)):
        session.execute(delete(Member).where(Member.group_id.in_(chosen)))
    for start in range(0, len(rows), 10_000):
        session.execute(insert(Member), rows[start : start + 10_000])


def reclaimable_bytes(session: Session, audit_id: int) -> int:
    mine = (Group.audit_id == audit_id, Group.settled.is_(False), Group.scene.is_(False))
    return session.scalar(select(func.coalesce(func.sum(Group.reclaimable_bytes), 0)).where(*mine))


def page_by_id(session: Session, audit_id: int, after_id: int, limit: int, tier: Tier | None = None) -> list[Group]:
    mine = [Group.audit_id == audit_id, Group.id > after_id, *([Group.tier == tier] if tier else [])]
    return list(session.scalars(select(Group).where(*mine).order_by(Group.id).limit(limit)))


def paths_of(session: Session, location_ids: Sequence[int]) -> dict[int, str]:
    """Paths as text, of places that are still there."""
    found: dict[int, str] = {}
    for chosen in portions(list(location_ids)):
        found |= dict(session.execute(select(Location.id, Location.path).where(Location.id.in_(chosen))).all())
    return found


def contained(session: Session, audit_id: int, collection_id: int) -> tuple[int, int]:
    """How many visible pictures of this collection are duplicates of one of the other, and how many there are."""
    here = (Image.collection_id == collection_id, Image.status == ImageStatus.READY)
    mine = (Group.audit_id == audit_id, Group.scene.is_(False), Member.role == Role.DUPLICATE)
    inside = select(Member.image_id).join(Group, Group.id == Member.group_id).where(*mine)
    statement = select(func.count()).select_from(Image).where(*here)
    return session.scalar(statement.where(Image.id.in_(inside))), session.scalar(statement)
