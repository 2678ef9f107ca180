"""The ledger: leases, fences, attempts. On both databases."""

import pytest
from sqlalchemy import update

from app.catalog import claims, workers
from app.catalog.images import hurry
from app.catalog.models import Image, ImageStatus, Priority, Worker
from tests.catalog.rows import make_collection, make_images

LEASE_S, MAX_ATTEMPTS = 60.0, 3


@pytest.fixture
def collection(catalog):
    with catalog.begin() as session:
        made = make_collection(session)
        make_images(session, made, 10)
    return made


def take(catalog, collection, owner, limit=4, lease_s=LEASE_S):
    with catalog.begin() as session:
        return claims.claim(session, collection.id, owner=owner, limit=limit, lease_s=lease_s)


def expire(catalog):
    with catalog.begin() as session:
        return claims.expire(session, MAX_ATTEMPTS)


def images(catalog, *ids):
    with catalog.read() as session:
        return [session.get_one(Image, image_id) for image_id in ids]


def test_two_workers_never_hold_the_same_image(catalog, collection):
    first, second = take(catalog, collection, "a"), take(catalog, collection, "b")
    assert len(first) == len(second) == 4
    assert not {c.image_id for c in first} & {c.image_id for c in second}


def test_attempts_are_counted_before_work_starts(catalog, collection):
    (claimed,) = take(catalog, collection, "a", limit=1)
    (row,) = images(catalog, claimed.image_id)
    assert (row.status, row.attempts, row.fence, row.owner) == (ImageStatus.WORKING, 1, 1, "a")


def test_a_late_worker_changes_nothing(catalog, collection):
    (late,) = take(catalog, collection, "late", limit=1, lease_s=-1.0)
    assert expire(catalog) == 1
    retaken = {c.image_id: c for c in take(catalog, collection, "next", limit=100)}
    assert late.image_id not in retaken  # tried once already: after the fresh ones
    (again,) = take(catalog, collection, "next", limit=4)
    with catalog.begin() as session:
        assert claims.settle(session, [late]) == set()
        claims.fail(session, late, "damaged", "too late")
    (row,) = images(catalog, late.image_id)
    assert (row.status, row.fence) == (ImageStatus.WORKING, again.fence)
    with catalog.begin() as session:
        assert claims.settle(session, [again]) == {late.image_id}


def test_a_heartbeat_keeps_the_lease(catalog, collection):
    take(catalog, collection, "a", lease_s=-1.0)
    with catalog.begin() as session:
        assert claims.renew(session, "a", LEASE_S) == 4
    assert expire(catalog) == 0


def test_a_batch_that_died_is_retried_in_smaller_ones_and_at_last_alone(catalog, collection):
    sizes = []
    for _ in range(40):
        batch = take(catalog, collection, "a", limit=8, lease_s=-1.0)
        if not batch:
            break
        sizes.append((batch[0].attempts, len(batch)))
        expire(catalog)
    assert sizes[:2] == [(1, 8), (1, 2)]
    assert {size for attempt, size in sizes if attempt == 2} == {2}
    assert {size for attempt, size in sizes if attempt == 3} == {1}


def test_after_three_attempts_an_image_is_set_aside_with_its_reason(catalog, collection):
    for _ in range(100):
        if not take(catalog, collection, "a", limit=8, lease_s=-1.0):
            break
        expire(catalog)
    rows = images(catalog, *range(1, 11))
    assert {row.status for row in rows} == {ImageStatus.FAILED}
    assert {row.attempts for row in rows} == {MAX_ATTEMPTS}
    assert "set aside after 3 attempts" in rows[0].reason


def test_a_failure_that_may_pass_is_tried_again_later_and_then_set_aside(catalog, collection):
    (claimed,) = take(catalog, collection, "a", limit=1)
    with catalog.begin() as session:
        claims.retry_later(session, claimed, "decoder_crashed", "its child died", MAX_ATTEMPTS)
    (row,) = images(catalog, claimed.image_id)
    assert (row.status, row.code) == (ImageStatus.PENDING, "decoder_crashed")
    assert claimed.image_id not in {c.image_id for c in take(catalog, collection, "b", limit=100)}
    with catalog.begin() as session:
        session.execute(update(Image).values(not_before=0.0, attempts=2).where(Image.id == claimed.image_id))
    (third,) = take(catalog, collection, "b", limit=8)
    with catalog.begin() as session:
        claims.retry_later(session, third, "decoder_crashed", "its child died", MAX_ATTEMPTS)
    (row,) = images(catalog, claimed.image_id)
    assert (row.status, row.reason) == (ImageStatus.FAILED, "set aside after 3 attempts: its child died")


def test_what_is_let_go_can_be_claimed_again_and_counted_as_an_attempt(catalog, collection):
    batch = take(catalog, collection, "a")
    with catalog.begin() as session:
        claims.let_go(session, "a")
        assert claims.expire(session, MAX_ATTEMPTS) == len(batch)
    rows = images(catalog, *[c.image_id for c in batch])
    assert {(row.status, row.attempts) for row in rows} == {(ImageStatus.PENDING, 1)}


def test_the_leases_of_a_dead_process_end_at_once(catalog, collection):
    take(catalog, collection, "dead")
    with catalog.begin() as session:
        workers.announce(session, "dead", "cpu")
        session.execute(update(Worker).values(pid=2**22 + 1))  # above any process number
        assert workers.dead_here(session) == ["dead"]
        claims.end_leases(session, ["dead"])
    assert expire(catalog) == 4


def test_what_a_person_waits_for_is_claimed_before_what_came_earlier(catalog, collection):
    (tried,) = take(catalog, collection, "dead", limit=1, lease_s=-1.0)
    expire(catalog)
    with catalog.begin() as session:
        rows = session.query(Image).order_by(Image.id).all()
        for row in (rows[-1], session.get_one(Image, tried.image_id)):
            hurry(session, row)
    assert [c.image_id for c in take(catalog, collection, "a", limit=4)] == [rows[-1].id]  # never tried: first
    assert [c.image_id for c in take(catalog, collection, "a", limit=4)] == [tried.image_id]
    assert len(take(catalog, collection, "a", limit=4)) == 4


def test_a_worker_of_one_queue_takes_only_its_own(catalog, collection):
    with catalog.begin() as session:
        hurry(session, session.query(Image).order_by(Image.id.desc()).first())

    def take_of(priority):
        with catalog.begin() as session:
            return claims.claim(session, collection.id, owner="a", limit=100, lease_s=LEASE_S, priority=priority)

    assert len(take_of(Priority.PERSON)) == 1
    assert take_of(Priority.PERSON) == []
    with catalog.read() as session:
        assert claims.collections_waiting(session, Priority.PERSON) == []
        assert claims.collections_waiting(session) == [collection.id]
    assert len(take_of(Priority.BULK)) == 9
