"""What a person points at: pictures, or boxes on them, that show the thing, or that do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import InvalidInput
from app.search.query import Box, checked_box

MOST = 12  # each is looked at in many ways


@dataclass(frozen=True)
class Example:
    """One picture: a file, an upload kept by `SearchDesk.prepare_query`, or one of the collection.

    Raises InvalidInput unless it is just one of these, and for a box that is none.
    """

    path: Path | None = None
    digest: str | None = None
    image_id: int | None = None
    box: Box | None = None  # none: all of it
    wanted: bool = True  # False: what looks like this is not meant

    def __post_init__(self) -> None:
        given = [value for value in (self.path, self.digest, self.image_id) if value is not None]
        if len(given) != 1:
            raise InvalidInput(f"an example of {len(given)} pictures: give a path, a digest or an image id")
        checked_box(self.box)

    @property
    def shown(self) -> str:
        """As answers name it."""
        return str(self.path or self.digest or self.image_id)


def checked(examples: Sequence[Example]) -> Sequence[Example]:
    """Raises InvalidInput without a wanted one, or with too many."""
    if not any(example.wanted for example in examples):
        raise InvalidInput("no example shows what to look for: give at least one that is wanted")
    if len(examples) > MOST:
        raise InvalidInput(f"{len(examples)} examples: give {MOST} or fewer")
    return examples
