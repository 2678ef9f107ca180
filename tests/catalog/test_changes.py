"""A change of model in rows: what it notes, when it is ripe, what its one transaction does. On both databases."""

import numpy as np
import pytest
from sqlalchemy import select

from app.catalog import backlogs, changes, claims, collections, embeddings, images, leases, snapshots
from app.catalog.models import Collection, Image, Reembedding, Snapshot
from app.catalog.states import ImageStatus, Kind, SnapshotStatus
from tests.catalog.rows import KEY, make_collection, make_images

LEASE_S, MAX_ATTEMPTS = 60.0, 3


@pytest.fixture
def collection(catalog):
    """Six searchable pictures."""
    with catalog.begin() as session:
        made = make_collection(session)
        for image in make_images(session, made, 6):
            image.status, image.format = ImageStatus.READY, "PNG"
        embed(session, made.id, made.model_key_id, range(1, 7))
    return made


@pytest.fixture
def new_key(catalog, collection):
    with catalog.begin() as session:
        return collections.register_model(session, **KEY | {"model": "n", "dim": 8}).id


def embed(session, collection_id, key_id, ids) -> None:
    dim = collections.get_model(session, key_id).dim
    embeddings.add(session, collection_id, key_id, list(ids), np.eye(1, dim, dtype=np.float32).repeat(len(ids), 0))


def begin(catalog, collection, key_id, add_only=False, leave_behind=False):
    with catalog.begin() as session:
        collections.lock(session, collection.id)
        return changes.begin(session, collection.id, key_id, add_only=add_only, leave_behind=leave_behind)


def take(catalog, collection, owner="a", limit=100, lease_s=LEASE_S, backlog=Reembedding):
    with catalog.begin() as session:
        return claims.claim(session, collection.id, owner=owner, limit=limit, lease_s=lease_s, backlog=backlog)


def finish(catalog, collection, key_id, claimed) -> set[int]:
    """As a worker does."""
    with catalog.begin() as session:
        ours = claims.settle(session, claimed)
        embed(session, collection.id, key_id, sorted(ours))
        changes.strike_off(session, key_id, sorted(ours))
    return ours


def make(catalog, collection, snapshot_id=None) -> None:
    with catalog.begin() as session:
        collections.lock(session, collection.id)
        row = session.get_one(Collection, collection.id)
        chosen = {Kind.WHOLE: snapshot_id} if snapshot_id else {}
        changes.switch(session, row, changes.find(session, row.id), chosen)


def ripe(catalog) -> list[int]:
    with catalog.read() as session:
        return changes.ripe(session)


def remaining(catalog, collection) -> tuple[int, int]:
    with catalog.read() as session:
        left = changes.remaining(session, changes.find(session, collection.id))
    return left.waiting, left.failed


def statuses(catalog) -> list[ImageStatus]:
    with catalog.read() as session:
        return list(session.scalars(select(Image.status).order_by(Image.id)))


def test_only_searchable_pictures_without_the_new_vector_are_noted_and_only_once(catalog, collection, new_key):
    with catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
        session.get_one(Image, 2).status = ImageStatus.FAILED
        embed(session, collection.id, new_key, [3])
    begin(catalog, collection, new_key)
    assert remaining(catalog, collection) == (3, 0)
    begin(catalog, collection, new_key)
    assert [claim.image_id for claim in take(catalog, collection)] == [4, 5, 6]


def test_workers_find_both_kinds_of_work_and_new_pictures_first(catalog, collection, new_key):
    begin(catalog, collection, new_key)
    with catalog.begin() as session:
        other = make_collection(session, "other")
        make_images(session, other, 1)
    with catalog.read() as session:
        assert backlogs.collections_waiting(session) == [other.id, collection.id]
        assert backlogs.waits(session, collection.id, Reembedding)
        assert not backlogs.waits(session, collection.id, Image)


def test_a_claim_of_either_backlog_is_renewed_expired_and_set_aside_alike(catalog, collection, new_key):
    begin(catalog, collection, new_key)
    held = take(catalog, collection, lease_s=-1.0)
    with catalog.begin() as session:
        assert leases.renew(session, "a", LEASE_S) == len(held) == 6
        assert leases.expire(session, MAX_ATTEMPTS) == 0
        leases.let_go(session, "a")
        assert leases.expire(session, MAX_ATTEMPTS) == 6
    while take(catalog, collection, lease_s=-1.0):
        with catalog.begin() as session:
            leases.expire(session, MAX_ATTEMPTS)
    assert remaining(catalog, collection) == (0, 6)
    assert statuses(catalog) == [ImageStatus.READY] * 6  # as searchable as before


def test_a_late_worker_stores_nothing_not_even_after_a_cancel_and_a_new_beginning(catalog, collection, new_key):
    begin(catalog, collection, new_key)
    late = take(catalog, collection, "late")
    with catalog.begin() as session:
        changes.end(session, changes.find(session, collection.id))
    begin(catalog, collection, new_key)
    again = take(catalog, collection, "next")
    assert [claim.fence for claim in again] == [claim.fence for claim in late]  # the rows are others
    assert finish(catalog, collection, new_key, late) == set()
    assert finish(catalog, collection, new_key, again) == set(range(1, 7))


@pytest.mark.parametrize("state", [ImageStatus.PENDING, ImageStatus.WORKING])
def test_a_change_waits_for_its_pictures_and_for_those_just_added(catalog, collection, new_key, state):
    begin(catalog, collection, new_key)
    assert ripe(catalog) == []
    finish(catalog, collection, new_key, take(catalog, collection))
    assert ripe(catalog) == [collection.id]
    with catalog.begin() as session:
        session.add(Image(collection_id=collection.id, digest="added", size_bytes=1, status=state))
    assert ripe(catalog) == []


def test_what_became_searchable_unnoticed_is_noted_before_the_switch(catalog, collection, new_key):
    with catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, 1))
    begin(catalog, collection, new_key)
    finish(catalog, collection, new_key, take(catalog, collection))
    with catalog.begin() as session:
        row = session.get_one(Image, 1)
        images.bring_back(session, collection.id, [row.id])
        changes.top_up(session, changes.find(session, collection.id))
    assert (ripe(catalog), remaining(catalog, collection)) == ([], (1, 0))


def test_a_picture_that_goes_is_no_obstacle_and_comes_back_under_the_new_key(catalog, collection, new_key):
    begin(catalog, collection, new_key)
    first, *rest = take(catalog, collection)
    with catalog.begin() as session:
        images.hide_gone(session, session.get_one(Image, first.image_id))
    assert finish(catalog, collection, new_key, [first, *rest]) == {claim.image_id for claim in rest}
    assert ripe(catalog) == [collection.id]
    make(catalog, collection)
    with catalog.begin() as session:
        row = session.get_one(Image, first.image_id)
        images.bring_back(session, collection.id, [row.id])
        assert row.status is ImageStatus.PENDING  # no vector of this key: it has to be embedded


def test_pictures_that_fail_hold_the_change_up_unless_they_are_left_behind(catalog, collection, new_key):
    begin(catalog, collection, new_key)
    lame, *rest = take(catalog, collection)
    finish(catalog, collection, new_key, rest)
    with catalog.begin() as session:
        claims.fail(session, lame, "vanished", "the file is not there")
    assert (ripe(catalog), remaining(catalog, collection)) == ([], (0, 1))
    begin(catalog, collection, new_key)
    assert remaining(catalog, collection) == (1, 0)  # tried again
    (lame,) = take(catalog, collection)
    with catalog.begin() as session:
        claims.fail(session, lame, "vanished", "the file is not there")
    begin(catalog, collection, new_key, leave_behind=True)
    assert ripe(catalog) == [collection.id]
    make(catalog, collection)
    with catalog.read() as session:
        left = session.get_one(Image, lame.image_id)
        here = session.get_one(Collection, collection.id)
        assert (left.status, left.code, left.reason) == (ImageStatus.FAILED, "vanished", "the file is not there")
        assert left.changed_seq == here.seq  # readers hear of it
        assert here.model_key_id == new_key
    assert statuses(catalog).count(ImageStatus.READY) == 5


def test_a_switch_back_is_ripe_at_once_and_what_was_left_behind_is_searchable_again(catalog, collection, new_key):
    test_pictures_that_fail_hold_the_change_up_unless_they_are_left_behind(catalog, collection, new_key)
    begin(catalog, collection, collection.model_key_id)
    assert ripe(catalog) == [collection.id]
    make(catalog, collection)
    assert statuses(catalog) == [ImageStatus.READY] * 6
    with catalog.read() as session:
        assert {row.code for row in session.scalars(select(Image))} == {None}
        assert changes.find(session, collection.id) is None


def test_a_switch_takes_model_snapshot_and_number_together(catalog, collection, new_key):
    with catalog.begin() as session:
        row = session.get_one(Collection, collection.id)
        old, new = (snapshots.start_build(session, row.id, key, "me", -1.0) for key in (row.model_key_id, new_key))
        for built in (old, new):
            snapshots.mark_verified(session, built.id, checksum="0")
        assert snapshots.publish(session, old.id, None)
        assert snapshots.find_newest(session, row.id, new_key).id == new.id
        assert snapshots.superseded(session, row) == []  # the one that waits for its switch is kept
        before = row.seq
    begin(catalog, collection, new_key)
    finish(catalog, collection, new_key, take(catalog, collection))
    make(catalog, collection, new.id)
    with catalog.read() as session:
        row = session.get_one(Collection, collection.id)
        assert (row.model_key_id, row.snapshot_id) == (new_key, new.id)
        assert row.seq > before
        assert [session.get_one(Snapshot, each.id).status for each in (old, new)] == [
            SnapshotStatus.RETIRED,
            SnapshotStatus.PUBLISHED,
        ]


def test_a_snapshot_of_the_old_key_that_comes_late_is_not_published(catalog, collection, new_key):
    with catalog.begin() as session:
        late = snapshots.start_build(session, collection.id, collection.model_key_id, "me", LEASE_S)
        snapshots.mark_verified(session, late.id, checksum="0")
    begin(catalog, collection, new_key)
    finish(catalog, collection, new_key, take(catalog, collection))
    make(catalog, collection)
    with catalog.begin() as session:
        assert snapshots.publish(session, late.id, None) is False
        assert session.get_one(Collection, collection.id).snapshot_id is None
