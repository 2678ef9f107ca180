"""Revisited Oxford/Paris, or any set in that layout, from the images to the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import InvalidInput, UnreadableImage
from app.evaluation.cosines import cosines
from app.evaluation.embedding import Makers, embed_orders, orders
from app.evaluation.folders import Refused, pictures_below
from app.evaluation.kept import KeptVectors, Part
from app.evaluation.protocol import SetupScores, score, summarise
from app.evaluation.truth import Question, Truth
from app.ingest import walk
from app.vision.architectures import PATCH_PX
from app.vision.decoder import Decoder
from app.vision.preprocessing import at_side, get_preprocessing

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

SAVE_EVERY = 200  # files read between two savings of what they are: a killed run goes on, and another can write
LARGEST_SCALE = 4.0
MOST_SCALES = 5  # views of one picture that a decode child may answer with

Progress = Callable[[str, int, int], None]  # reading or embedding, done so far, in all


@dataclass(frozen=True)
class Looks:
    """How every picture is looked at: once per scale, each a preprocessing of its own side."""

    preprocessing: str  # at scale 1
    preprocessings: tuple[str, ...]
    scales: tuple[float, ...]


@dataclass(frozen=True)
class RevisitedReport:
    """Scores as `protocol.SetupScores` has them, and what they were measured with and without."""

    set: str
    model: str
    preprocessing: str
    precision: str
    trained: bool
    side_px: int
    scales: tuple[float, ...]
    query_boxes: bool
    queries: int
    database: int  # pictures in all, distractors too
    distractors: int
    easy: SetupScores
    medium: SetupScores
    hard: SetupScores
    embedded: int  # vectors made now
    kept: int  # vectors that were there
    missing: int  # pictures of `queries` and `database` that could not be read
    seconds: float
    unreadable: list[Refused] = field(default_factory=list)


def looks(preprocessing: str, scales: Sequence[float]) -> Looks:
    """At each scale the side to the nearest patch. Raises InvalidInput for a scale or a side, NotFound for the name."""
    row = get_preprocessing(preprocessing)
    wrong = next((scale for scale in scales if not 0 < scale <= LARGEST_SCALE), None)
    if wrong is not None or not 1 <= len(scales) <= MOST_SCALES:
        raise InvalidInput(
            f"scales {', '.join(f'{scale:g}' for scale in scales)}: give 1 to {MOST_SCALES} numbers over 0 and "
            f"up to {LARGEST_SCALE:g}, each with a --scale of its own"
        )
    sides = [max(1, round(row.side_px * scale / PATCH_PX)) * PATCH_PX for scale in scales]
    if len(set(sides)) < len(sides):
        raise InvalidInput(f"scales of {row.side_px} px come to sides of {sides} px: give each side once")
    return Looks(row.name, tuple(at_side(row.name, side) for side in sides), tuple(scales))


def find_distractors(truth: Truth, folders: Sequence[Path]) -> list[Path]:
    """The pictures below these folders that the truth does not name. Raises NotFound for a folder."""
    named = {path.absolute() for path in (*truth.database, *(question.path for question in truth.questions))}
    return [path for path in pictures_below(walk.absolute(folders)) if path not in named]


def evaluate(
    truth: Truth,
    looks: Looks,
    decoder: Decoder,
    encoder: Encoder,
    kept: KeptVectors,
    *,
    distractors: Sequence[Path] = (),
    query_boxes: bool = True,
    on_progress: Progress = lambda stage, done, total: None,
) -> RevisitedReport:
    """Embed what is not kept yet, rank and score. What can't be read is named, and left out of every ranking.

    A picture of the database that is missing counts as not found; a query that is missing is not asked.
    Raises InvalidInput when no query, or no picture of the database, can be read.
    """
    started, session = time.monotonic(), _Session(looks, decoder, encoder, kept, on_progress)
    boxes = [question.box if query_boxes else None for question in truth.questions]
    asked = [(question.path, box) for question, box in zip(truth.questions, boxes, strict=True)]
    parts = session.embedded([*asked, *((path, None) for path in (*truth.database, *distractors))])
    there, database = _readable(truth.questions, parts[: len(asked)]), parts[len(asked) :]
    _check(truth, there, database, session.refused)
    found = score(cosines(kept, session.makers, list(there.values()), database, encoder.key.dim), list(there))
    return RevisitedReport(
        truth.name,
        *(encoder.key.model, encoder.key.preprocessing, encoder.key.precision, encoder.key.trained),
        side_px=get_preprocessing(encoder.key.preprocessing).side_px,
        scales=looks.scales,
        query_boxes=query_boxes,
        queries=len(there),
        database=len(database),
        distractors=len(distractors),
        **{name: summarise(scores) for name, scores in found.items()},
        embedded=session.made,
        kept=session.vectors - session.made,
        missing=parts.count(None),
        seconds=round(time.monotonic() - started, 3),
        unreadable=[Refused(str(path), reason) for path, reason in session.refused.items()],
    )


def _readable(questions: Sequence[Question], parts: Sequence[Part | None]) -> dict[Question, Part]:
    return {question: part for question, part in zip(questions, parts, strict=True) if part is not None}


def _check(truth: Truth, asked: Iterable, database: Sequence[Part | None], refused: dict[Path, str]) -> None:
    named = database[: len(truth.database)]
    if asked and any(part is not None for part in named):
        return
    which = "queries" if not asked else "pictures of the database"
    path, reason = next(iter(refused.items()))
    way_out = "lay the pictures beside the truth, in jpg/"
    raise InvalidInput(f"none of the {which} can be read, as {path}: {reason}; {way_out}")


class _Session:
    """One run: where the vectors of its parts are, and what could not be read."""

    def __init__(
        self, looks: Looks, decoder: Decoder, encoder: Encoder, kept: KeptVectors, on_progress: Progress
    ) -> None:
        self.refused: dict[Path, str] = {}
        self.made = self.vectors = 0
        self._decoder, self._encoder, self._kept, self._on_progress = decoder, encoder, kept, on_progress
        self.makers: Makers = {name: kept.maker(encoder.key, name) for name in looks.preprocessings}

    def embedded(self, places: Sequence[tuple[Path, tuple | None]]) -> list[Part | None]:
        """Every picture or box as what its vectors are kept under; None for what can't be read."""
        parts = [self._identified(number, len(places), *place) for number, place in enumerate(places, start=1)]
        self._kept.save()
        paths = {part: path for part, (path, _) in zip(parts, places, strict=True) if part is not None}
        todo = orders(paths, self.makers, self._kept)
        lost = embed_orders(todo, self.makers, self._decoder, self._encoder, self._kept, self._told(len(todo)))
        self.refused |= {path: lost[part] for part, (path, _) in zip(parts, places, strict=True) if part in lost}
        self.vectors = (len(paths) - len(lost)) * len(self.makers)
        self.made = sum(len(order.preprocessings) for order in todo if order.part not in lost)
        return [None if part in lost else part for part in parts]

    def _identified(self, number: int, total: int, path: Path, box: tuple | None) -> Part | None:
        self._on_progress("reading", number, total)
        if number % SAVE_EVERY == 0:
            self._kept.save()
        try:
            return Part(self._kept.digest(path), box)
        except UnreadableImage as refusal:
            self.refused[path] = str(refusal)
            return None

    def _told(self, total: int) -> Callable[[int], None]:
        if total:
            self._on_progress("embedding", 0, total)
        return lambda done: self._on_progress("embedding", done, total)
