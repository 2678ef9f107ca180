"""The truth of a hunt: which question is answered by which picture, and where in it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from app.samples.truth import Box, write_beside

FILE_NAME = "hunt.json"


@dataclass(frozen=True)
class Find:
    """The one picture that shows what is asked for. The box holds what is visible of it, in shares of the picture."""

    picture: str
    box: Box
    share: float  # of the picture's area that it would cover, were nothing before it
    turn_degrees: float  # against the question's, to the left
    hidden_share: float


@dataclass(frozen=True)
class Question:
    """A box on a picture, drawn around a thing by a hand that leaves a little room."""

    picture: str
    box: Box
    thing: str
    share: float
    find: Find


@dataclass(frozen=True)
class Hunt:
    """Paths are relative to the folder, with /. `pictures` are all that are searched."""

    seed: int
    pictures: tuple[str, ...]
    questions: tuple[Question, ...]


def load(folder: Path) -> Hunt | None:
    """The truth of a folder, None where there is none."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Hunt(stored["seed"], tuple(stored["pictures"]), tuple(_question(row) for row in stored["questions"]))


def save(folder: Path, hunt: Hunt) -> Hunt:
    write_beside(folder / FILE_NAME, (json.dumps(asdict(hunt), indent=1) + "\n").encode())
    return hunt


def _question(row: dict) -> Question:
    find = Find(**{**row["find"], "box": tuple(row["find"]["box"])})
    return Question(**{**row, "box": tuple(row["box"]), "find": find})
