"""Embed what waits in a collection: claim, decode in children, network, one transaction per batch.

Decoding runs one batch ahead of the network. Everything slow happens outside transactions; what a batch found is
stored only for images whose claim is still ours, so running twice, or late, is harmless.

New pictures go first. Those that a change of model embeds anew follow, under that model's key.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from sqlalchemy.orm import Session

from app.catalog import changes, claims, collections, embeddings, images, workers
from app.catalog.claims import Claim, Ledger
from app.catalog.models import Image, ModelKey, Reembedding
from app.encoders import Encoders
from app.errors import AppError, BadVector, UnreadableImage
from app.library import first_present, sources
from app.resources import Resources
from app.vision.decoder import Decoder, Prepared
from app.vision.encoder import Encoder

# A decode child that died or hung may have been unlucky: those pictures are tried again.
TRY_AGAIN = {"decoder_crashed", "decoder_timeout"}
CHANGED = ("changed", "the file is not what it was when it was listed: ingest its folder again")
VANISHED = ("vanished", "the file is not at its path any more: put it back and retry, or ingest its new place")


@dataclass
class Workshop:
    """What one worker process has at hand."""

    resources: Resources
    encoders: Encoders
    decoder: Decoder
    name: str  # owner of the claims
    at_work: bool = False  # else it holds nothing, and its leases are not renewed
    images_done: int = 0
    finished_at: float = 0.0  # when the last batch was stored; the next one's rate counts from there


@dataclass(frozen=True)
class Order:
    """Images of one ledger wait for embeddings of this key."""

    collection_id: int
    ledger: Ledger
    key: ModelKey


@dataclass
class Batch:
    """Claimed images on their way through the decoder."""

    order: Order
    encoder: Encoder
    claimed: list[Claim]
    decoding: dict[int, Future] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of a batch: prepared pictures with their vectors, and refusals."""

    prepared: list[tuple[Claim, Prepared]] = field(default_factory=list)
    refused: list[tuple[Claim, str, str]] = field(default_factory=list)  # claim, code, reason


def embed_pending(workshop: Workshop, collection_id: int, *, budget_s: float, should_stop: Callable[[], bool]) -> bool:
    """Embed waiting images until none is left, the time is used up, or a stop is asked for. True: some are left.

    Raises NotFound when the collection is gone, BadCheckpoint or WeightsUnavailable when its encoder can't be had.
    """
    workshop.finished_at = time.monotonic()
    workshop.at_work = True
    try:
        return _run(workshop, collection_id, time.monotonic() + budget_s, should_stop)
    except BaseException:
        _let_go(workshop)
        raise
    finally:
        workshop.at_work = False


def _run(workshop: Workshop, collection_id: int, deadline: float, should_stop: Callable[[], bool]) -> bool:
    ahead = _begin(workshop, collection_id)
    while ahead is not None:
        current, stop = ahead, should_stop() or time.monotonic() > deadline
        ahead = None if stop else _begin(workshop, collection_id, in_hand=True)
        _finish(workshop, current)
        if stop:
            return True
    return False


def _let_go(workshop: Workshop) -> None:
    """Nothing stays in the hands of a worker that lives and works on something else."""
    with contextlib.suppress(AppError), workshop.resources.catalog.begin() as session:
        claims.let_go(session, workshop.name)  # where the database is what failed, the leases run out by themselves


def _orders(workshop: Workshop, collection_id: int) -> list[Order]:
    """What waits, the most urgent first. Raises NotFound when the collection is gone."""
    with workshop.resources.catalog.read() as session:
        keys = {Image: collections.model_of(session, collections.get_by_id(session, collection_id))}
        if change := changes.find(session, collection_id):
            keys[Reembedding] = collections.get_model(session, change.model_key_id)
        waiting = [ledger for ledger in keys if claims.waits(session, collection_id, ledger)]
    return [Order(collection_id, ledger, keys[ledger]) for ledger in waiting]


def _begin(workshop: Workshop, collection_id: int, *, in_hand: bool = False) -> Batch | None:
    """Claim a batch and send it to the decode children; None when nothing waits.

    An encoder that can't be had holds up its own key alone, and nothing is claimed for it. With another batch in hand
    that is not said yet: the next task finds the same.
    """
    trouble = None
    for order in _orders(workshop, collection_id):
        try:
            encoder = workshop.encoders.of(order.key)
        except AppError as refusal:
            trouble = trouble or refusal
            continue
        if claimed := _claim(workshop, order):
            return Batch(order, encoder, claimed, _send_to_decoder(workshop, order, claimed))
    if trouble and not in_hand:
        raise trouble
    return None


def _claim(workshop: Workshop, order: Order) -> list[Claim]:
    settings = workshop.resources.settings
    with workshop.resources.catalog.begin() as session:
        return claims.claim(
            session,
            order.collection_id,
            owner=workshop.name,
            limit=settings.batch_images,
            lease_s=settings.lease_s,
            ledger=order.ledger,
        )


def _send_to_decoder(workshop: Workshop, order: Order, claimed: Sequence[Claim]) -> dict[int, Future]:
    with workshop.resources.catalog.read() as session:
        rows = [images.get(session, claim.image_id) for claim in claimed]
        paths = sources(workshop.resources, session, rows)
    present = {image_id: first_present(places) for image_id, places in paths.items()}
    submit = partial(workshop.decoder.submit, preprocessing=order.key.preprocessing, thumbnail=True)
    return {image_id: submit(path) for image_id, path in present.items() if path is not None}


def _finish(workshop: Workshop, batch: Batch) -> None:
    outcome = Outcome()
    for claim in batch.claimed:
        _collect(batch, claim, outcome)
    vectors = _embed(batch.encoder, outcome)
    for _, prepared in outcome.prepared:
        workshop.resources.storage.keep_thumbnail(prepared.digest, prepared.thumbnail)
    _store(workshop, batch, outcome, vectors)


def _collect(batch: Batch, claim: Claim, outcome: Outcome) -> None:
    """Wait for one picture's decoding and sort it into prepared or refused."""
    future = batch.decoding.get(claim.image_id)
    if future is None:
        outcome.refused.append((claim, *VANISHED))
        return
    try:
        prepared = future.result()
    except UnreadableImage as refusal:
        outcome.refused.append((claim, refusal.code, str(refusal)))
        return
    if prepared.digest != claim.digest:
        outcome.refused.append((claim, *CHANGED))
        return
    outcome.prepared.append((claim, prepared))


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
    order, max_attempts = batch.order, workshop.resources.settings.max_attempts
    with workshop.resources.catalog.begin() as session:
        collections.lock(session, order.collection_id)  # before any image, as all do: else two writers may lock up
        if _is_outdated(session, order):
            return claims.give_back(session, batch.claimed)
        ours = claims.settle(session, [claim for claim, _ in outcome.prepared])
        rows = [i for i, (claim, _) in enumerate(outcome.prepared) if claim.image_id in ours]
        ids = [outcome.prepared[i][0].image_id for i in rows]
        embeddings.add(session, order.collection_id, order.key.id, ids, vectors[rows])
        images.record_facts(session, [_facts(*outcome.prepared[i]) for i in rows])
        _note_change(session, order, ids)
        for claim, code, reason in outcome.refused:
            _refuse(session, claim, code, reason, max_attempts)
        workers.beat(session, workshop.name, model=order.key.model, **_tally(workshop, len(batch.claimed)))
    return None


def _is_outdated(session: Session, order: Order) -> bool:
    """The collection was switched to another model while these pictures were looked at with the old one."""
    return order.ledger is Image and not collections.answers_with(session, order.collection_id, order.key.id)


def _note_change(session: Session, order: Order, image_ids: Sequence[int]) -> None:
    """What is new has to be embedded under the key of a change as well; what was embedded for it is done."""
    change = changes.find(session, order.collection_id)
    if order.ledger is Reembedding:
        changes.strike_off(session, order.key.id, image_ids)
    elif change is not None:
        changes.top_up(session, change, image_ids)


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
