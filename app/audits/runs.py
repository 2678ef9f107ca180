"""An audit from its opening to its groups. It may be stopped anywhere, and goes on where it was."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.alignment import METHOD
from app.audits.finding import candidates, inodes, looking, verification
from app.audits.finding.gaze import Gaze
from app.audits.finding.lease import AuditLost, AuditPaused, Hold, held
from app.audits.finding.scope import Scopes
from app.audits.grouping.regrouping import regroup_all
from app.audits.grouping.rules import Rules, default
from app.catalog import audits, collections, groups, images, looks, pairs
from app.catalog.audit_models import Audit
from app.catalog.clock import db_now
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
    _await(resources, audit_id)
    enqueue(resources.settings, Job.RUN_AUDIT, audit_id=audit_id)


def facts(resources: Resources, audit_id: int) -> AuditFacts:
    with resources.catalog.read() as session:
        return _facts(session, audits.get(session, audit_id))


def all_facts(resources: Resources) -> list[AuditFacts]:
    """The latest first."""
    with resources.catalog.read() as session:
        return [_facts(session, audit) for audit in audits.all_of(session)]


def waiting(resources: Resources) -> Sequence[int]:
    """Ids of audits that a worker should take up: asked for, or of a process that died."""
    with resources.catalog.read() as session:
        held_here = audits.held_by_dead(session)
    if held_here:
        with resources.catalog.begin() as session:
            audits.end_leases(session, held_here)
    with resources.catalog.read() as session:
        return audits.waiting(session)


def run_now(resources: Resources, audit_id: int, decoder: Decoder, readers: Readers) -> bool:
    """As `run`, whether or not somebody asked for it."""
    _await(resources, audit_id)
    return run(resources, audit_id, decoder, readers)


def run(
    resources: Resources,
    audit_id: int,
    decoder: Decoder,
    readers: Readers,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Examine what is new since the last run; whether it came to its end.

    Raises AlreadyExists while another process is at it or nobody asked, and whatever it could not get over, which the
    row tells too.
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
            _end(hold, AuditStatus.FAILED, reason=_why(trouble))
            raise
        return True


def _why(trouble: BaseException) -> str:
    if isinstance(trouble, KeyboardInterrupt | SystemExit):
        return "it was stopped"
    return str(trouble) if isinstance(trouble, AppError) else repr(trouble)


def _await(resources: Resources, audit_id: int) -> None:
    with resources.catalog.begin() as session:
        audit = audits.get(session, audit_id)
        if audit.status is not AuditStatus.RUNNING:
            audit.status, audit.reason = AuditStatus.WAITING, None


def _run(hold: Hold, decoder: Decoder, readers: Readers) -> None:
    started, gaze = time.monotonic(), Gaze(hold.resources, decoder)
    within = _begin(hold)
    looking.look(hold, gaze, within)
    inodes.look(hold, within)
    candidates.join(hold, readers, within)
    verification.verify(hold, gaze)
    _group(hold)
    _finish(hold, within, time.monotonic() - started)


def _begin(hold: Hold) -> Scopes:
    """Another method looks at all again."""
    with hold.resources.catalog.begin() as session:
        audit = audits.get(session, hold.audit_id)
        if audit.method != METHOD:
            hold.write(session, method=METHOD, seq=0, against_seq=0, mark=None)
            pairs.forget_checks(session, audit.id)
    with hold.resources.catalog.read() as session:
        within = Scopes.of(session, audits.get(session, hold.audit_id))
        count = _count(session, within)
    with hold.resources.catalog.begin() as session:
        hold.write(session, images=count)
    return within


def _group(hold: Hold) -> None:
    def advance(done: int, total: int) -> None:
        with hold.resources.catalog.begin() as session:
            hold.write(session, stage=AuditStage.GROUP, done=done, total=total)

    if not regroup_all(hold.resources, hold.tenure, advance):
        raise AuditLost(f"audit {hold.audit_id} was taken over by another process: it goes on there")


def _finish(hold: Hold, within: Scopes, seconds: float) -> None:
    """What came since the run began is for the next one."""
    with hold.resources.catalog.begin() as session:
        late = looks.seen_late(session, hold.audit_id, METHOD)
        checked = sum(number for tier, number in pairs.counts(session, hold.audit_id).items() if tier is not None)
        _, reclaimable = groups.totals(session, hold.audit_id)
        counts = {"images": _count(session, within), "pairs_checked": checked, "reclaimable_bytes": reclaimable}
        examined = {"seq": within.own.until_seq, "against_seq": within.until["against_until_seq"], "mark": None}
        over = {"stage": None, "done": 0, "total": 0, "done_at": db_now(), "seconds": seconds}
        hold.write(session, status=AuditStatus.DONE, **audits.FREE, **examined, **counts, **over)
        looks.forget_unseen(session, hold.audit_id, late)


def _count(session: Session, within: Scopes) -> int:
    return sum(images.count_visible(session, scope.collection_id) for scope in within.both)


def _end(hold: Hold, status: AuditStatus, **values) -> None:
    with hold.resources.catalog.begin() as session:
        audits.write(session, hold.tenure, status=status, **audits.FREE, **values)


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
        rules=default().stored(),
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
        own = collections.get(session, name)
        return [audit.id for audit in audits.all_of(session) if audit.collection_id == own.id]
