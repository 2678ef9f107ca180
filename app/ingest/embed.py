"""Embed what waits in a collection: claim, decode in children, network, one transaction per batch.

Decoding runs one batch ahead of the network. Everything slow happens outside transactions; what a batch found is
stored only for images whose claim is still ours, so running twice, or late, is harmless.
"""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from app.catalog import claims, collections, embeddings, images, workers
from app.catalog.claims import Claim
from app.catalog.models import ModelKey, Priority
from app.encoders import Encoders
from app.errors import AppError, BadVector, ServiceUnavailable, UnreadableImage
from app.faults import Point, reach
from app.ingest.absence import Absences
from app.ingest.originals import Originals
from app.library import Source, sources
from app.resources import Resources
from app.vision.decoder import Decoder, Prepared
from app.vision.encoder import Encoder

# A decode child that died or hung may have been unlucky: those pictures are tried again.
TRY_AGAIN = {"decoder_crashed", "decoder_timeout", "unreachable"}
ABSENT = {"vanished", "unreadable", "unreachable"}  # the fault of a disk or a server that is away, if one is
CHANGED = ("changed", "the file is not what it was when it was listed: ingest its folder again")
BLAMELESS = (AppError, OSError)  # the database, the disk, the weights failed, and no picture
ELSEWHERE = ("away", "the file is not on this host: it waits for the host that has it, or for its disk")
UNREACHED, UNREACHED_S = "store_unreached", 10.0  # then it is tried again
VANISHED = ("vanished", "the file is not at its path any more: put it back and retry, or ingest its new place")


@dataclass
class Workshop:
    """What one worker process has at hand."""

    resources: Resources
    encoders: Encoders
    decoder: Decoder
    name: str  # owner of the claims
    priority: Priority | None = None  # of the images it takes; none: of all
    at_work: bool = False  # else it holds nothing, and its leases are not renewed
    owes: bool = False  # but for what it could not give back while the database was away
    images_done: int = 0
    finished_at: float = 0.0  # when the last batch was stored; the next one's rate counts from there

    def __post_init__(self) -> None:
        self.originals = Originals(self.resources)
        self.absences = Absences(self.resources)


@dataclass
class Batch:
    """Claimed images on their way through the decoder."""

    collection_id: int
    key: ModelKey
    claimed: list[Claim]
    sources: dict[int, Source] = field(default_factory=dict)
    decoding: dict[int, Future] = field(default_factory=dict)

    @property
    def is_suspect(self) -> bool:
        return any(claim.suspect for claim in self.claimed)


@dataclass
class Outcome:
    """What became of a batch: prepared pictures with their vectors, and refusals."""

    prepared: list[tuple[Claim, Prepared]] = field(default_factory=list)
    refused: list[tuple[Claim, str, str]] = field(default_factory=list)  # claim, code, reason
    waiting: list[tuple[Claim, str]] = field(default_factory=list)  # for a source that is away: claim, reason
    elsewhere: list[Claim] = field(default_factory=list)  # maybe on another host's disks
    unreached: list[Claim] = field(default_factory=list)  # in a store that can't be used now
    trouble: ServiceUnavailable | None = None  # why


def embed_pending(workshop: Workshop, collection_id: int, *, budget_s: float, should_stop: Callable[[], bool]) -> bool:
    """Embed waiting images until none is left, the time is used up, or a stop is asked for. True: some are left.

    Raises NotFound when the collection is gone, BadCheckpoint or WeightsUnavailable when its encoder can't be had,
    ServiceUnavailable when the store can't be used: what it keeps from us waits, and no attempt is counted.
    """
    encoder = _encoder(workshop, collection_id)
    give_back_owed(workshop)
    workshop.finished_at = time.monotonic()
    workshop.at_work = True
    try:
        return _run(workshop, encoder, collection_id, time.monotonic() + budget_s, should_stop)
    except BaseException as trouble:
        _let_go(workshop, trouble)
        raise
    finally:
        workshop.at_work = False


def _run(
    workshop: Workshop, encoder: Encoder, collection_id: int, deadline: float, should_stop: Callable[[], bool]
) -> bool:
    workshop.absences.look_again(collection_id)
    ahead = _begin(workshop, collection_id)
    while ahead is not None:
        current, stop = ahead, should_stop() or time.monotonic() > deadline
        ahead = None if stop or current.is_suspect else _begin(workshop, collection_id)
        _finish(workshop, encoder, current)
        if stop:
            return True
        if current.is_suspect:  # nothing else was in our hands meanwhile
            ahead = _begin(workshop, collection_id)
    return False


def _let_go(workshop: Workshop, trouble: BaseException) -> None:
    """Nothing stays in the hands of a worker that lives and works on something else."""
    blameless = isinstance(trouble, BLAMELESS) or not isinstance(trouble, Exception)
    workshop.owes = True
    with contextlib.suppress(AppError), workshop.resources.catalog.begin() as session:
        (claims.give_back if blameless else claims.let_go)(session, workshop.name)
        workshop.owes = False


def give_back_owed(workshop: Workshop) -> None:
    """What a failed task left in our hands because the database failed too."""
    if workshop.owes:
        with workshop.resources.catalog.begin() as session:
            claims.give_back(session, workshop.name)
        workshop.owes = False


def _encoder(workshop: Workshop, collection_id: int) -> Encoder:
    with workshop.resources.catalog.read() as session:
        key = collections.model_of(session, collections.get_by_id(session, collection_id))
    return workshop.encoders.of(key)


def _begin(workshop: Workshop, collection_id: int) -> Batch | None:
    """Claim a batch and send it to the decode children; None when nothing waits."""
    settings = workshop.resources.settings
    reach(Point.BEFORE_CLAIM)
    with workshop.resources.catalog.begin() as session:
        key = collections.model_of(session, collections.get_by_id(session, collection_id))
        claimed = claims.claim(
            session,
            collection_id,
            owner=workshop.name,
            limit=settings.batch_images,
            lease_s=settings.lease_s,
            priority=workshop.priority,
            host=workshop.resources.storage.host,
        )
    if not claimed:
        return None
    reach(Point.AFTER_CLAIM)
    batch = Batch(collection_id, key, claimed)
    _send_to_decoder(workshop, batch)
    return batch


def _send_to_decoder(workshop: Workshop, batch: Batch) -> None:
    with workshop.resources.catalog.read() as session:
        rows = [images.get(session, claim.image_id) for claim in batch.claimed]
        batch.sources = sources(workshop.resources, session, rows)
    submit = partial(workshop.decoder.submit, preprocessing=batch.key.preprocessing, thumbnail=True)
    batch.decoding = workshop.originals.send(batch.sources, submit)


def _finish(workshop: Workshop, encoder: Encoder, batch: Batch) -> None:
    outcome = Outcome()
    for claim in batch.claimed:
        _collect(batch, claim, outcome)
    _let_wait(workshop, batch, outcome)
    reach(Point.AFTER_DECODE)
    vectors = _embed(encoder, outcome)
    reach(Point.AFTER_EMBED)
    workshop.resources.storage.keep_thumbnails({made.digest: made.thumbnail for _, made in outcome.prepared})
    reach(Point.AFTER_THUMBNAIL)
    _store(workshop, batch, outcome, vectors)
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
    away = workshop.absences.reasons(batch.collection_id, absent)
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


def _embed(encoder: Encoder, outcome: Outcome) -> np.ndarray:
    """Unit vectors (N, D) of the prepared pictures. One whose vector is no vector is refused alone."""
    if not outcome.prepared:
        return np.empty((0, encoder.key.dim), np.float32)
    try:
        return encoder.embed([prepared.pixels for _, prepared in outcome.prepared])
    except BadVector:
        return _embed_one_by_one(encoder, outcome)


def _embed_one_by_one(encoder: Encoder, outcome: Outcome) -> np.ndarray:
    kept, vectors = [], []
    for claim, prepared in outcome.prepared:
        try:
            vectors.append(encoder.embed([prepared.pixels])[0])
            kept.append((claim, prepared))
        except BadVector as refusal:
            outcome.refused.append((claim, "bad_vector", str(refusal)))
    outcome.prepared = kept
    return np.array(vectors, np.float32).reshape(len(kept), encoder.key.dim)


def _store(workshop: Workshop, batch: Batch, outcome: Outcome, vectors: np.ndarray) -> None:
    """One transaction: embeddings of the claims that are still ours, facts, refusals, and the worker's tally."""
    max_attempts = workshop.resources.settings.max_attempts
    with workshop.resources.catalog.begin() as session:
        collections.lock(session, batch.collection_id)  # before any image, as all do: else two writers may lock up
        ours = claims.settle(session, [claim for claim, _ in outcome.prepared])
        rows = [i for i, (claim, _) in enumerate(outcome.prepared) if claim.image_id in ours]
        ids = [outcome.prepared[i][0].image_id for i in rows]
        embeddings.add(session, batch.collection_id, batch.key.id, ids, vectors[rows])
        images.record_facts(session, [_facts(*outcome.prepared[i]) for i in rows])
        for claim, code, reason in outcome.refused:
            _refuse(session, claim, code, reason, max_attempts)
        for claim, reason in outcome.waiting:
            claims.put_back(session, claim, "away", reason, workshop.resources.settings.away_retry_s)
        for claim in outcome.elsewhere:
            claims.wait_for_host(session, claim, *ELSEWHERE, workshop.resources.settings.away_retry_s)
        for claim in outcome.unreached:
            claims.put_back(session, claim, UNREACHED, str(outcome.trouble), UNREACHED_S)
        workers.beat(session, workshop.name, model=batch.key.model, **_tally(workshop, len(batch.claimed)))
        reach(Point.BEFORE_COMMIT)


def _tally(workshop: Workshop, images_more: int) -> dict:
    previous, workshop.finished_at = workshop.finished_at, time.monotonic()
    workshop.images_done += images_more
    return {"images_done": workshop.images_done, "images_per_s": images_more / (workshop.finished_at - previous)}


def _refuse(session, claim: Claim, code: str, reason: str, max_attempts: int) -> None:
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
