"""Questions about pairs where the threshold is in doubt, and a person's answers."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import library
from app.alignment import METHOD
from app.audits.evidence.sampling import frames
from app.audits.finding.verification import threshold_of
from app.catalog import audits, labels
from app.catalog.audit_models import Audit
from app.catalog.states import AuditStatus
from app.errors import InvalidInput, NotFound
from app.library import PictureFacts
from app.resources import Resources

ASKED = 60  # a few minutes' work


@dataclass(frozen=True)
class PairToLabel:
    """Two pictures, without the check's word: it would be repeated."""

    first: PictureFacts
    second: PictureFacts
    number: int  # of this question, from 1 on
    of: int  # questions that do; whoever wants to be surer goes on
    weight: float  # how many pairs of the collection it stands for


def obstacle(resources: Resources, audit_id: int) -> str | None:
    """Why no pair of this audit can be asked about now, as a sentence; None: they can."""
    with resources.catalog.read() as session:
        return _obstacle(audits.get(session, audit_id))


def count(resources: Resources, audit_id: int) -> int:
    """How many pairs of this audit somebody answered about, "I can't tell" among them."""
    with resources.catalog.read() as session:
        return len(labels.of_audit(session, audits.get(session, audit_id)))


def next_pair(resources: Resources, audit_id: int) -> PairToLabel | None:
    """The pair to ask about next, the same until it is answered; None when all are, or there are none.

    Raises InvalidInput while the audit runs: what is not checked yet could not be asked about.
    """
    with resources.catalog.read() as session:
        audit = checked(session, audit_id)
        frame, known = frames.of(resources, session, audit), labels.of_audit(session, audit)
        threshold = threshold_of(session, audit)
    chosen = frame.choice(known, threshold)
    if chosen is None:
        return None
    pair, weight = chosen
    pictures = (library.picture(resources, image_id) for image_id in pair)
    return PairToLabel(*pictures, len(known) + 1, min(ASKED, frame.strata.pairs), weight)


def label(resources: Resources, audit_id: int, first_id: int, second_id: int, copies: bool | None) -> None:
    """Keep what a person said of this pair; None: they can't tell, and are not asked again. Undone by `undo`.

    Raises NotFound for a pair that the audit has not, InvalidInput while it runs.
    """
    with resources.catalog.read() as session:
        audit = checked(session, audit_id)
        frame, known = frames.of(resources, session, audit), labels.of_audit(session, audit)
    with resources.catalog.begin() as session:
        pair = labels.find_pair(session, audit_id, first_id, second_id)
        if pair is None:
            raise NotFound(f"audit {audit_id} has no pair {first_id}, {second_id} to label: take the one it asks about")
        labels.say(session, audits.get(session, audit_id), pair, copies, frame.weight(known, pair.score))


def undo(resources: Resources, audit_id: int) -> tuple[int, int] | None:
    """Forget the last answer, so that its pair is asked about again; that pair, None where there was no answer."""
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        known = labels.of_audit(session, audit)
        if not known:
            return None
        last = known[-1]
        labels.forget(session, audit, labels.find_pair(session, audit_id, last.first_id, last.second_id))
    return last.first_id, last.second_id


def checked(session: Session, audit_id: int) -> Audit:
    """An audit whose pairs have their scores. Raises NotFound, InvalidInput."""
    audit = audits.get(session, audit_id)
    if (why := _obstacle(audit)) is not None:
        raise InvalidInput(why)
    return audit


def _obstacle(audit: Audit) -> str | None:
    if audit.status is not AuditStatus.DONE:
        return f"audit {audit.id} is {audit.status}: pairs can be labelled when it is done"
    if audit.method != METHOD:
        return f"audit {audit.id} was checked by {audit.method}, which is replaced by {METHOD}: run it again first"
    return None
