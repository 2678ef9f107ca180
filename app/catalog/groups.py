"""Groups as they are stored. What a person marked of a file stays for as long as that is the same to its keeper."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.catalog.audit_models import Group, Member, Pair
from app.catalog.images import portions
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus, Role, Tier
from app.errors import NotFound

Key = tuple[int, bool]  # keeper's image, and whether of one scene
KEPT = ("marked",)  # of a member, while the group's files are the same
SEEN = ("location_id", "image_id", "role", "tier")


def get(session: Session, audit_id: int, group_id: int) -> Group:
    found = session.get(Group, group_id)
    if found is None or found.audit_id != audit_id:
        raise NotFound(f"audit {audit_id} has no group {group_id} any more: look at its groups again")
    return found


def keys(session: Session, audit_id: int, keeper_ids: Sequence[int] | None = None) -> dict[Key, int]:
    """Ids of an audit's groups; of all, or of those with these keepers."""
    columns = select(Group.keeper_id, Group.scene, Group.id).where(Group.audit_id == audit_id)
    if keeper_ids is None:
        return {(keeper_id, scene): group_id for keeper_id, scene, group_id in session.execute(columns)}
    rows = (
        row for chosen in portions(keeper_ids) for row in session.execute(columns.where(Group.keeper_id.in_(chosen)))
    )
    return {(keeper_id, scene): group_id for keeper_id, scene, group_id in rows}


def members_of(session: Session, group_ids: Sequence[int]) -> dict[int, list[Member]]:
    """By group, in order."""
    found: dict[int, list[Member]] = defaultdict(list)
    for chosen in portions(group_ids):
        rows = select(Member).where(Member.group_id.in_(chosen)).order_by(Member.group_id, Member.place)
        for row in session.scalars(rows):
            found[row.group_id].append(row)
    return found


def images_beside(session: Session, audit_id: int, image_ids: Sequence[int]) -> set[int]:
    """The images of every group that one of these is in, and these."""
    found = set(image_ids)
    for chosen in portions(image_ids):
        mine = select(Member.group_id).join(Group, Group.id == Member.group_id)
        mine = mine.where(Group.audit_id == audit_id, Member.image_id.in_(chosen))
        found.update(session.scalars(select(Member.image_id).where(Member.group_id.in_(mine))))
    return found


def grouped(session: Session, audit_id: int) -> set[int]:
    """Every image that is in a group of this audit."""
    rows = select(Member.image_id).join(Group, Group.id == Member.group_id).where(Group.audit_id == audit_id)
    return set(session.scalars(rows))


def await_check(session: Session, audit_id: int) -> bool:
    """Whether a group follows from a pair that is to be checked again. A person's word alone has no score."""
    ties = select(Member.image_id).join(Group, Group.id == Member.group_id).where(Group.audit_id == audit_id)
    ties = ties.where(Member.role == Role.DUPLICATE, Member.score > 0)
    there = and_(Pair.first_id == Group.keeper_id, Pair.second_id == Member.image_id)
    back = and_(Pair.second_id == Group.keeper_id, Pair.first_id == Member.image_id)
    unchecked = and_(Pair.audit_id == audit_id, Pair.tier.is_(None))
    return any(session.scalar(select(ties.join(Pair, and_(unchecked, way)).exists())) for way in (there, back))


def store(session: Session, audit_id: int, plans: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]]) -> list[int]:
    """Write groups, each as its row and the rows of its members in order; their ids.

    One whose files are the same as before, of the same bytes and the same to the keeper, keeps what a person marked,
    and that it is settled. Where some came, went or changed, the others keep their marks.
    """
    ids = _put_groups(session, audit_id, [group for group, _ in plans])
    before = members_of(session, ids)
    changed, fresh, same = [], [], []
    for group_id, (_, members) in zip(ids, plans, strict=True):
        rows = [{"group_id": group_id, "place": place, **member} for place, member in enumerate(members)]
        if list(map(_seen, before[group_id])) == [_said(row) for row in rows]:
            same += _differing(before[group_id], rows)
            continue
        changed.append(group_id)
        fresh += _as_marked(before[group_id], rows)
    _replace(session, changed, fresh)
    if same:
        session.execute(update(Member), same)
    return ids


def remove(session: Session, group_ids: Iterable[int]) -> None:
    for chosen in portions(sorted(group_ids)):
        session.execute(delete(Member).where(Member.group_id.in_(chosen)))
        session.execute(delete(Group).where(Group.id.in_(chosen)).execution_options(synchronize_session=False))


def totals(session: Session, audit_id: int) -> tuple[int, int]:
    """How many groups of copies there are, and the bytes that their duplicates take."""
    columns = select(func.count(), func.coalesce(func.sum(Group.reclaimable_bytes), 0))
    count, size = session.execute(columns.where(Group.audit_id == audit_id, Group.scene.is_(False))).one()
    return count, int(size)


def _put_groups(session: Session, audit_id: int, groups: Sequence[dict[str, Any]]) -> list[int]:
    """Ids in the order of `groups`; those that were there keep theirs."""
    known = keys(session, audit_id, [group["keeper_id"] for group in groups])
    new = [group for group in groups if _key(group) not in known]
    if new:
        rows = [{"audit_id": audit_id, "settled": False, **group} for group in new]
        made = session.execute(insert(Group).returning(Group.keeper_id, Group.scene, Group.id), rows)
        known |= {(keeper_id, scene): group_id for keeper_id, scene, group_id in made}
    fresh = set(map(_key, new))
    old = [{"id": known[_key(group)], **group} for group in groups if _key(group) not in fresh]
    if old:
        session.execute(update(Group), old)
    return [known[_key(group)] for group in groups]


def _replace(session: Session, group_ids: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
    for chosen in portions(group_ids):
        session.execute(delete(Member).where(Member.group_id.in_(chosen)).execution_options(synchronize_session=False))
        unsettled = update(Group).where(Group.id.in_(chosen), Group.settled.is_(True)).values(settled=False)
        session.execute(unsettled.execution_options(synchronize_session=False))
    if rows:
        session.execute(insert(Member), rows)


def _as_marked(before: Sequence[Member], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    marks = {_seen(old): old.marked for old in before}
    return [row | {"marked": marks.get(_said(row), row["marked"]) and not row["linked"]} for row in rows]


def _differing(before: Sequence[Member], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with something new to say, without what a person marked; but a hard link never stays marked."""
    told = [{name: value for name, value in row.items() if name not in KEPT or row["linked"]} for row in rows]
    return [row for old, row in zip(before, told, strict=True) if any(getattr(old, n) != v for n, v in row.items())]


def _seen(member: Member) -> tuple:
    """What a person looked at: other bytes at its place, or another tier, are another thing to mark."""
    return tuple(getattr(member, name) for name in SEEN)


def _said(row: dict[str, Any]) -> tuple:
    """The same of a row to be stored."""
    return tuple(row[name] for name in SEEN)


def _key(group: dict[str, Any]) -> Key:
    return group["keeper_id"], group["scene"]


def page_by_id(session: Session, audit_id: int, after_id: int, limit: int, tier: Tier | None = None) -> Sequence[Group]:
    mine = [Group.audit_id == audit_id, Group.id > after_id, *([Group.tier == tier] if tier else [])]
    return session.scalars(select(Group).where(*mine).order_by(Group.id).limit(limit)).all()


def paths_of(session: Session, location_ids: Sequence[int]) -> dict[int, str]:
    """Paths as text, of places that are still there."""
    found: dict[int, str] = {}
    for chosen in portions(location_ids):
        found |= dict(session.execute(select(Location.id, Location.path).where(Location.id.in_(chosen))).all())
    return found


def contained(session: Session, audit_id: int, collection_id: int) -> tuple[int, int]:
    """How many visible pictures of this collection are duplicates of one of the other, and how many there are."""
    here = (Image.collection_id == collection_id, Image.status == ImageStatus.READY)
    mine = (Group.audit_id == audit_id, Group.scene.is_(False), Member.role == Role.DUPLICATE)
    inside = select(Member.image_id).join(Group, Group.id == Member.group_id).where(*mine)
    statement = select(func.count()).select_from(Image).where(*here)
    return session.scalar(statement.where(Image.id.in_(inside))), session.scalar(statement)
