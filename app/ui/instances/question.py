"""What is looked for: examples of a thing, and of what is not meant; and its place in the address bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from app.api.tokens import read_token, token
from app.catalog.images import Filters
from app.search.examples import Example
from app.search.query import Box
from app.ui.addresses import HITS, filters_from, filters_to, read, written

BETWEEN = "~"  # tokens; not escaped in an address


@dataclass(frozen=True)
class Question:
    """`hand` is the place of the example that is shown large, and on which boxes are drawn."""

    collection: str | None = None
    examples: tuple[Example, ...] = ()
    hand: int = 0
    k: int = HITS[1]
    filters: Filters = field(default_factory=Filters)
    expand: bool = False

    @property
    def in_hand(self) -> Example:
        return self.examples[self.hand]

    @property
    def wanted(self) -> list[Example]:
        return [example for example in self.examples if example.wanted]

    def of(self, *examples: Example) -> Question:
        """These and no other."""
        return replace(self, examples=examples, hand=0)

    def adding(self, example: Example) -> Question:
        """Taken in hand. What is there already is only taken."""
        others = tuple(known for known in self.examples if replace(known, wanted=example.wanted) != example)
        return replace(self, examples=(*others, example), hand=len(others))

    def boxed(self, box: Box | None) -> Question:
        return self._with(self.hand, replace(self.in_hand, box=box))

    def swapped(self, place: int) -> Question:
        example = self.examples[place]
        return self._with(place, replace(example, wanted=not example.wanted))

    def without(self, place: int) -> Question:
        left = self.examples[:place] + self.examples[place + 1 :]
        hand = self.hand - (place < self.hand)
        return replace(self, examples=left, hand=max(0, min(hand, len(left) - 1)))

    def within(self, collection: str) -> Question:
        """Asked of another collection: pictures of the old one and its filters mean nothing there."""
        kept = tuple(example for example in self.examples if example.image_id is None)
        return replace(self, collection=collection, examples=kept, hand=0, filters=Filters())

    def lead(self, image_id: int) -> str:
        """Where a click on this picture of the collection leads."""
        return f"/instances?{urlencode(to_address(self.of(Example(image_id=image_id))))}"

    def _with(self, place: int, example: Example) -> Question:
        examples = (*self.examples[:place], example, *self.examples[place + 1 :])
        return replace(self, examples=examples)


def from_address(params: Mapping[str, str]) -> Question:
    """Raises InvalidInput naming the part of the address that can't be read."""
    examples = read(params, "like", _examples) or ()
    return Question(
        collection=params.get("collection"),
        examples=examples,
        hand=read(params, "at", lambda text: _place(text, examples)) or 0,
        k=read(params, "k", int) or HITS[1],
        filters=filters_from(params),
        expand=params.get("expand") == "yes",
    )


def to_address(question: Question) -> dict[str, str]:
    """Only what differs from an empty page."""
    parts = {
        "collection": question.collection,
        "like": BETWEEN.join(map(token, question.examples)),
        "at": question.hand or None,
        "k": None if question.k == HITS[1] else question.k,
        "expand": "yes" if question.expand else None,
    }
    return written(parts | filters_to(question.filters))


def _examples(text: str) -> tuple[Example, ...]:
    return tuple(map(read_token, text.split(BETWEEN)))


def _place(text: str, examples: tuple[Example, ...]) -> int:
    place = int(text)
    if not 0 <= place < max(1, len(examples)):
        raise ValueError(text)
    return place
