"""An audit from its opening to its groups. It may be stopped anywhere, and goes on where it was."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.alignment import METHOD
from app.audits import candidates, looking, verification
from app.audits.gaze import Gaze
from app.audits.lease import AuditLost, AuditPaused, Hold, held
from app.audits.regrouping import regroup
from app.audits.rules import DEFAULT, Rules
from app.catalog import audits, collections, images, pairs
from app.catalog.audit_models import Audit
from app.catalog.models import Collection
from app.catalog.states import AuditStage, AuditStatus
from app.errors import AppError, InvalidInput
from app.jobs import Job, enqueue
from app.resources import Resources
from app.search.refresh import Readers
from app.vision.decoder import Decoder


@dataclass(frozen=True)
class AuditFacts:
    """An audit as it is at this moment."""

    id: int
    collection: str
    against: str | None
    model: str
    status: AuditStatus
    stage: AuditStage | None
    done: int  # of `total`, within the stage
    total: int
    images: int
    pairs_checked: int
    reclaimable_bytes: int
    seconds: float
    reason: str | None  # why it could not go on
    rules: Rules
    created_at: float  # seconds since 1970 UTC
    done_at: float | None


def open_audit(resources: Resources, name: str, against: str | None = None, rules: Rules | None = None) -> int:
    """The id of the audit of this collection, alone or against another, made when there is none.

    Raises NotFound; InvalidInput where the two have different models, whose vectors never meet.
    """
    with resources.catalog.begin() as session:
        own = collections.get(session, name)
        other = None if against is None else _other(session, own, against)
        audit = audits.find(session, own.id, other and other.id, own.model_key_id) or _new(session, own, other)
        if rules is not None:
            audit.rules = rules.stored()
        session.flush()
        return audit.id


def ask_for(resources: Resources, audit_id: int) -> None:
    """Have a worker run it, or go on with it."""
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        if audit.status is not AuditStatus.RUNNING:
            audit.status, audit.reason = AuditStatus.WAITING, None
    enqueue(resources.settings, Job.RUN_AUDIT, audit_id=audit_id)


def facts(resources: Resources, audit_id: int) -> AuditFacts:
    with resources.catalog.read() as session:
        return _facts(session, audits.get(session, audit_id))


def all_facts(resources: Resources) -> list[AuditFacts]:
    """The latest first."""
    with resources.catalog.read() as session:
        return [_facts(session, audit) for audit in audits.all_live(session)]


def waiting(resources: Resources) -> list[int]:
    """Ids of audits that a worker should take up."""
    with resources.catalog.read() as session:
        return audits.waiting(session)


def run(
    resources: Resources,
    audit_id: int,
    decoder: Decoder,
    readers: Readers,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Examine what is new since the last run; whether it came to its end.

    Raises AlreadyExists while another process is at it, and whatever it could not get over, which the row tells too.
    """
    with held(resources, audit_id, should_stop) as hold:
        try:
            _run(hold, decoder, readers)
        except AuditPaused:
            _end(hold, AuditStatus.WAITING)
            return False
        except AuditLost:
            raise
        except BaseException as trouble:
            _end(hold, AuditStatus.FAILED, reason=str(trouble) if isinstance(trouble, AppError) else repr(trouble))
            raise
        return True


def _run(hold: Hold, decoder: Decoder, readers: Readers) -> None:
    started = time.monotonic()
    audit = _begin(hold)
    gaze = Gaze(hold.resources, decoder)
    looking.look(
        hold, gaze, [collection_id for collection_id in (audit.collection_id, audit.against_id) if collection_id]
    )
    candidates.join(hold, readers)
    verification.verify(hold, gaze, audit)
    _finish(hold, started)


def _begin(hold: Hold) -> Audit:
    """Another method looks at all again."""
    with hold.resources.catalog.begin() as session:
        audit = audits.get(session, hold.audit_id)
        if audit.method != METHOD:
            pairs.forget_checks(session, audit.id)
            hold.write(session, method=METHOD, seq=0, against_seq=0, blocks=0)
    with hold.resources.catalog.read() as session:
        return audits.get(session, hold.audit_id)


def _finish(hold: Hold, started: float) -> None:
    with hold.resources.catalog.begin() as session:
        hold.write(session, stage=AuditStage.GROUP, done=0, total=1)
        audit = audits.get(session, hold.audit_id)
        session.refresh(audit)
        regroup(session, audit)
        session.flush()
        examined = {"seq": audit.until_seq, "against_seq": audit.against_until_seq, "blocks": 0}
        counts = {"images": _count(session, audit), "pairs_checked": audits.count_checked(session, audit.id)}
        over = {"stage": None, "done": 0, "total": 0, "done_at": time.time()}
        values = examined | counts | over | {"seconds": time.monotonic() - started}
        if not audits.end(session, audit.id, hold.fence, AuditStatus.DONE, **values):
            raise AuditLost(f"audit {audit.id} was taken over by another process: it goes on there")


def _count(session: Session, audit: Audit) -> int:
    ids = [collection_id for collection_id in (audit.collection_id, audit.against_id) if collection_id]
    return sum(images.count_visible(session, collection_id) for collection_id in ids)


def _end(hold: Hold, status: AuditStatus, **values) -> None:
    with hold.resources.catalog.begin() as session:
        audits.end(session, hold.audit_id, hold.fence, status, **values)


def _other(session: Session, own: Collection, against: str) -> Collection:
    other = collections.get(session, against)
    if other.id == own.id:
        raise InvalidInput(f"{against!r} can't be compared against itself: leave --against out")
    if other.model_key_id != own.model_key_id:
        raise InvalidInput(
            f"{own.name!r} and {against!r} have different models, whose vectors can't be compared: "
            f"give one the other's with `dinoseek collections switch`"
        )
    return other


def _new(session: Session, own: Collection, other: Collection | None) -> Audit:
    audit = Audit(
        collection_id=own.id,
        against_id=other and other.id,
        model_key_id=own.model_key_id,
        cosine=candidates.default_cosine(collections.model_of(session, own).model),
        method=METHOD,
        rules=DEFAULT.stored(),
    )
    session.add(audit)
    return audit


def _facts(session: Session, audit: Audit) -> AuditFacts:
    names = ("id", "status", "stage", "done", "total", "images", "pairs_checked", "reclaimable_bytes", "seconds")
    own, other = (_name(session, collection_id) for collection_id in (audit.collection_id, audit.against_id))
    return AuditFacts(
        **{name: getattr(audit, name) for name in (*names, "reason", "created_at", "done_at")},
        collection=own,
        against=other,
        model=collections.get_model(session, audit.model_key_id).model,
        rules=Rules.of(audit.rules),
    )


def _name(session: Session, collection_id: int | None) -> str | None:
    return None if collection_id is None else collections.get_by_id(session, collection_id).name


def ids_of(resources: Resources, name: str) -> Sequence[int]:
    """Of audits of this collection, the latest first."""
    with resources.catalog.read() as session:
        return [audit.id for audit in audits.of_collection(session, collections.get(session, name).id)]
