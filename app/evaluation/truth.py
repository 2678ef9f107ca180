"""The truth of a retrieval protocol: which pictures each query must find, as the published sets lay it beside them.

DIR/gnd_NAME.pkl or .json    {"imlist": […], "qimlist": […], "gnd": [{"bbx", "easy", "hard", "junk"}, …]}
DIR/jpg/                     the pictures that both lists name, without their ending
"""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from app.errors import InvalidInput, NotFound
from app.evaluation.pickled import MOST_BYTES, read_pickle
from app.evaluation.refusal import NotData, name_type, shown

PICTURES = "jpg"
ENDINGS = (".jpg", "", ".jpeg", ".png")  # tried in this order; the published sets have the first
LISTS = ("easy", "hard", "junk")
WAY_OUT = "get it again from where it was published, or give the same truth as JSON"

BoxPx = tuple[float, float, float, float]  # left, top, right, bottom in the pixels of the file as it is stored


@dataclass(frozen=True, eq=False)
class Question:
    """One query: its picture, the part of it that is asked for, and what it should find, as rows of the database."""

    path: Path
    box: BoxPx | None  # none: all of it
    easy: np.ndarray
    hard: np.ndarray
    junk: np.ndarray  # neither right nor wrong: left out of the ranking


@dataclass(frozen=True)
class Truth:
    name: str
    database: tuple[Path, ...]
    questions: tuple[Question, ...]


def find_truth(folder: Path) -> Path:
    """The one file `gnd_*` in the folder. Raises NotFound for none, InvalidInput for several."""
    found = sorted(path for ending in ("pkl", "json") for path in folder.glob(f"gnd_*.{ending}"))
    if not found:
        raise NotFound(f"{folder} has no gnd_NAME.pkl and no gnd_NAME.json: give the folder that holds one beside jpg/")
    if len(found) > 1:
        raise InvalidInput(f"{folder} has {', '.join(path.name for path in found)}: choose one with --truth")
    return found[0]


def read_truth(path: Path) -> Truth:
    """Raises NotFound, and InvalidInput for a file that is no such truth. Nothing in it is executed.

    That a picture is there is not looked at: `Truth` says where it should be.
    """
    data = _bytes(path)
    try:
        return _truth(path, _json(data) if path.suffix == ".json" else read_pickle(data))
    except NotData as reason:
        raise InvalidInput(f"{path} is no truth of a retrieval protocol: {reason}; {WAY_OUT}") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as refusal:
        raise NotFound(f"{path} can't be read ({refusal.strerror}): check the path") from None


def _json(data: bytes) -> object:
    if len(data) > MOST_BYTES:
        raise NotData(f"its bytes are over the limit of {MOST_BYTES:,}")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as trouble:
        raise NotData(f"it is no JSON ({type(trouble).__name__})") from None


def _truth(path: Path, value: object) -> Truth:
    fields, folder = _fields(value, "the file"), path.parent / PICTURES
    database = [_picture(folder, name) for name in _list(fields, "imlist")]
    asked, answers = _list(fields, "qimlist"), _list(fields, "gnd")
    if not database or not asked:
        raise NotData("it names no pictures, or no queries")
    if len(asked) != len(answers):
        raise NotData(f"it has {len(asked):,} queries and {len(answers):,} answers")
    rows = [
        _question(_picture(folder, name), answer, len(database), f"query {number}")
        for number, (name, answer) in enumerate(zip(asked, answers, strict=True), start=1)
    ]
    return Truth(path.stem.removeprefix("gnd_"), tuple(database), tuple(rows))


def _question(path: Path, value: object, database: int, where: str) -> Question:
    fields = _fields(value, where)
    easy, hard, junk = (_rows(_list(fields, name), database, f"{name} of {where}") for name in LISTS)
    return Question(path, _box(fields.get("bbx"), where), easy, hard, junk)


def _fields(value: object, where: str) -> dict[str, Any]:
    """By name; Python 2 wrote names as bytes."""
    if not isinstance(value, dict):
        raise NotData(f"{where} is a {name_type(value)} where a dict belongs")
    return {_text(name): field for name, field in value.items()}


def _list(fields: dict[str, Any], name: str) -> list | tuple:
    value = fields.get(name)
    if not isinstance(value, list | tuple):
        raise NotData(f"{name!r} is a {name_type(value)} where a list belongs")
    return value


def _picture(folder: Path, value: object) -> Path:
    """Below the folder, whatever the name says."""
    name = _text(value)
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or not name.isprintable() or len(name) > 255:
        raise NotData(f"{shown(name)!r} names no picture of {PICTURES}/")
    return _there(folder.joinpath(*parts))


def _there(path: Path) -> Path:
    """With the ending that is there; with the usual one where none is."""
    candidates = [path.with_name(path.name + ending) for ending in ENDINGS]
    return next((candidate for candidate in candidates if candidate.exists()), candidates[0])


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if not isinstance(value, str):
        raise NotData(f"it has a {name_type(value)} where a name belongs")
    return value


def _rows(values: list | tuple, database: int, where: str) -> np.ndarray:
    """int64. A row that is none of the database's is refused, however it was written."""
    for value in values:
        if type(value) not in (int, float) or value != value or not 0 <= value < database or value != int(value):
            raise NotData(f"{where} has a row that is none of 0 to {database - 1:,}")
    return np.array(values, np.float64).astype(np.int64)


def _box(value: object, where: str) -> BoxPx | None:
    if value is None:
        return None
    sides = value if isinstance(value, list | tuple) else ()
    if len(sides) != 4 or not all(type(side) in (int, float) and abs(side) < 2**31 for side in sides):
        raise NotData(f"bbx of {where} is not four numbers")
    left, top, right, bottom = map(float, sides)
    if right <= left or bottom <= top:
        raise NotData(f"bbx of {where} has no area")
    return left, top, right, bottom
