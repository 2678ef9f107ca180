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
from app.errors import AppError, BadVector, NotFound, ServiceUnavailable, UnreadableImage
from app.library import Source, read, sources
from app.resources import Resources
from app.vision.decoder import Decoder, Prepared
from app.vision.encoder import Encoder

# A decode child that died or hung may have been unlucky: those pictures are tried again.
TRY_AGAIN = {"decoder_crashed", "decoder_timeout"}
UNREACHED = "store_unreached"
CHANGED = ("changed", "the file is not what it was when it was listed: ingest its folder again")
ELSEWHERE = ("elsewhere", "the file is not on this host: it waits for the host that has it, or for its disk")
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
    images_done: int = 0
    finished_at: float = 0.0  # when the last batch was stored; the next one's rate counts from there


@dataclass
class Batch:
    """Claimed images on their way through the decoder."""

    collection_id: int
    key: ModelKey
    claimed: list[Claim]
    sources: dict[int, Source] = field(default_factory=dict)
    decoding: dict[int, Future] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of a batch: prepared pictures, refusals, and those that no fault of theirs keeps waiting."""

    prepared: list[tuple[Claim, Prepared]] = field(default_factory=list)
    refused: list[tuple[Claim, str, str]] = field(default_factory=list)  # claim, code, reason
    elsewhere: list[Claim] = field(default_factory=list)
    unreached: list[Claim] = field(default_factory=list)
    trouble: ServiceUnavailable | None = None  # why the latter's bytes could not be had


def embed_pending(workshop: Workshop, collection_id: int, *, budget_s: float, should_stop: Callable[[], bool]) -> bool:
    """Embed waiting images until none is left, the time is used up, or a stop is asked for. True: some are left.

    Raises NotFound when the collection is gone, BadCheckpoint or WeightsUnavailable when its encoder can't be had,
    ServiceUnavailable when the store can't: what it keeps from us waits, and no attempt is counted.
    """
    encoder = _encoder(workshop, collection_id)
    workshop.finished_at = time.monotonic()
    workshop.at_work = True
    try:
        return _run(workshop, encoder, collection_id, time.monotonic() + budget_s, should_stop)
    except ServiceUnavailable as trouble:
        _give_back(workshop, trouble)
        raise
    except BaseException:
        _let_go(workshop)
        raise
    finally:
        workshop.at_work = False


def _run(
    workshop: Workshop, encoder: Encoder, collection_id: int, deadline: float, should_stop: Callable[[], bool]
) -> bool:
    ahead = _begin(workshop, collection_id)
    while ahead is not None:
        current, stop = ahead, should_stop() or time.monotonic() > deadline
        ahead = None if stop else _begin(workshop, collection_id)
        _finish(workshop, encoder, current)
        if stop:
            return True
    return False


def _let_go(workshop: Workshop) -> None:
    """Nothing stays in the hands of a worker that lives and works on something else."""
    with contextlib.suppress(AppError), workshop.resources.catalog.begin() as session:
        claims.let_go(session, workshop.name)  # where the database is what failed, the leases run out by themselves


def _give_back(workshop: Workshop, trouble: ServiceUnavailable) -> None:
    with contextlib.suppress(AppError), workshop.resources.catalog.begin() as session:
        claims.return_all(session, workshop.name, UNREACHED, str(trouble))


def _encoder(workshop: Workshop, collection_id: int) -> Encoder:
    with workshop.resources.catalog.read() as session:
        key = collections.model_of(session, collections.get_by_id(session, collection_id))
    return workshop.encoders.of(key)


def _begin(workshop: Workshop, collection_id: int) -> Batch | None:
    """Claim a batch and send it to the decode children; None when nothing waits."""
    settings = workshop.resources.settings
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
    batch = Batch(collection_id, key, claimed)
    _send_to_decoder(workshop, batch)
    return batch


def _send_to_decoder(workshop: Workshop, batch: Batch) -> None:
    """Files are looked for where they are decoded: there nothing waits for a disk or for the store."""
    with workshop.resources.catalog.read() as session:
        rows = [images.get(session, claim.image_id) for claim in batch.claimed]
        batch.sources = sources(workshop.resources, session, rows)
    submit = partial(workshop.decoder.submit, preprocessing=batch.key.preprocessing, thumbnail=True)
    for image_id, source in batch.sources.items():
        batch.decoding[image_id] = submit(partial(read, workshop.resources, source))


def _finish(workshop: Workshop, encoder: Encoder, batch: Batch) -> None:
    outcome = Outcome()
    for claim in batch.claimed:
        _collect(workshop, batch, claim, outcome)
    vectors = _embed(encoder, outcome)
    workshop.resources.storage.keep_thumbnails({made.digest: made.thumbnail for _, made in outcome.prepared})
    _store(workshop, batch, outcome, vectors)
    if outcome.trouble and not outcome.prepared:
        raise outcome.trouble  # the next batch would fare no better: a pause, and people are told


def _collect(workshop: Workshop, batch: Batch, claim: Claim, outcome: Outcome) -> None:
    """Wait for one picture's decoding and sort it."""
    try:
        prepared = batch.decoding[claim.image_id].result()
    except NotFound:
        _miss(workshop, batch, claim, outcome)
        return
    except ServiceUnavailable as trouble:
        outcome.trouble = trouble
        outcome.unreached.append(claim)
        return
    except UnreadableImage as refusal:
        outcome.refused.append((claim, refusal.code, str(refusal)))
        return
    if prepared.digest != claim.digest:
        outcome.refused.append((claim, *CHANGED))
        return
    outcome.prepared.append((claim, prepared))


def _miss(workshop: Workshop, batch: Batch, claim: Claim, outcome: Outcome) -> None:
    """Gone for good where this host had it; where hosts have disks of their own, another one may have it."""
    source = batch.sources[claim.image_id]
    if workshop.resources.storage.store is None or (source.seen_here and not source.stored):
        outcome.refused.append((claim, *VANISHED))
    else:
        outcome.elsewhere.append(claim)


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
        claims.wait_for_host(session, outcome.elsewhere, *ELSEWHERE)
        claims.give_back(session, outcome.unreached, UNREACHED, str(outcome.trouble))
        workers.beat(session, workshop.name, model=batch.key.model, **_tally(workshop, len(batch.claimed)))


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
