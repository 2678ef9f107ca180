"""Groups as the page draws them: plain JSON, addresses signed."""

from pathlib import Path
from urllib.parse import urlencode

from app.api.face import Face
from app.audits.runs import AuditFacts
from app.audits.showing.members import MemberFacts
from app.audits.showing.pages import GroupFacts
from app.catalog.states import Role, Tier
from app.ui import words
from app.ui.audits import wording
from app.ui.audits.address import Look, to_address

SURE = 0.995  # rounds to 100 %: no doubt to speak of
GONE = "no file is here any more"


def of_groups(face: Face, groups: tuple[GroupFacts, ...], look: Look, facts: AuditFacts) -> list[dict]:
    return [_group(face, group, look, facts) for group in groups]


def _group(face: Face, group: GroupFacts, look: Look, facts: AuditFacts) -> dict:
    keeper = group.members[0]
    frees = f"frees {words.size(group.reclaimable_bytes)}" if group.reclaimable_bytes else ""
    marked = f"{group.marked:,} marked" if group.marked else ""
    return {
        "id": group.id,
        "tier": group.tier,
        "title": wording.TITLES[group.tier],
        "meaning": wording.MEANINGS[group.tier],
        "line": words.joined(words.count(group.files, "file"), frees, marked),
        "doubt": f"weakest match {group.weakest:.0%}"
        if group.weakest < SURE and group.tier is not Tier.IDENTICAL
        else "",
        "settled": group.settled,
        "more": group.more,
        "href": f"/audits?{urlencode(to_address(look.at(group_id=group.id)))}",
        "members": [_member(face, member, keeper) | {"whose": _whose(member, facts)} for member in group.members],
    }


def _member(face: Face, member: MemberFacts, keeper: MemberFacts) -> dict:
    return _file(face, member) | {
        "group": member.group_id,
        "location": member.location_id,
        "image": member.image_id,
        "keeper": member.role is Role.KEEPER,
        "marked": member.marked,
        "mayGo": member.may_go,
        "linked": member.linked,
        "relation": wording.relation(member, keeper),
        "score": _score(member),
        "reason": member.reason,
        "loses": list(member.loses),
        "onto": member.onto,
    }


def _whose(member: MemberFacts, facts: AuditFacts) -> str:
    """The name of a file's collection, where there are two."""
    if facts.against is None:
        return ""
    return facts.against if member.theirs else facts.collection


def _file(face: Face, member: MemberFacts) -> dict:
    return {
        "name": member.name or f"picture {member.image_id}",
        "path": member.path,
        "folder": str(Path(member.path).parent) if member.path else "",
        "gone": "" if member.here else GONE,
        "width": member.width_px,
        "height": member.height_px,
        "facts": words.joined(words.dimensions(member.width_px, member.height_px), words.size(member.size_bytes)),
        "thumb": face.thumbnail(member.digest),
        "picture": face.large(member.image_id),
        "details": _details(member),
    }


def _score(member: MemberFacts) -> dict | None:
    """None where there is nothing to tell: of the keeper, and of the same bytes."""
    if member.role is Role.KEEPER or member.tier is Tier.IDENTICAL:
        return None
    return {"share": words.score_share(member.score), "word": wording.likeness(member)}


def _details(member: MemberFacts) -> list[tuple[str, str]]:
    """The same terms for every file, so that two stand beside one another."""
    return [
        ("Size", words.dimensions(member.width_px, member.height_px)),
        ("File", words.joined(words.size(member.size_bytes), member.format or "")),
        ("Taken", words.moment(member.taken_at) or "not said"),
        ("Folder", str(Path(member.path).parent) if member.path else GONE),
    ]
