"""Two hosts, one catalogue, one store: a snapshot is built once, brought by the other, and built anew only if lost."""

import shutil
import time
from collections.abc import Iterator

import numpy as np
import pytest

from app import sharing, upkeep
from app.catalog import collections, embeddings, snapshots
from app.catalog.models import Snapshot
from app.catalog.states import SnapshotStatus
from app.errors import ServiceUnavailable
from app.index.live import LiveIndex
from app.inspection import inspect
from app.resources import Resources, open_resources
from app.search.refresh import Readers
from app.storage import Store
from tests.conftest import make_settings
from tests.program import PATIENCE_S, wait_until
from tests.rows import fill_rows

DIM = 16
ROWS = 300
NAME = "photos"


@pytest.fixture
def hosts(tmp_path, store_url) -> Iterator[list[Resources]]:
    knobs = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "storage_url": store_url}
    opened = [open_resources(make_settings(tmp_path / name, **knobs)) for name in "ab"]
    fill_rows(opened[0], ROWS, DIM)
    yield opened
    for resources in opened:
        resources.catalog.dispose()


def live(resources: Resources, readers: Readers) -> LiveIndex:
    with resources.catalog.read() as session:
        collection = collections.get(session, NAME)
        return readers.fresh(session, collection, collections.model_of(session, collection))


def answers(resources: Resources, readers: Readers) -> list[list[int]]:
    with resources.catalog.read() as session:
        collection = collections.get(session, NAME)
        asked = next(embeddings.stream(session, collection.id, collection.model_key_id))[1][:5]
    return [[hit.image_id for hit in hits] for hits in live(resources, readers).search(asked, 10)]


def held(resources: Resources) -> set[str]:
    folder = resources.storage.snapshots(1)
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def rows(resources: Resources) -> dict[int, SnapshotStatus]:
    with resources.catalog.read() as session:
        return {number: session.get_one(Snapshot, number).status for number in sorted(snapshots.ids(session, 1))}


def bytes_of(resources: Resources, number: int) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in resources.storage.snapshot(1, number).iterdir()}


def test_two_hosts_never_build_each_others_snapshots(hosts):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    for _ in range(4):  # rounds of both hosts' upkeep
        for resources in hosts:
            assert upkeep.due(resources) == []
            assert upkeep.rebuild(resources, 1) is False
            assert upkeep.status(resources, NAME).state == "fresh"
    assert rows(b) == {1: SnapshotStatus.PUBLISHED}
    assert held(b) == set()  # nobody has searched there


def test_a_search_is_answered_from_the_rows_until_the_snapshot_is_here(hosts, monkeypatch):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    fetch, gate = Store.get_file, []

    def when_let(store, key, path):
        wait_until(lambda: gate, "leave to go on")
        fetch(store, key, path)

    monkeypatch.setattr(Store, "get_file", when_let)
    readers = Readers(b)
    expected = answers(a, Readers(a))
    started = time.monotonic()
    assert answers(b, readers) == expected
    assert time.monotonic() - started < PATIENCE_S  # it did not wait for what nobody lets go on
    assert "00000001" not in held(b)
    rows_alone = live(b, readers)
    assert live(b, readers) is rows_alone  # nor is an index of rows made anew for each search
    gate.append(True)
    wait_until(lambda: live(b, readers) is not rows_alone, "a reader on the snapshot")
    assert "00000001" in held(b)
    assert answers(b, readers) == expected
    assert bytes_of(a, 1) == bytes_of(b, 1)
    assert rows(b) == {1: SnapshotStatus.PUBLISHED}


def test_the_snapshot_before_serves_while_the_next_one_is_on_its_way(hosts):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    assert sharing.bring(b, published(b))
    readers = Readers(b)
    before = live(b, readers)
    fill_rows(a, ROWS, DIM, seed=1)
    assert upkeep.rebuild(a, 1)
    assert answers(b, readers) == answers(a, Readers(a))  # the new rows are its tail meanwhile
    wait_until(lambda: live(b, readers) is not before, "b's reader on the next one")
    assert held(b) == {"00000001", "00000002"}


def test_generations_that_nobody_opens_leave_the_store_and_every_home(hosts):
    a, b = hosts
    for seed in range(1, 5):
        fill_rows(a, ROWS, DIM, seed=seed)
        assert upkeep.rebuild(a, 1, force=True)
        assert sharing.bring(b, published(b))
    assert held(a) == held(b) == set(a.storage.store.names("snapshots/1")) == {"00000003", "00000004"}


@pytest.mark.parametrize("harm", ["removed", "damaged"])
def test_what_the_store_has_lost_is_built_again_once(hosts, harm, caplog):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    if harm == "removed":
        a.storage.store.remove("snapshots/1/00000001/manifest.json")
    else:
        whole = bytes_of(a, 1)["vectors.faiss"]
        a.storage.store.put("snapshots/1/00000001/vectors.faiss", whole[:-1] + bytes([whole[-1] ^ 1]))
    assert sharing.bring(b, published(b)) is False
    assert "00000001" not in held(b)
    assert rows(b) == {1: SnapshotStatus.DAMAGED}
    assert upkeep.due(a) == upkeep.due(b) == [1]
    assert [upkeep.rebuild(resources, 1) for resources in (b, a)] == [True, False]
    assert sharing.bring(a, published(a))
    assert bytes_of(a, 2) == bytes_of(b, 2)


def test_a_store_that_is_away_has_lost_nothing(hosts, monkeypatch):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    monkeypatch.setattr(sharing, "RETRY_S", 0.2)
    get_file = Store.get_file
    monkeypatch.setattr(Store, "get_file", away)
    readers = Readers(b)
    with pytest.raises(ServiceUnavailable):
        sharing.bring(b, published(b))
    expected = answers(a, Readers(a))
    for _ in range(3):
        assert answers(b, readers) == expected
        time.sleep(0.3)
    assert rows(b) == {1: SnapshotStatus.PUBLISHED}
    monkeypatch.setattr(Store, "get_file", get_file)
    wait_until(lambda: answers(b, readers) == expected and "00000001" in held(b), "the snapshot in b's home")


def away(*_) -> None:
    raise ServiceUnavailable("the store is away")


def test_a_snapshot_that_could_not_be_shared_is_not_published(hosts, monkeypatch):
    a, _ = hosts
    with monkeypatch.context() as patched, pytest.raises(ServiceUnavailable):
        patched.setattr(Store, "put_file", away)
        upkeep.rebuild(a, 1)
    assert rows(a) == {1: SnapshotStatus.RETIRED}
    assert upkeep.rebuild(a, 1)
    assert held(a) == set(a.storage.store.names("snapshots/1")) == {"00000002"}


def test_a_snapshot_replaced_on_its_way_is_not_taken_for_lost(hosts):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    old = published(b)
    for seed in (1, 2):
        fill_rows(a, ROWS, DIM, seed=seed)
        assert upkeep.rebuild(a, 1, force=True)
    assert sharing.bring(b, old) is False
    assert rows(b)[3] is SnapshotStatus.PUBLISHED
    assert upkeep.due(b) == []


def test_verify_brings_what_is_not_here_and_gives_the_store_what_it_lacks(hosts):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    assert inspect(b, NAME).findings == []
    shutil.rmtree(a.storage.snapshots(1))
    assert inspect(a, NAME).findings == []
    assert bytes_of(a, 1) == bytes_of(b, 1)
    b.storage.store.remove("snapshots/1/00000001")
    assert [finding.kind for finding in inspect(a, NAME).findings] == ["unshared_files"]
    assert inspect(a, NAME).findings == []
    assert rows(a) == {1: SnapshotStatus.PUBLISHED}


def published(resources: Resources) -> sharing.Wanted:
    with resources.catalog.read() as session:
        return sharing.wanted(snapshots.find_published(session, collections.get(session, NAME)))


def test_a_search_by_the_command_line_brings_the_snapshot_first(hosts):
    a, b = hosts
    assert upkeep.rebuild(a, 1)
    sharing.bring_published(b, NAME)
    assert held(b) == {"00000001"}
    np.testing.assert_equal(bytes_of(a, 1), bytes_of(b, 1))


def test_regions_are_brought_like_whole_pictures(tmp_path, store_url):
    knobs = {"database_url": f"sqlite:///{tmp_path / 'regions.db'}", "storage_url": store_url}
    a, b = (open_resources(make_settings(tmp_path / name, **knobs)) for name in "cd")
    fill_rows(a, 40, DIM, detail="light")
    assert upkeep.rebuild(a, 1, force=True)
    sharing.bring_published(b, NAME)
    assert held(b) == held(a) == {"00000001", "00000002"}
    with b.catalog.read() as session:
        collection = collections.get(session, NAME)
        regions = Readers(b).fresh_regions(session, collection, collections.model_of(session, collection))
    assert (regions.vectors, regions.tail) == (40 * 8, 0)
    assert upkeep.due(b) == []
    b.storage.store.remove("snapshots/1/00000002")
    assert [finding.kind for finding in inspect(a, NAME).findings if "files" in finding.kind] == ["unshared_files"]
    for resources in (a, b):
        resources.catalog.dispose()
