"""Claimed pictures become vectors: what decoding made of them, the network, one transaction."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import changes, claims, collections, embeddings, images, regions, workers
from app.catalog.backlogs import Backlog
from app.catalog.claims import Claim
from app.catalog.clock import db_now
from app.catalog.models import Image, ModelKey, Reembedding
from app.errors import BadVector, ServiceUnavailable, UnreadableImage
from app.faults import Point, reach
from app.ingest.network import Answer, ask, keep_patches
from app.ingest.workshop import Workshop
from app.vision.answers import Prepared
from app.vision.encoder import Encoder
from app.whereabouts import Source

# A decode child that died or hung may have been unlucky: those pictures are tried again.
TRY_AGAIN = {"decoder_crashed", "decoder_timeout", "unreachable"}
ABSENT = {"vanished", "unreadable", "unreachable"}  # the fault of a disk or a server that is away, if one is
CHANGED = ("changed", "the file is not what it was when it was listed: ingest its folder again")
ELSEWHERE = ("away", "the file is not on this host: it waits for the host that has it, or for its disk")
LATE_S = 0.3  # a picture that decodes for so long when all others are done: large, or one that hangs
UNREACHED, UNREACHED_S = "store_unreached", 10.0  # then it is tried again
VANISHED = ("vanished", "the file is not at its path any more: put it back and retry, or ingest its new place")


@dataclass(frozen=True)
class Order:
    """Images of one backlog wait for embeddings of this key."""

    collection_id: int
    backlog: Backlog
    key: ModelKey
    renews: bool = False  # they have them: only what was lost is stored

    def is_like(self, other: "Order") -> bool:
        return (self.backlog, self.key.id) == (other.backlog, other.key.id)


@dataclass
class Batch:
    """Claimed images on their way through the decoder."""

    order: Order
    encoder: Encoder
    claimed: list[Claim]
    sources: dict[int, Source] = field(default_factory=dict)
    decoding: dict[int, Future] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)  # ids of images that an earlier batch waited for long enough

    @property
    def is_suspect(self) -> bool:
        return any(claim.suspect for claim in self.claimed)

    def hand_on_late(self, ahead: "Batch | None") -> "Batch":
        """Pictures that decode long after the others, with the batch ahead or as one of their own: a hang stops none.

        The batch they are in now.
        """
        takes = ahead is not None and not ahead.is_suspect and self.order.is_like(ahead.order)
        other = ahead if takes else Batch(self.order, self.encoder, [])
        other.late = self._find_late()
        other.claimed += [claim for claim in self.claimed if claim.image_id in other.late]
        self.claimed = [claim for claim in self.claimed if claim.image_id not in other.late]
        for image_id in other.late:
            other.sources[image_id] = self.sources.pop(image_id)
            other.decoding[image_id] = self.decoding.pop(image_id)
        return other

    def _find_late(self) -> set[int]:
        """Ids of images that decode still when others are done and none followed for a while. It waits for those."""
        pending = {future for image_id, future in self.decoding.items() if image_id not in self.late}
        while pending:
            done, pending = wait(pending, LATE_S, FIRST_COMPLETED)
            begun = len(pending) < len(self.decoding)  # else the decoders only start
            if not done and begun and all(future.running() for future in pending):
                break
        return {image_id for image_id, future in self.decoding.items() if future in pending or self._is_late(image_id)}

    def _is_late(self, image_id: int) -> bool:
        return image_id in self.late and not self.decoding[image_id].done()


@dataclass
class Outcome:
    """What became of a batch: prepared pictures, refusals, and those that no fault of theirs keeps waiting."""

    prepared: list[tuple[Claim, Prepared]] = field(default_factory=list)
    refused: list[tuple[Claim, str, str]] = field(default_factory=list)  # claim, code, reason
    waiting: list[tuple[Claim, str]] = field(default_factory=list)  # for a source that is away: claim, reason
    elsewhere: list[Claim] = field(default_factory=list)  # maybe on another host's disks
    unreached: list[Claim] = field(default_factory=list)  # in a store that can't be used now
    trouble: ServiceUnavailable | None = None  # why


def finish(workshop: Workshop, batch: Batch) -> None:
    """What was decoded goes through the network and into the catalogue, as far as the claims are still ours.

    Raises ServiceUnavailable when the store can't be used: what it keeps from us waits, and no attempt is counted.
    """
    outcome = Outcome()
    for claim in batch.claimed:
        _collect(batch, claim, outcome)
    _let_wait(workshop, batch, outcome)
    workshop.pace.lap("decode")
    reach(Point.AFTER_DECODE)
    answers = _ask(workshop, batch, outcome)
    reach(Point.AFTER_EMBED)
    keep_patches(workshop, batch.order.key, [made.digest for _, made in outcome.prepared], answers)
    reach(Point.AFTER_DETAILS)
    workshop.resources.storage.keep_thumbnails({made.digest: made.thumbnail for _, made in outcome.prepared})
    workshop.pace.lap("thumbnails")
    reach(Point.AFTER_THUMBNAIL)
    _store(workshop, batch, outcome, answers)
    workshop.pace.lap("store")  # the commit; it counts with the next batch
    reach(Point.AFTER_COMMIT)
    if outcome.trouble and not outcome.prepared:
        raise outcome.trouble  # the next batch would fare no better: a pause, and people are told


def _collect(batch: Batch, claim: Claim, outcome: Outcome) -> None:
    """Wait for one picture's decoding and sort it."""
    future = batch.decoding.get(claim.image_id)
    if future is None:
        outcome.refused.append((claim, *VANISHED))
        return
    try:
        prepared = future.result()
    except UnreadableImage as refusal:
        outcome.refused.append((claim, refusal.code, str(refusal)))
        return
    except ServiceUnavailable as trouble:
        outcome.trouble = trouble
        outcome.unreached.append(claim)
        return
    if prepared.digest != claim.digest:
        outcome.refused.append((claim, *CHANGED))
        return
    outcome.prepared.append((claim, prepared))


def _let_wait(workshop: Workshop, batch: Batch, outcome: Outcome) -> None:
    """What is missing below a source that is away is no picture's fault: it is not refused."""
    absent = [claim.image_id for claim, code, _ in outcome.refused if code in ABSENT]
    away = workshop.absences.reasons(batch.order.collection_id, absent)
    outcome.waiting = [(claim, away[claim.image_id]) for claim, _, _ in outcome.refused if claim.image_id in away]
    rest = [refused for refused in outcome.refused if refused[0].image_id not in away]
    outcome.elsewhere = [
        claim for claim, code, _ in rest if code == VANISHED[0] and _may_be_elsewhere(workshop, batch, claim)
    ]
    outcome.refused = [refused for refused in rest if refused[0] not in outcome.elsewhere]


def _may_be_elsewhere(workshop: Workshop, batch: Batch, claim: Claim) -> bool:
    """Gone for good is what this host alone had; where hosts have disks of their own, another one may have it."""
    source = batch.sources[claim.image_id]
    return workshop.resources.storage.store is not None and (source.stored or not source.seen_here)


def _ask(workshop: Workshop, batch: Batch, outcome: Outcome) -> list[Answer]:
    """What the network says of each prepared picture. One whose vector is no vector is refused alone."""
    ask_of = partial(ask, workshop, batch.order.key, batch.encoder)
    try:
        return ask_of([prepared.pixels for _, prepared in outcome.prepared])
    except BadVector:
        return _ask_one_by_one(ask_of, outcome)


def _ask_one_by_one(ask_of: Callable[[list[np.ndarray]], list[Answer]], outcome: Outcome) -> list[Answer]:
    kept, answers = [], []
    for claim, prepared in outcome.prepared:
        try:
            answers += ask_of([prepared.pixels])
            kept.append((claim, prepared))
        except BadVector as refusal:
            outcome.refused.append((claim, "bad_vector", str(refusal)))
    outcome.prepared = kept
    return answers


def _store(workshop: Workshop, batch: Batch, outcome: Outcome, answers: list[Answer]) -> None:
    """One transaction: embeddings of the claims that are still ours, facts, refusals, and the worker's tally."""
    with workshop.resources.catalog.begin() as session:
        collections.lock(session, batch.order.collection_id)  # before any image, as all do: else two may lock up
        if _is_outdated(session, batch.order):
            return claims.undo(session, batch.claimed)
        _store_answers(session, batch.order, outcome, answers)
        for claim, code, reason in outcome.refused:
            _refuse(session, claim, code, reason, workshop.resources.settings.max_attempts)
        _put_back(session, outcome, workshop.resources.settings.away_retry_s)
        collections.note_work(session, batch.order.collection_id)
        workshop.pace.lap("store")
        workers.beat(session, workshop.name, batch_at=db_now(), **workshop.pace.batch(len(batch.claimed)))
        reach(Point.BEFORE_COMMIT)
    return None


def _is_outdated(session: Session, order: Order) -> bool:
    """The collection was switched to another model while these pictures were looked at with the old one."""
    return order.backlog is Image and not collections.answers_with(session, order.collection_id, order.key.id)


def _store_answers(session: Session, order: Order, outcome: Outcome, answers: list[Answer]) -> None:
    ours = claims.settle(session, [claim for claim, _ in outcome.prepared])
    pairs = zip(outcome.prepared, answers, strict=True)
    told = {claim.image_id: answer for (claim, _), answer in pairs if claim.image_id in ours}
    _store_vectors(session, order, told)
    images.record_facts(session, [_facts(*pair) for pair in outcome.prepared if pair[0].image_id in ours])
    _note_change(session, order, list(told))


def _store_vectors(session: Session, order: Order, told: dict[int, Answer]) -> None:
    """By image id."""
    if not told:
        return None
    place = (session, order.collection_id, order.key.id)
    parts = {image_id: answer.parts for image_id, answer in told.items() if answer.parts}
    if order.renews:
        return regions.renew(*place, parts)
    seq = embeddings.add(*place, list(told), np.stack([answer.vector for answer in told.values()]))
    return regions.add(*place, seq, parts)


def _put_back(session: Session, outcome: Outcome, away_s: float) -> None:
    for claim, reason in outcome.waiting:
        claims.put_back(session, claim, "away", reason, away_s)
    for claim in outcome.elsewhere:
        claims.wait_for_host(session, claim, *ELSEWHERE, away_s)
    for claim in outcome.unreached:
        claims.put_back(session, claim, UNREACHED, str(outcome.trouble), UNREACHED_S)


def _note_change(session: Session, order: Order, image_ids: list[int]) -> None:
    """What is new has to be embedded under the key of a change as well; what was embedded for it is done."""
    change = changes.find(session, order.collection_id)
    if order.backlog is Reembedding:
        changes.strike_off(session, order.key.id, image_ids)
    elif change is not None:
        changes.top_up(session, change, image_ids)


def _refuse(session: Session, claim: Claim, code: str, reason: str, max_attempts: int) -> None:
    if code in TRY_AGAIN:
        claims.retry_later(session, claim, code, reason, max_attempts)
    else:
        claims.fail(session, claim, code, reason)


def _facts(claim: Claim, prepared: Prepared) -> dict:
    return {
        "id": claim.image_id,
        "format": prepared.format,
        "width_px": prepared.width_px,
        "height_px": prepared.height_px,
        "frames": prepared.frames,
        "taken_at": prepared.taken_at,
        "notes": "; ".join(prepared.notes) or None,
    }
