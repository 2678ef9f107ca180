"""How well one thing is found and pointed at: scores from answers and the truth of a hunt. Nothing is searched here."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.samples.hunt import Find, Question

RIGHT_IOU = 0.5  # from here on a box counts as pointing at the thing

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pointed:
    """One hit: a picture and where in it the thing is said to be; no box where nothing is."""

    picture: str
    box: Box | None


@dataclass(frozen=True)
class LocalisationScores:
    """Shares of the questions, 0 to 1; each counts every question: what isn't found overlaps with nothing.

    The box is that of the right picture, wherever it ranks.
    """

    questions: int
    right_first: float  # the first hit is the right picture
    pointed: float  # the box told on the right picture overlaps with the true one by RIGHT_IOU or more
    mean_iou: float


@dataclass(frozen=True)
class Slice:
    """Questions whose find lies in `low` ≤ value < `high`."""

    of: str
    low: float
    high: float
    value: Callable[[Find], float]

    @property
    def name(self) -> str:
        return f"{self.of} {self.low:g}–{self.high:g}"


def _cut(of: str, value: Callable[[Find], float], *edges: float) -> tuple[Slice, ...]:
    return tuple(Slice(of, low, high, value) for low, high in itertools.pairwise(edges))


SLICES = (
    *_cut("% of the picture", lambda find: 100 * find.share, 0, 10, 20, 100),
    *_cut("degrees turned", lambda find: abs(find.turn_degrees), 0, 15, 30, 45, 180),
    *_cut("% hidden", lambda find: 100 * find.hidden_share, 0, 2, 20, 100),
)


def score(questions: Sequence[Question], answers: Sequence[Sequence[Pointed]]) -> LocalisationScores:
    """One answer a question, its hits best first."""
    if not questions:
        return LocalisationScores(0, 0.0, 0.0, 0.0)
    pairs = list(zip(questions, answers, strict=True))
    firsts = [bool(hits) and hits[0].picture == question.find.picture for question, hits in pairs]
    overlaps = np.array([_overlap(question.find, hits) for question, hits in pairs])
    return LocalisationScores(
        len(pairs), float(np.mean(firsts)), float(np.mean(overlaps >= RIGHT_IOU)), float(overlaps.mean())
    )


def by_slice(questions: Sequence[Question], answers: Sequence[Sequence[Pointed]]) -> dict[str, LocalisationScores]:
    """The same by how large, how turned and how hidden the thing is; slices without a question are left out."""
    found = {}
    for part in SLICES:
        rows = [row for row, question in enumerate(questions) if part.low <= part.value(question.find) < part.high]
        if rows:
            found[part.name] = score([questions[row] for row in rows], [answers[row] for row in rows])
    return found


def iou(one: Box, other: Box) -> float:
    """Intersection over union; 0 for boxes without an area."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _overlap(find: Find, hits: Sequence[Pointed]) -> float:
    box = next((hit.box for hit in hits if hit.picture == find.picture), None)
    return 0.0 if box is None else iou(box, find.box)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
