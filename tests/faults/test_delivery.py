"""Messages delivered one to five times, late, in any order: the effect is that of each one once."""

import random
import time

import pytest
import redis

from tests.faults.crasher import Crasher, report
from tests.workshop import COLLECTION

QUEUE = "bulk"
MOST_COPIES = 5
LATE_S = 0.4  # between two deliveries, at most


def take_messages(broker: redis.Redis) -> list[bytes]:
    """Everything that was sent, out of the queue."""
    messages = broker.lrange(QUEUE, 0, -1)
    broker.delete(QUEUE)
    return messages


def deliver_again_and_again(crasher: Crasher, chunks: int, seed: int = 11) -> None:
    chance = random.Random(seed)
    broker = redis.Redis.from_url(crasher.settings.broker)
    for _ in range(chunks):
        crasher.record(crasher.paint(20))
    messages = take_messages(broker)
    assert len(messages) == chunks
    copies = [message for message in messages for _ in range(chance.randint(1, MOST_COPIES))]
    chance.shuffle(copies)
    crasher.hire(2)
    for message in copies:
        broker.lpush(QUEUE, message)
        time.sleep(chance.uniform(0, LATE_S))
    crasher.wait_until_done(120)
    broker.lpush(QUEUE, *copies)  # and once more when all is done
    crasher.ingest(crasher.paint(5))
    rows = crasher.rows()
    assert {(row.fence, row.attempts) for row in rows} == {(1, 1)}  # nobody claimed any of them twice
    crasher.prove()
    report(kind="delivery", collection=COLLECTION, messages=chunks, delivered=2 * len(copies), pictures=len(rows))


@pytest.mark.soak
def test_what_is_delivered_five_times_late_and_out_of_order_is_done_once(served):
    deliver_again_and_again(served, chunks=20)
