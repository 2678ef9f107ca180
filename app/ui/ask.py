"""The question a search page answers, and its place in the address bar: shared, reloaded, gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from app.catalog.images import Filters
from app.search.query import Box
from app.ui.addresses import HITS, digest, filters_from, filters_to, read, written


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

    def lead(self, image_id: int) -> str:
        """Where a click on this picture of the collection leads."""
        return f"/?{urlencode(to_address(self.of_image(image_id)))}"

    def within(self, collection: str) -> Ask:
        """The same question to another collection; a picture of the old one and its filters mean nothing there."""
        return replace(
            self, collection=collection, image_id=None, box=self.box if self.digest else None, filters=Filters()
        )


def from_address(params: Mapping[str, str]) -> Ask:
    """Raises InvalidInput naming the part of the address that can't be read."""
    return Ask(
        collection=params.get("collection"),
        digest=read(params, "q", digest),
        image_id=read(params, "image", int),
        box=read(params, "box", _box),
        k=read(params, "k", int) or HITS[1],
        filters=filters_from(params),
    )


def to_address(ask: Ask) -> dict[str, str]:
    """Only what differs from an empty page, so that addresses stay short."""
    parts = {
        "collection": ask.collection,
        "q": ask.digest,
        "image": ask.image_id,
        "box": ask.box and ",".join(f"{share:g}" for share in ask.box),
        "k": None if ask.k == HITS[1] else ask.k,
    }
    return written(parts | filters_to(ask.filters))


def _box(text: str) -> Box:
    x0, y0, x1, y1 = map(float, text.split(","))
    return x0, y0, x1, y1
