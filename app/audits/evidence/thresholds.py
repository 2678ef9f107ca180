"""What labels say of thresholds, and the one that is used: set from them, for a collection and its model."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import floor

import numpy as np
from sqlalchemy.orm import Session

from app.alignment import METHOD
from app.audits import runs
from app.audits.evidence import calibration
from app.audits.evidence.calibration import Point, Suggestion
from app.audits.evidence.labels import checked
from app.audits.evidence.sampling import frames
from app.audits.evidence.strata import STEPS
from app.audits.finding.verification import threshold_of
from app.catalog import audits, collections, labels, thresholds
from app.catalog.audit_models import Audit
from app.catalog.states import AuditStatus
from app.errors import InvalidInput
from app.resources import Resources


@dataclass(frozen=True)
class Evidence:
    """What the labels of an audit say."""

    curve: tuple[Point, ...]  # ascending scores
    labels: int  # answers that could tell
    copies: int  # of these, those that say so
    unsure: int  # answers that could not tell, left out of the curve
    pairs: int  # that there are to ask about
    threshold: float  # now in use
    target: float | None  # the precision it was set for; None: nobody set one

    @property
    def present(self) -> Point | None:
        """What the threshold in use is worth; None above all labels."""
        return self.at(self.threshold)

    def at(self, score: float) -> Point | None:
        """What a threshold is worth; None above all labels."""
        return next((point for point in self.curve if point.score >= _on_step(score)), None)

    def suggested(self, target: float) -> Suggestion:
        return calibration.suggest(self.curve, target)


@dataclass(frozen=True)
class InUse:
    """The threshold of an audit's collection and model."""

    collection: str
    score: float
    target: float | None  # the precision it was set for; None: it is the check's own


def in_use(resources: Resources, audit_id: int) -> InUse:
    with resources.catalog.read() as session:
        audit = audits.get(session, audit_id)
        row, name = thresholds.find(session, audit, METHOD), collections.get_by_id(session, audit.collection_id).name
        return InUse(name, threshold_of(session, audit), row and row.target_precision)


def evidence(resources: Resources, audit_id: int) -> Evidence:
    """Precision and recall at every threshold, from the labels so far. Raises InvalidInput while the audit runs."""
    with resources.catalog.read() as session:
        audit = checked(session, audit_id)
        frame, known = frames.of(resources, session, audit), labels.of_audit(session, audit)
        threshold, row = threshold_of(session, audit), thresholds.find(session, audit, METHOD)
    sure = [label for label in known if label.copies is not None]
    scores, copies = np.array([label.score for label in sure]), np.array([label.copies for label in sure], bool)
    return Evidence(
        curve=calibration.curve(frame.strata, scores, copies, threshold),
        labels=len(sure),
        copies=int(copies.sum()),
        unsure=len(known) - len(sure),
        pairs=frame.strata.pairs,
        threshold=threshold,
        target=None if row is None else row.target_precision,
    )


def choose(resources: Resources, audit_id: int, target_precision: float) -> Suggestion:
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
    told = asdict(found.point) | {"labels_in_all": known.labels, "unsure": known.unsure, "pairs": known.pairs}
    with resources.catalog.begin() as session:
        thresholds.put(session, audits.get(session, audit_id), METHOD, found.point.score, target_precision, told)
        concerned = _retier(session, audit_id)
    _run_again(resources, concerned)
    return found


def clear(resources: Resources, audit_id: int) -> None:
    """Go back to the threshold that the check comes with. Labels stay. Raises InvalidInput while an audit runs."""
    with resources.catalog.begin() as session:
        thresholds.remove(session, audits.get(session, audit_id))
        concerned = _retier(session, audit_id)
    _run_again(resources, concerned)


def _retier(session: Session, audit_id: int) -> list[int]:
    """The audits that this concerns; nothing is written where one of them runs."""
    concerned = thresholds.audits_with(session, audits.get(session, audit_id))
    for each in concerned:
        _refuse_running(each)
        thresholds.retier(session, each.id, threshold_of(session, each))
    return [each.id for each in concerned]


def _run_again(resources: Resources, audit_ids: Sequence[int]) -> None:
    """Groups follow from pairs; what changed sides and has no name yet is looked at."""
    for audit_id in audit_ids:
        runs.ask_for(resources, audit_id)


def _refuse_running(audit: Audit) -> None:
    if audit.status is AuditStatus.RUNNING:
        raise InvalidInput(f"audit {audit.id} of this collection runs: set the threshold when it is done")


def _on_step(score: float) -> float:
    return floor(score * STEPS + 1e-9) / STEPS
