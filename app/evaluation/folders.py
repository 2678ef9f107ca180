"""One class per subfolder: every picture asks for the others of its folder, among all pictures there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.errors import InvalidInput
from app.evaluation.ranking import QueryScore, Scores, score
from app.ingest import walk
from app.vision.contents import HEAD_BYTES, sniff
from app.vision.decoder import Decoder
from app.vision.pipeline import embed_files

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

Progress = Callable[[int], None]  # pictures done so far
Exam = dict[Path, str | None]  # each picture and the subfolder it belongs to; none: a distractor


@dataclass(frozen=True)
class ClassScore:
    name: str  # of the subfolder
    queries: int
    map: float


@dataclass(frozen=True)
class Refused:
    path: str
    reason: str


@dataclass(frozen=True)
class FolderReport:
    """Scores as `ranking.Scores` has them, and what they were measured with and without."""

    model: str
    preprocessing: str
    precision: str
    trained: bool
    queries: int
    database: int
    map: float
    recall_at_1: float
    recall_at_10: float
    seconds: float
    classes: list[ClassScore] = field(default_factory=list)  # those with queries, the worst first
    unreadable: list[Refused] = field(default_factory=list)  # left out of everything


def find_exam(folder: Path, distractors: Sequence[Path] = ()) -> Exam:
    """What lies in `folder` itself, or in a distractors' folder, is of no class. Each file counts once.

    Raises NotFound for a folder that is not there, InvalidInput for one without two pictures in any subfolder.
    """
    root, *others = walk.absolute([folder, *distractors])
    own = {path: _class_of(path, root) for path in pictures_below([root])}
    names = [name for name in own.values() if name is not None]
    if len(set(names)) == len(names):
        raise InvalidInput(f"{folder} has no subfolder with two pictures: give one subfolder per class, two in each")
    return dict.fromkeys(pictures_below(others)) | own


def evaluate(exam: Exam, decoder: Decoder, encoder: Encoder, on_progress: Progress | None = None) -> FolderReport:
    """Embed every picture and score it. One that can't be read is reported, and left out."""
    started = time.monotonic()
    vectors, classes, unreadable = [], [], []
    for done, (path, outcome) in enumerate(embed_files(exam, decoder, encoder), start=1):
        if isinstance(outcome, np.ndarray):
            vectors.append(outcome)
            classes.append(exam[path])
        else:
            unreadable.append(Refused(str(path), str(outcome)))
        if on_progress:
            on_progress(done)
    scores, per_class = score_by_name(np.array(vectors).reshape(len(vectors), encoder.key.dim), classes)
    key = encoder.key
    return FolderReport(
        key.model,
        key.preprocessing,
        key.precision,
        key.trained,
        **asdict(scores),
        seconds=round(time.monotonic() - started, 3),
        classes=per_class,
        unreadable=unreadable,
    )


def score_by_name(vectors: np.ndarray, names: Sequence[str | None]) -> tuple[Scores, list[ClassScore]]:
    """As `ranking.score`, and class by class; those with the lowest scores come first."""
    scores, found = score(vectors, names)
    by_name: dict[str, list[QueryScore]] = {}
    for query in found:
        by_name.setdefault(names[query.row], []).append(query)
    per_class = [
        ClassScore(name, len(mine), float(np.mean([query.average_precision for query in mine])))
        for name, mine in by_name.items()
    ]
    return scores, sorted(per_class, key=lambda row: (row.map, row.name))


def pictures_below(folders: Sequence[Path]) -> list[Path]:
    """Raises NotFound for a folder that is not there."""
    return [path for path in walk.files_below(folders) if _is_meant(path)]


def _is_meant(path: Path) -> bool:
    """Not a note or a system's file beside the pictures. What can't be opened is meant, and refused later in words."""
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES), path.name).kind != "skipped"
    except OSError:
        return True


def _class_of(path: Path, root: Path) -> str | None:
    below = path.relative_to(root).parts
    return below[0] if len(below) > 1 else None
