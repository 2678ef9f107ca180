"""A file of a group as a person sees it, and whether it may be marked at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Row

from app.audits.grouping.rules import Rules
from app.audits.showing import geometry
from app.audits.showing.geometry import Warp
from app.catalog.audit_models import Audit, Member, Pair
from app.catalog.models import Image, Location
from app.catalog.states import PlaceKind, Role, Tier

OF_THE_MEMBER = ("group_id", "place", "image_id", "location_id", "role", "tier", "score", "reason", "marked", "linked")
OF_THE_IMAGE = ("digest", "size_bytes", "format", "taken_at")
Pairs = Mapping[tuple[int, int], Pair]  # by (first_id, second_id)


@dataclass(frozen=True)
class MemberFacts:
    """One file. `onto` lays its picture on the keeper's, in shares; none where the check found no way."""

    group_id: int
    place: int
    image_id: int
    location_id: int
    digest: str
    role: Role
    tier: Tier | None
    score: float
    relations: tuple[str, ...]
    reason: str
    loses: tuple[str, ...]
    marked: bool
    linked: bool  # one file with the keeper's, under another name
    theirs: bool  # of the collection that is compared with
    may_go: bool  # False: kept whatever is said, as the keeper, or in a protected folder
    here: bool  # False: no file is at its place any more
    path: str
    size_bytes: int
    height_px: int
    width_px: int
    format: str | None
    taken_at: datetime | None
    onto: Warp | None
    shows: float | None  # 0..1, how much of the keeper's picture it shows

    @property
    def name(self) -> str:
        return Path(self.path).name


def same_bytes(tier: Tier | None, digest: str, kept: str) -> str:
    """Of an identical file, whose bytes it has, in words; empty for any other. `kept`: the keeper's digest.

    Its relations are those of the copy that it is a twin of: told of both, the twin would seem an edit of its own.
    """
    if tier is not Tier.IDENTICAL:
        return ""
    return "same bytes" if digest == kept else "same bytes as another copy"


def of_rows(audit: Audit, rows: Iterable[Row], pairs: Pairs, keepers: Mapping[int, int]) -> list[MemberFacts]:
    """Rows of (Member, Image, Location or None) as facts; `keepers`: the keeper's image by group."""
    rules = Rules.of(audit.rules)
    return [_facts(audit, rules, *row, _onto(row[0].image_id, keepers[row[0].group_id], pairs)) for row in rows]


def _facts(
    audit: Audit, rules: Rules, row: Member, image: Image, location: Location | None, onto: Warp | None
) -> MemberFacts:
    told = {name: getattr(row, name) for name in OF_THE_MEMBER} | {name: getattr(image, name) for name in OF_THE_IMAGE}
    return MemberFacts(
        **told,
        relations=tuple(row.relations),
        loses=tuple(row.loses),
        theirs=image.collection_id == audit.against_id,
        may_go=row.role is Role.DUPLICATE and may_go(audit, rules, row, image, location),
        here=location is not None,
        path=location.path if location else "",
        height_px=image.height_px or 0,
        width_px=image.width_px or 0,
        onto=onto,
        shows=None if onto is None else geometry.shown_share(onto),
    )


def may_go(audit: Audit, rules: Rules, row: Member, image: Image, location: Location | None) -> bool:
    """Whether a duplicate may be marked: a file on a disk and not the keeper's own, nor protected, nor theirs."""
    if row.linked or location is None or location.kind is not PlaceKind.FILE or image.collection_id == audit.against_id:
        return False
    return not rules.protects(location)


def _onto(image_id: int, keeper_id: int, pairs: Pairs) -> Warp | None:
    """How the picture is laid on the keeper's."""
    if image_id == keeper_id:
        return geometry.SAME
    there, back = pairs.get((image_id, keeper_id)), pairs.get((keeper_id, image_id))
    pair = there or back
    if pair is None:
        return None
    if pair.tier in (Tier.IDENTICAL, Tier.SAME_PIXELS):
        return geometry.SAME
    warp = pair.warp and tuple(pair.warp)
    return warp if warp is None or there else geometry.inverse(warp)
