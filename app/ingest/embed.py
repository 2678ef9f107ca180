"""Embed what waits in a collection: claim, decode in children, network, one transaction per batch.

Decoding runs one batch ahead of the network. Everything slow happens outside transactions; what a batch found is
stored only for images whose claim is still ours, so running twice, or late, is harmless.

New pictures go first. Those whose details were lost follow, then those that a change of model embeds anew, under that
model's key.
"""

import time
from collections.abc import Callable
from functools import partial

from app.catalog import backlogs, changes, claims, collections, images, workers
from app.catalog.claims import Claim
from app.catalog.clock import db_now
from app.catalog.models import Image, Reembedding
from app.errors import AppError
from app.faults import Point, reach
from app.ingest.batch import Batch, Order, finish
from app.ingest.workshop import Workshop
from app.vision.encoder import Encoder
from app.whereabouts import sources

LEAST_BATCH = 32  # images claimed together: one to four seconds of a processor's work, a dozen statements


def embed_pending(workshop: Workshop, collection_id: int, *, budget_s: float, should_stop: Callable[[], bool]) -> bool:
    """Embed waiting images until none is left, the time is used up, or a stop is asked for. True: some are left.

    Raises NotFound when the collection is gone, BadCheckpoint or WeightsUnavailable when its encoder can't be had,
    ServiceUnavailable when the store can't be used: what it keeps from us waits, and no attempt is counted.
    """
    workshop.give_back_owed()
    workshop.pace.begin()
    workshop.at_work = True
    try:
        return _run(workshop, collection_id, time.monotonic() + budget_s, should_stop)
    except BaseException as trouble:
        workshop.let_go(trouble)
        raise
    finally:
        workshop.at_work = False


def _run(workshop: Workshop, collection_id: int, deadline: float, should_stop: Callable[[], bool]) -> bool:
    workshop.absences.look_again(collection_id)
    ahead = _begin(workshop, collection_id)
    while ahead is not None:
        current, stop = ahead, should_stop() or time.monotonic() > deadline
        ahead = None if stop or current.is_suspect else _begin(workshop, collection_id, in_hand=True)
        workshop.pace.lap("claim")
        late = current.hand_on_late(ahead)
        finish(workshop, current)
        if late is not ahead and late.claimed:
            finish(workshop, late)
        if stop:
            return True
        if current.is_suspect:  # nothing else was in our hands meanwhile
            ahead = _begin(workshop, collection_id)
    return False


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
        if claimed := _claim(workshop, order, encoder):
            return _sent_to_decoder(workshop, Batch(order, encoder, claimed))
    if trouble and not in_hand:
        raise trouble
    return None


def _orders(workshop: Workshop, collection_id: int) -> list[Order]:
    """What waits, the most urgent first. Raises NotFound when the collection is gone."""
    host = workshop.resources.storage.host
    with workshop.resources.catalog.read() as session:
        own = collections.model_of(session, collections.get_by_id(session, collection_id))
        orders = [Order(collection_id, Image, own), Order(collection_id, Reembedding, own, renews=True)]
        if change := changes.find(session, collection_id):
            orders.append(Order(collection_id, Reembedding, collections.get_model(session, change.model_key_id)))
        waits = partial(backlogs.waits, session, collection_id, priority=workshop.priority, host=host)
        return [order for order in orders if waits(order.backlog, model_key_id=order.key.id)]


def _claim(workshop: Workshop, order: Order, encoder: Encoder) -> list[Claim]:
    settings = workshop.resources.settings
    reach(Point.BEFORE_CLAIM)
    with workshop.resources.catalog.begin() as session:
        claimed = claims.claim(
            session,
            order.collection_id,
            owner=workshop.name,
            limit=settings.batch_images or max(LEAST_BATCH, encoder.images_at_once),
            lease_s=settings.lease_s,
            backlog=order.backlog,
            priority=workshop.priority,
            host=workshop.resources.storage.host,
            model_key_id=order.key.id,
        )
        if claimed:
            rate = workshop.pace.images_per_s  # none after a rest: the last work's says nothing of this one's
            workers.beat(session, workshop.name, model=order.key.model, claimed_at=db_now(), images_per_s=rate)
    reach(Point.AFTER_CLAIM)
    return claimed


def _sent_to_decoder(workshop: Workshop, batch: Batch) -> Batch:
    with workshop.resources.catalog.read() as session:
        rows = images.all_of(session, [claim.image_id for claim in batch.claimed])
        batch.sources = sources(workshop.resources, session, rows)
    submit = partial(workshop.decoder.submit, preprocessing=batch.order.key.preprocessing, thumbnail=True)
    batch.decoding = workshop.originals.send(batch.sources, submit)
    return batch
