"""Tiers, relations and decisions as a person reads them."""

from app.audits.showing.members import MemberFacts, same_bytes
from app.catalog.states import Role, Tier, Word

TITLES = {
    Tier.IDENTICAL: "Identical",
    Tier.SAME_PIXELS: "Same picture",
    Tier.EDITED: "Edited",
    Tier.SAME_SCENE: "Same scene",
}
MEANINGS = {
    Tier.IDENTICAL: "the same bytes at another place",
    Tier.SAME_PIXELS: "the same pixels in another file format, or with other metadata",
    Tier.EDITED: "resized, compressed anew, cropped, turned, recoloured or drawn upon",
    Tier.SAME_SCENE: "another shot of the same moment or thing, and no copy",
}
RELATIONS = {
    "resized": "resized",
    "recompressed": "compressed anew",
    "recoloured": "other colours",
    "cropped": "cropped",
    "padded": "with a border",
    "rotated_90": "turned by 90°",
    "rotated_180": "upside down",
    "rotated_270": "turned by 270°",
    "mirrored": "mirrored",
    "overlaid": "something laid over it",
    "other": "a copy, you said",
}
LINKED = "Hard link to the one that is kept"
UNRELATED = {Tier.SAME_SCENE: "another shot"}
WORDS = {
    Word.DIFFERENT: "Different",
    Word.KEEP_BOTH: "Both kept",
    Word.SAME_SCENE: "Same scene",
    Word.COPIES: "Copies",
}
SAID = {
    Word.DIFFERENT: "Called different: they never share a group again",
    Word.KEEP_BOTH: "Both are kept, and not shown again",
    Word.SAME_SCENE: "Called another shot of the same scene",
}
SAME_SIDE = 0.01  # a difference of the longer sides below this is rounding


def relation(member: MemberFacts, keeper: MemberFacts) -> str:
    """What a copy is to the one that is kept, with its measure where there is one."""
    if member.role is Role.KEEPER:
        return ""
    if member.linked:
        return LINKED
    told = same_bytes(member.tier, member.digest, keeper.digest)
    told = told or ", ".join(_one(name, member, keeper) for name in member.relations)
    told = told or UNRELATED.get(member.tier, "same pixels")
    return told[:1].upper() + told[1:]


def likeness(member: MemberFacts) -> str:
    return "" if member.tier is Tier.IDENTICAL else f"{member.score:.0%} alike"


def _one(name: str, member: MemberFacts, keeper: MemberFacts) -> str:
    if name == "resized" and "cropped" not in member.relations:
        return _resized(member, keeper)
    if name == "cropped" and member.shows is not None and member.shows < 0.995:
        return f"cropped to {member.shows:.0%}"
    return RELATIONS.get(name, name)


def _resized(member: MemberFacts, keeper: MemberFacts) -> str:
    """By the longer sides: that of a picture on its side is the same."""
    longest = [max(facts.width_px, facts.height_px) for facts in (member, keeper)]
    share = longest[0] / longest[1] if longest[1] else 1.0
    if abs(share - 1) < SAME_SIDE:
        return RELATIONS["resized"]
    return f"{'smaller' if share < 1 else 'larger'}: {share:.0%} of its side"
