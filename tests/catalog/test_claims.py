"""The ledger: leases, fences, attempts. On both databases."""

import pytest
from sqlalchemy import update

from app.catalog import backlogs, claims, leases, workers
from app.catalog.images import hurry
from app.catalog.models import Image, Worker
from app.catalog.states import ImageStatus, Priority
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
        return leases.expire(session, MAX_ATTEMPTS)


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
    assert late.image_id not in retaken  # a suspect: after the others
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
        assert leases.renew(session, "a", LEASE_S) == 4
    assert expire(catalog) == 0


def test_a_death_in_company_is_held_against_none_and_each_is_tried_again_alone_after_the_others(catalog, collection):
    died = {claimed.image_id for claimed in take(catalog, collection, "a", limit=4, lease_s=-1.0)}
    assert expire(catalog) == 4
    assert {(row.status, row.attempts, row.code) for row in images(catalog, *died)} == {
        (ImageStatus.PENDING, 0, "worker_died")
    }
    batches = [take(catalog, collection, "b", limit=8) for _ in range(6)]
    assert [len(batch) for batch in batches] == [6, 1, 1, 1, 1, 0]
    assert {batch[0].image_id for batch in batches[1:5]} == died
    assert [batch[0].suspect for batch in batches[:5]] == [False, True, True, True, True]


def test_what_a_dead_worker_held_is_taken_back_together_though_one_lease_is_younger(catalog, collection):
    """Else the last one left would look as if it had been alone."""
    take(catalog, collection, "a", limit=9, lease_s=-1.0)
    take(catalog, collection, "a", limit=1)
    assert expire(catalog) == 10
    assert {row.attempts for row in images(catalog, *range(1, 11))} == {0}


def test_poison_is_set_aside_after_three_attempts_alone_and_its_neighbours_go_on(catalog, collection):
    poison, deaths = 3, 0
    while batch := take(catalog, collection, f"worker {deaths}", limit=8, lease_s=-1.0):
        if poison in {claimed.image_id for claimed in batch}:
            deaths += 1
            expire(catalog)
            continue
        with catalog.begin() as session:
            assert len(claims.settle(session, batch)) == len(batch)
    (row,) = images(catalog, poison)
    assert (deaths, row.status, row.attempts, row.code) == (1 + 3, ImageStatus.FAILED, MAX_ATTEMPTS, "worker_died")
    assert row.reason.startswith("set aside after 3 attempts: ")
    others = images(catalog, *(set(range(1, 11)) - {poison}))
    assert {(row.status, row.attempts, row.code) for row in others} == {(ImageStatus.READY, 1, None)}


def test_kills_without_number_convict_no_picture_that_stood_beside_others(catalog, collection):
    for kill in range(50):
        take(catalog, collection, f"worker {kill}", limit=1, lease_s=-1.0)
        take(catalog, collection, f"worker {kill}", limit=1, lease_s=-1.0)
        assert expire(catalog) == 2
    assert {(row.status, row.attempts) for row in images(catalog, *range(1, 11))} == {(ImageStatus.PENDING, 0)}


def killed_alone(catalog, collection, times: int) -> Image:
    """The row of one image whose worker was killed each time it held that one alone, as its supervisor saw."""
    for kill in range(times):
        (claimed,) = take(catalog, collection, f"worker {kill}", limit=1)
        with catalog.begin() as session:
            session.execute(update(Image).where(Image.id != claimed.image_id).values(status=ImageStatus.GONE))
            leases.absolve(session, [f"worker {kill}"])
            leases.end_leases(session, [f"worker {kill}"])
        expire(catalog)
    (row,) = images(catalog, claimed.image_id)
    return row


def test_kills_from_outside_convict_no_picture_even_alone(catalog, collection):
    row = killed_alone(catalog, collection, leases.MOST_PARDONS)
    assert (row.status, row.attempts, row.code) == (ImageStatus.PENDING, 0, "worker_died")


def test_what_is_killed_each_time_without_end_is_poison_too(catalog, collection):
    row = killed_alone(catalog, collection, leases.MOST_PARDONS + MAX_ATTEMPTS)
    assert (row.status, row.attempts) == (ImageStatus.FAILED, MAX_ATTEMPTS)


def test_what_is_given_back_was_never_tried(catalog, collection):
    batch = take(catalog, collection, "a", limit=1)
    with catalog.begin() as session:
        assert leases.give_back(session, "a") == 1
        assert claims.settle(session, batch) == set()
    (row,) = images(catalog, batch[0].image_id)
    assert (row.status, row.attempts, row.code, row.owner) == (ImageStatus.PENDING, 0, None, None)


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


def test_what_is_let_go_alone_can_be_claimed_again_and_is_counted_as_an_attempt(catalog, collection):
    batch = take(catalog, collection, "a", limit=1)
    with catalog.begin() as session:
        leases.let_go(session, "a")
        assert leases.expire(session, MAX_ATTEMPTS) == len(batch)
    rows = images(catalog, *[c.image_id for c in batch])
    assert {(row.status, row.attempts) for row in rows} == {(ImageStatus.PENDING, 1)}


def test_the_leases_of_a_dead_process_end_at_once(catalog, collection):
    take(catalog, collection, "dead")
    with catalog.begin() as session:
        workers.announce(session, "dead", "cpu")
        session.execute(update(Worker).values(pid=2**22 + 1))  # above any process number
        assert workers.dead_here(session) == ["dead"]
        leases.end_leases(session, ["dead"])
    assert expire(catalog) == 4


def test_what_a_person_waits_for_is_claimed_before_what_came_earlier_and_a_suspect_last(catalog, collection):
    (suspect,) = take(catalog, collection, "dead", limit=1, lease_s=-1.0)
    expire(catalog)
    with catalog.begin() as session:
        rows = session.query(Image).order_by(Image.id).all()
        for row in (rows[-1], session.get_one(Image, suspect.image_id)):
            hurry(session, row)
    assert [c.image_id for c in take(catalog, collection, "a", limit=4)] == [rows[-1].id]
    assert [len(take(catalog, collection, "a", limit=4)) for _ in range(2)] == [4, 4]
    assert [c.image_id for c in take(catalog, collection, "a", limit=4)] == [suspect.image_id]


def test_a_worker_of_one_queue_takes_only_its_own(catalog, collection):
    with catalog.begin() as session:
        hurry(session, session.query(Image).order_by(Image.id.desc()).first())

    def take_of(priority):
        with catalog.begin() as session:
            return claims.claim(session, collection.id, owner="a", limit=100, lease_s=LEASE_S, priority=priority)

    assert len(take_of(Priority.PERSON)) == 1
    assert take_of(Priority.PERSON) == []
    with catalog.read() as session:
        assert backlogs.collections_waiting(session, Priority.PERSON) == []
        assert backlogs.collections_waiting(session) == [collection.id]
    assert len(take_of(Priority.BULK)) == 9
