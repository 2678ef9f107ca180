"""How much of a picture's parts a collection keeps, as one table.

A row's name is part of every vector's key: whatever changes what is kept, here or in this room, needs a new one.
"""

from dataclasses import dataclass

from app.errors import NotFound


@dataclass(frozen=True)
class Detail:
    """One row. A window of scale n has 2 / (n + 1) of the picture's width and height; n x n of them cover it."""

    name: str
    word: str  # as a person says it
    tokens: int  # kept at most, the rarest
    scales: tuple[int, ...]  # of the windows

    @property
    def regions(self) -> int:
        return sum(scale * scale for scale in self.scales)


OFF = Detail("off", "off", 0, ())
DETAILS = (
    OFF,
    Detail("light-v1", "light", 240, (2,)),
    Detail("full-v1", "full", 240, (2, 3, 4)),
)


def get_detail(name: str) -> Detail:
    """By name or by word. Raises NotFound, listing what is known."""
    found = next((row for row in DETAILS if name in (row.name, row.word)), None)
    if found is None:
        raise NotFound(f"no detail is called {name!r}: choose one of {', '.join(row.word for row in DETAILS)}")
    return found
