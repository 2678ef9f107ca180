"""The pairs of an audit that may be asked about, each layer in an order that is like chance."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.audits.evidence.strata import STEPS, Strata, next_layer, stratify
from app.catalog import labels
from app.catalog.audit_models import Audit
from app.catalog.labels import Labelled
from app.resources import Resources

AT_HAND = 200  # pairs kept in memory of each layer, far more than anybody labels
FRAMES = 8  # audits whose pairs are kept at hand
Key = tuple[int, int]  # first_id, second_id


@dataclass(frozen=True, eq=False)
class Frame:
    """Layers of pairs, and of each layer the pairs in the order in which they are asked about."""

    strata: Strata
    drawn: tuple[Sequence[Key], ...]

    def choice(self, known: Sequence[Labelled], threshold: float) -> tuple[Key, float] | None:
        """The pair to ask about next, and how many pairs it stands for; None when all are labelled."""
        asked, copies = self._answers(known)
        seen = {(label.first_id, label.second_id) for label in known}
        while (layer := next_layer(self.strata, asked, copies, threshold)) is not None:
            pair = next((pair for pair in self.drawn[layer] if pair not in seen), None)
            if pair is not None:
                return pair, self._weight(known, layer)
            asked[layer] = self.strata.sizes[layer]  # what is left of it can't be shown
        return None

    def weight(self, known: Sequence[Labelled], score: float) -> float:
        """How many pairs one more answer at this score stands for."""
        return self._weight(known, int(self.strata.layers(np.array(score))))

    def _weight(self, known: Sequence[Labelled], layer: int) -> float:
        return float(self.strata.sizes[layer] / (self._answers(known)[0][layer] + 1))

    def _answers(self, known: Sequence[Labelled]) -> tuple[np.ndarray, np.ndarray]:
        """How many answers each layer has, and how many said "copies"; who could not tell did half."""
        layers = self.strata.layers(np.array([label.score for label in known]))
        copies = np.array([0.5 if label.copies is None else label.copies for label in known], float)
        size = len(self.strata.sizes)
        return np.bincount(layers, minlength=size), np.bincount(layers, weights=copies, minlength=size)


class Frames:
    """Those read lately. Read once for each state of an audit: it takes a look at every pair. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, resources: Resources, session: Session, audit: Audit) -> Frame:
        key = (str(resources.catalog.url), audit.id, audit.fence, audit.done_at, audit.pairs_checked)
        with self._lock:
            found = self._kept.get(key)
        return found or self._keep(key, _read(session, audit.id))

    def _keep(self, key: tuple, frame: Frame) -> Frame:
        with self._lock:
            self._kept[key] = frame
            while len(self._kept) > FRAMES:
                self._kept.popitem(last=False)
        return frame


frames = Frames()


def _read(session: Session, audit_id: int) -> Frame:
    counts = np.zeros(STEPS + 1, int)
    for step, number in labels.counts_by_step(session, audit_id, STEPS):
        counts[step] += number
    strata = stratify(counts)
    bounds = (strata.steps_in(layer) for layer in range(len(strata.sizes)) if strata.pairs)
    rows = (labels.drawn(session, audit_id, *_scores(first, last), AT_HAND) for first, last in bounds)
    return Frame(strata, tuple([(row.first_id, row.second_id) for row in drawn] for drawn in rows))


def _scores(first: int, last: int) -> tuple[float, float]:
    """From the first score of a step to just beyond the last one's."""
    return first / STEPS - 1e-9, (last + 1) / STEPS - 1e-9
