"""Hits as the grid draws them: where the thing lies in each, and how much speaks for it."""

from collections.abc import Callable
from dataclasses import dataclass

from app.api.face import Face
from app.search.examples import Example
from app.search.query import Box, Hit, Page
from app.ui import cards, parts, words
from app.ui.instances import strip
from app.ui.instances.going import go
from app.ui.instances.question import Question

ALIKE_ONLY = "looks alike only"
APART = "No geometric support: these look alike, and no places in them agree"
LEAST_SIDE = 0.02  # of a picture: less is no region that one could look at


@dataclass(frozen=True)
class Grid:
    """What the hits of a page are drawn with."""

    face: Face
    question: Question
    page: Page

    def tiles(self) -> list[dict]:
        """Those with support first, in the order of the page; a heading stands before the others."""
        ordered = sorted(self.page.hits, key=lambda hit: not hit.supported)
        tiles = [self._tile(hit) for hit in ordered]
        first = next((place for place, hit in enumerate(ordered) if not hit.supported), None)
        if first is not None:
            tiles[first]["apart"] = APART
        return tiles

    def _tile(self, hit: Hit) -> dict:
        card, said = cards.tile(self.face, hit, self.question.lead), support(hit)
        return card | {
            "number": f"likeness {hit.score:.3f}",
            "word": said,
            "share": words.score_share(hit.inliers / hit.matches) if hit.supported and hit.matches else 0.0,
            "faint": not hit.supported,
            "outline": hit.outline if hit.supported else None,
            "part": region(hit) is not None,
            "whose": hit.example,
            "evidence": [
                self.face.evidence(self.page.collection, example, hit.image_id) for example in self.question.wanted
            ],
        }


def support(hit: Hit) -> str:
    """What speaks for a hit, as a person says it."""
    if not hit.supported:
        return ALIKE_ONLY
    return f"{hit.inliers:,} of {hit.matches:,} places agree"


def region(hit: Hit) -> Box | None:
    """The part of it that shows the thing; none where no place is known, or next to nothing of it is in the picture."""
    if not hit.supported or hit.box is None:
        return None
    x0, y0, x1, y1 = hit.box
    return hit.box if min(x1 - x0, y1 - y0) >= LEAST_SIDE else None


def show(face: Face, question: Question, page: Page) -> None:
    regions = {hit.image_id: region(hit) for hit in page.hits}

    def with_it(wanted: bool) -> Callable[[int], None]:
        return lambda image_id: go(question.adding(Example(image_id=image_id, box=regions[image_id], wanted=wanted)))

    parts.sightings(
        "sightings",
        Grid(face, question, page).tiles(),
        examples=[strip.picture_of(face, example) for example in question.wanted],
        on_like=with_it(True),
        on_unlike=with_it(False),
    )
