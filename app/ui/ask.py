"""The question a search page answers, and its place in the address bar: shared, reloaded, gone back to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time

from app.catalog.images import Filters
from app.errors import InvalidInput
from app.search.query import Box

HITS = (20, 50, 100, 200)  # what the page offers; the address takes any number the desk does
MEGABYTE = 2**20
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Ask:
    """What is asked of which collection: a picture dropped here (`digest`), or one of its own (`image_id`)."""

    collection: str | None = None
    digest: str | None = None
    image_id: int | None = None
    box: Box | None = None
    k: int = HITS[1]
    filters: Filters = field(default_factory=Filters)

    @property
    def about_something(self) -> bool:
        return self.digest is not None or self.image_id is not None

    def of_digest(self, digest: str) -> Ask:
        return replace(self, digest=digest, image_id=None, box=None)

    def of_image(self, image_id: int) -> Ask:
        return replace(self, digest=None, image_id=image_id, box=None)

    def of_nothing(self) -> Ask:
        return replace(self, digest=None, image_id=None, box=None)

    def within(self, collection: str) -> Ask:
        """The same question to another collection; a picture of the old one and its filters mean nothing there."""
        return replace(
            self, collection=collection, image_id=None, box=self.box if self.digest else None, filters=Filters()
        )


def from_address(params: Mapping[str, str]) -> Ask:
    """Raises InvalidInput naming the part of the address that can't be read."""
    return Ask(
        collection=params.get("collection"),
        digest=_read(params, "q", _digest),
        image_id=_read(params, "image", int),
        box=_read(params, "box", _box),
        k=_read(params, "k", int) or HITS[1],
        filters=_filters(params),
    )


def to_address(ask: Ask) -> dict[str, str]:
    """Only what differs from an empty page, so that addresses stay short."""
    filters = ask.filters
    parts = {
        "collection": ask.collection,
        "q": ask.digest,
        "image": ask.image_id,
        "box": ask.box and ",".join(f"{share:g}" for share in ask.box),
        "k": None if ask.k == HITS[1] else ask.k,
        "format": ",".join(filters.formats),
        "folder": filters.folder,
        "from": filters.taken_from and filters.taken_from.date().isoformat(),
        "to": filters.taken_to and filters.taken_to.date().isoformat(),
        "min_mb": filters.min_bytes and f"{filters.min_bytes / MEGABYTE:g}",
        "max_mb": filters.max_bytes and f"{filters.max_bytes / MEGABYTE:g}",
        "min_px": filters.min_px,
    }
    return {name: str(value) for name, value in parts.items() if value not in (None, "")}


def _filters(params: Mapping[str, str]) -> Filters:
    return Filters(
        formats=tuple(part for part in params.get("format", "").split(",") if part),
        folder=params.get("folder"),
        taken_from=_read(params, "from", datetime.fromisoformat),
        taken_to=_read(params, "to", _end_of_day),
        min_bytes=_read(params, "min_mb", _bytes),
        max_bytes=_read(params, "max_mb", _bytes),
        min_px=_read(params, "min_px", int),
    )


def _read(params: Mapping[str, str], name: str, reader):
    text = params.get(name)
    if not text:
        return None
    try:
        return reader(text)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"the address says {name}={text!r}, which can't be read: correct it, or start anew"
        ) from None


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise ValueError
    return text


def _box(text: str) -> Box:
    x0, y0, x1, y1 = map(float, text.split(","))
    return x0, y0, x1, y1


def _end_of_day(text: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(text).date(), time.max)


def _bytes(text: str) -> int:
    return int(float(text) * MEGABYTE)
