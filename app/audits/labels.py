"""Questions about pairs where the threshold is in doubt, a person's answers, and the threshold that follows."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy.orm import Session

from app import library
from app.alignment import DEFAULT_THRESHOLD, SCENE_SCORE
from app.audits import calibration, runs
from app.audits.calibration import Point, Suggestion
from app.audits.strata import STEPS, Strata, next_layer, stratify
from app.audits.verification import threshold_of
from app.catalog import audits, labels, thresholds
from app.catalog.audit_models import Audit
from app.catalog.labels import Labelled
from app.catalog.states import AuditStatus
from app.errors import InvalidInput, NotFound
from app.library import PictureFacts
from app.resources import Resources

ASKED = 60  # a few minutes' work; whoever wants to be surer goes on
AT_HAND = 200  # pairs kept in memory of each layer, far more than anybody labels
FRAMES = 8  # audits whose pairs are kept at hand


@dataclass(frozen=True)
class PairToLabel:
    """Two pictures, without the check's word: it would be repeated."""

    first: PictureFacts
    second: PictureFacts
    number: int  # of this question, from 1 on
    of: int
    weight: float  # how many pairs of the collection it stands for


@dataclass(frozen=True)
class Evidence:
    """What the labels of an audit say."""

    curve: tuple[Point, ...]  # ascending scores
    labels: int
    copies: int  # labels that say so
    pairs: int  # that there are to ask about
    threshold: float  # now in use
    target: float | None  # the precision it was set for; None: nobody set one

    @property
    def present(self) -> Point | None:
        """What the threshold in use is worth; None above all labels."""
        return next((point for point in self.curve if point.score >= _on_step(self.threshold)), None)

    def suggested(self, target: float) -> Suggestion:
        return calibration.suggest(self.curve, target)


@dataclass(frozen=True, eq=False)
class Frame:
    """The pairs of one audit that may be asked about."""

    strata: Strata
    drawn: tuple[Sequence[tuple[int, int]], ...]  # of each layer, in the order in which they are asked about


_frames: OrderedDict[tuple, Frame] = OrderedDict()


def is_ready(resources: Resources, audit_id: int) -> bool:
    """Whether all its pairs are checked, so that some can be drawn from them."""
    with resources.catalog.read() as session:
        return audits.get(session, audit_id).status is AuditStatus.DONE


def count(resources: Resources, audit_id: int) -> int:
    """How many labels are on pairs of this audit."""
    with resources.catalog.read() as session:
        return len(labels.of_audit(session, audits.get(session, audit_id)))


def next_pair(resources: Resources, audit_id: int) -> PairToLabel | None:
    """The pair to ask about next, the same until it is answered; None when all are, or there are none.

    Raises InvalidInput while the audit runs: what is not checked yet could not be asked about.
    """
    with resources.catalog.read() as session:
        audit = _checked(session, audit_id)
        frame, known = _frame(resources, session, audit), labels.of_audit(session, audit)
        threshold = threshold_of(session, audit)
    asked = {(label.first_id, label.second_id) for label in known}
    layer, key = _choice(frame, known, asked, threshold)
    if key is None:
        return None
    weight = _weight(frame.strata, known, layer)
    pictures = (library.picture(resources, image_id) for image_id in key)
    return PairToLabel(*pictures, len(known) + 1, min(max(ASKED, len(known) + 1), frame.strata.pairs), weight)


def label(resources: Resources, audit_id: int, first_id: int, second_id: int, copies: bool) -> None:
    """Keep what a person said of this pair. Undone by `undo`. Raises NotFound for a pair that the audit has not."""
    with resources.catalog.read() as session:
        audit = _checked(session, audit_id)
        frame, known = _frame(resources, session, audit), labels.of_audit(session, audit)
    with resources.catalog.begin() as session:
        pair = labels.find_pair(session, audit_id, first_id, second_id)
        if pair is None:
            raise NotFound(f"audit {audit_id} has no pair {first_id}, {second_id} to label: take the one it asks about")
        weight = _weight(frame.strata, known, int(frame.strata.layers(np.array(pair.score))))
        labels.put(session, audits.get(session, audit_id), pair, copies, weight)


def undo(resources: Resources, audit_id: int) -> tuple[int, int] | None:
    """Forget the last answer, so that its pair is asked about again; that pair, None where there was no answer."""
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        known = labels.of_audit(session, audit)
        if not known:
            return None
        last = known[-1]
        labels.remove(session, audit, labels.find_pair(session, audit_id, last.first_id, last.second_id))
    return last.first_id, last.second_id


def evidence(resources: Resources, audit_id: int) -> Evidence:
    """Precision and recall at every threshold, from the labels so far. Raises InvalidInput while the audit runs."""
    with resources.catalog.read() as session:
        audit = _checked(session, audit_id)
        frame, known = _frame(resources, session, audit), labels.of_audit(session, audit)
        threshold, row = threshold_of(session, audit), thresholds.row(session, audit.collection_id, audit.model_key_id)
    scores, copies = np.array([label.score for label in known]), np.array([label.copies for label in known], bool)
    points = calibration.curve(frame.strata, scores, copies, threshold)
    target = row and row.target_precision
    return Evidence(points, len(known), int(copies.sum()), frame.strata.pairs, threshold, target)


def set_threshold(resources: Resources, audit_id: int, target_precision: float) -> Suggestion:
    """Use the lowest threshold that surely has this precision, in all audits of the collection and its model.

    What that changes is in the pairs when this returns, and in the groups when a worker has run the audits, which it is
    asked to. Raises InvalidInput where the labels are too few to be sure, or an audit runs.
    """
    if not 0.5 <= target_precision < 1:
        raise InvalidInput(f"a precision of {target_precision} can't be aimed at: give one from 0.5 to below 1")
    known = evidence(resources, audit_id)
    found = known.suggested(target_precision)
    if found.point is None:
        raise InvalidInput(f"{found.reason}: label more pairs, or aim lower")
    told = asdict(found.point) | {"labels_in_all": known.labels, "pairs": known.pairs}
    with resources.catalog.begin() as session:
        labels.set_threshold(session, audits.get(session, audit_id), found.point.score, target_precision, told)
        concerned = _retier(session, audit_id, found.point.score)
    _run_again(resources, concerned)
    return found


def clear_threshold(resources: Resources, audit_id: int) -> None:
    """Go back to the threshold that the check comes with. Labels stay. Raises InvalidInput while an audit runs."""
    with resources.catalog.begin() as session:
        labels.clear_threshold(session, audits.get(session, audit_id))
        concerned = _retier(session, audit_id, DEFAULT_THRESHOLD)
    _run_again(resources, concerned)


def _retier(session: Session, audit_id: int, threshold: float) -> list[int]:
    """The audits that this concerns; nothing is written where one of them runs."""
    concerned = labels.audits_with(session, audits.get(session, audit_id))
    for each in concerned:
        _refuse_running(each)
        labels.retier(session, each.id, threshold, SCENE_SCORE)
    return [each.id for each in concerned]


def _run_again(resources: Resources, audit_ids: Sequence[int]) -> None:
    """Groups follow from pairs; what changed sides and has no name yet is looked at."""
    for audit_id in audit_ids:
        runs.ask_for(resources, audit_id)


def _refuse_running(audit: Audit) -> None:
    if audit.status is AuditStatus.RUNNING:
        raise InvalidInput(f"audit {audit.id} of this collection runs: set the threshold when it is done")


def _checked(session: Session, audit_id: int) -> Audit:
    audit = audits.get(session, audit_id)
    if audit.status is not AuditStatus.DONE:
        raise InvalidInput(f"audit {audit_id} is {audit.status}: pairs can be labelled when it is done")
    return audit


def _choice(
    frame: Frame, known: Sequence[Labelled], asked: set[tuple[int, int]], threshold: float
) -> tuple[int, tuple[int, int] | None]:
    """A layer, and the first pair of it that nobody was asked about."""
    count, copies = _answers(frame.strata, known)
    while (layer := next_layer(frame.strata, count, copies, threshold)) is not None:
        key = next((pair for pair in frame.drawn[layer] if pair not in asked), None)
        if key is not None:
            return layer, key
        count[layer] = frame.strata.sizes[layer]  # what is left of it can't be shown
    return 0, None


def _answers(strata: Strata, known: Sequence[Labelled]) -> tuple[np.ndarray, np.ndarray]:
    """How many answers each layer has, and how many said "copies"."""
    layers = strata.layers(np.array([label.score for label in known]))
    copies = np.array([label.copies for label in known], float)
    size = len(strata.sizes)
    return np.bincount(layers, minlength=size), np.bincount(layers, weights=copies, minlength=size)


def _weight(strata: Strata, known: Sequence[Labelled], layer: int) -> float:
    """With one more answer in its layer."""
    return float(strata.sizes[layer] / (_answers(strata, known)[0][layer] + 1))


def _frame(resources: Resources, session: Session, audit: Audit) -> Frame:
    """Read once for each state of the audit: it takes a look at every pair."""
    key = (str(resources.catalog.url), audit.id, audit.fence, audit.done_at, audit.pairs_checked)
    if key not in _frames:
        _frames[key] = _read_frame(session, audit.id)
        while len(_frames) > FRAMES:
            _frames.popitem(last=False)
    return _frames[key]


def _read_frame(session: Session, audit_id: int) -> Frame:
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


def _on_step(score: float) -> float:
    return np.floor(score * STEPS + 1e-9) / STEPS
