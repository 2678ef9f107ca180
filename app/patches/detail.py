"""How much of a picture's parts a collection keeps, as one table.

A row's name is part of every vector's key: whatever changes what is kept, here or in this room, needs a new one.
"""

from dataclasses import dataclass

from app.errors import NotFound

Window = tuple[float, float, float, float]  # x0, y0, x1, y1, shares of the picture


@dataclass(frozen=True)
class Detail:
    """One row."""

    name: str
    word: str  # as a person says it
    tokens: int  # kept at most, the rarest
    keypoints: int  # kept at most, the clearest
    windows: tuple[Window, ...]  # of the regions that have vectors


def tiled(count: int) -> tuple[Window, ...]:
    """count x count windows, each half over the next, that cover the picture; row by row."""
    side = 2 / (count + 1)
    starts = [number * side / 2 for number in range(count)]
    return tuple((x, y, x + side, y + side) for y in starts for x in starts)


def around(count: int) -> tuple[Window, ...]:
    """The same without the one in the middle, which the whole picture's vector mostly tells."""
    windows = tiled(count)
    return windows[: len(windows) // 2] + windows[len(windows) // 2 + 1 :]


OFF = Detail("off", "off", 0, 0, ())
DETAILS = (
    OFF,
    Detail("light-v2", "light", 50, 530, around(3)),
    Detail("full-v2", "full", 50, 530, around(3) + tiled(5)),
)
# without keypoints: collections that still keep these answer, and a switch to the word brings them on
RETIRED = (
    Detail("light-v1", "light", 240, 0, around(3)),
    Detail("full-v1", "full", 240, 0, around(3) + tiled(5)),
)


def get_detail(name: str) -> Detail:
    """By name, or by word the one that is made today. Raises NotFound, listing what is known."""
    found = next((row for row in DETAILS + RETIRED if name in (row.name, row.word)), None)
    if found is None:
        raise NotFound(f"no detail is called {name!r}: choose one of {', '.join(row.word for row in DETAILS)}")
    return found
