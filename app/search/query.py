"""What is asked and what is answered, as plain values that outlive any session."""

from dataclasses import dataclass, field
from datetime import datetime

from app.catalog.images import Filters
from app.errors import InvalidInput

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 as shares of the upright picture
Outline = tuple[tuple[float, float], ...]  # four corners as (x, y) shares, may lie outside of the picture
MOST_HITS = 1000


@dataclass(frozen=True)
class Hit:
    rank: int  # from 1
    image_id: int
    digest: str
    path: str
    name: str
    score: float  # cosine, -1…1, higher is closer
    height_px: int
    width_px: int
    size_bytes: int
    format: str
    taken_at: datetime | None
    # of an instance search:
    box: Box | None = None  # where in the hit the thing lies; none: nothing tells
    outline: Outline | None = None  # the corners of what was asked for, where they come to lie
    matches: int | None = None  # places that are each other's best
    inliers: int | None = None  # those of them that agree on one map
    supported: bool | None = None  # so many that chance hardly explains it; else it only looks alike
    example: int | None = None  # which of the wanted examples it fits best, from 0


@dataclass(frozen=True)
class Page:
    collection: str
    model: str
    trained: bool
    query: str  # the path, image id or digest that was asked
    k: int
    hits: list[Hit]
    took_ms: dict[str, float] = field(default_factory=dict)  # embed, search, rerank, total


@dataclass(frozen=True)
class StoredQuery:
    """A query picture kept under its digest, so that a URL can name it."""

    digest: str
    height_px: int
    width_px: int


@dataclass(frozen=True)
class Terms:
    """What a query asks of which collection. Raises InvalidInput for a box or a number of hits that is none."""

    collection: str
    shown: str  # how the answer names the query
    k: int
    box: Box | None
    filters: Filters
    without: int | None = None  # an image to leave out

    def __post_init__(self) -> None:
        checked_k(self.k)
        checked_box(self.box)


def checked_box(box: Box | None) -> Box | None:
    """Raises InvalidInput unless 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1."""
    if box is None:
        return None
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        shown = ",".join(f"{share:g}" for share in box)
        raise InvalidInput(f"the box {shown} is none: give x0,y0,x1,y1 as shares with 0 ≤ x0 < x1 ≤ 1, 0 ≤ y0 < y1 ≤ 1")
    return box


def checked_k(k: int) -> int:
    if not 1 <= k <= MOST_HITS:
        raise InvalidInput(f"{k} hits can't be given: ask for 1 to {MOST_HITS}")
    return k
