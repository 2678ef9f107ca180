"""What a page of audits shows, and its place in the address bar: shared, reloaded, gone back to."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from app.audits.showing.pages import FIRST, LAST, Cursor, Sort
from app.catalog.states import Tier
from app.errors import InvalidInput


class Tab(enum.StrEnum):
    GROUPS = "groups"
    THRESHOLD = "threshold"
    QUARANTINE = "quarantine"
    SAID = "said"


@dataclass(frozen=True)
class Look:
    """At all audits; or at one of them, and there at some of its groups, or at one."""

    audit_id: int | None = None
    tab: Tab = Tab.GROUPS
    tier: Tier | None = None  # none: all that are copies
    settled: bool = False
    sort: Sort = Sort.BYTES
    cursor: Cursor = FIRST
    group_id: int | None = None
    place: int = 1  # the first member shown beside the keeper, where the group has more than a page

    def at(self, **parts) -> Look:
        """The same audit seen otherwise, from its first page."""
        return replace(self, **{"cursor": FIRST, "group_id": None, "place": 1} | parts)


def from_address(params: Mapping[str, str]) -> Look:
    """Raises InvalidInput naming the part of the address that can't be read."""
    return Look(
        audit_id=_read(params, "audit", int),
        tab=_read(params, "tab", Tab) or Tab.GROUPS,
        tier=_read(params, "tier", Tier),
        settled=params.get("done") == "yes",
        sort=_read(params, "sort", Sort) or Sort.BYTES,
        cursor=_cursor(params),
        group_id=_read(params, "group", int),
        place=_read(params, "place", int) or 1,
    )


def to_address(look: Look) -> dict[str, str]:
    """Only what differs from the first page."""
    key, backwards = look.cursor
    parts = {
        "audit": look.audit_id,
        "tab": None if look.tab is Tab.GROUPS else look.tab,
        "tier": look.tier,
        "done": "yes" if look.settled else None,
        "sort": None if look.sort is Sort.BYTES else look.sort,
        "before" if backwards else "after": "last" if look.cursor == LAST else key and f"{key[0]!r},{key[1]}",
        "group": look.group_id,
        "place": None if look.place == 1 else look.place,
    }
    return {name: str(value) for name, value in parts.items() if value is not None}


def _cursor(params: Mapping[str, str]) -> Cursor:
    if params.get("before") == "last":
        return LAST
    before, after = (_read(params, name, _key) for name in ("before", "after"))
    return Cursor(before, backwards=True) if before else Cursor(after)


def _key(text: str) -> tuple[float, int]:
    number, group_id = text.split(",")
    return (float(number) if "." in number or "e" in number else int(number)), int(group_id)


def _read(params: Mapping[str, str], name: str, reader: Callable):
    text = params.get(name)
    if not text:
        return None
    try:
        return reader(text)
    except (ValueError, OverflowError):
        raise InvalidInput(f"the address says {name}={text!r}, which can't be read: open Audits anew") from None
