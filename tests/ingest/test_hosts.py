"""Workers of hosts with disks of their own: none fails a picture for want of another's file, or for a store away."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import library, whereabouts
from app.catalog import backlogs
from app.catalog.models import Image, Location
from app.catalog.states import ImageStatus
from app.errors import ServiceUnavailable
from app.ingest import readings, scan
from app.ingest.embed import Workshop, embed_pending
from app.ingest.scan import Wishes
from app.ingest.sweep import sweep
from app.resources import open_resources
from app.storage import home
from tests.conftest import make_settings, paint
from tests.workshop import COLLECTION, work, workshop


class Places:
    """Two workshops that take turns on this machine: whose turn it is has the machine's name."""

    def __init__(self, shops: dict[str, Workshop], monkeypatch) -> None:
        self._shops, self._monkeypatch = shops, monkeypatch

    def on(self, name: str) -> Workshop:
        self._monkeypatch.setattr(socket, "gethostname", lambda: name)
        return self._shops[name]


@pytest.fixture
def hosts(tmp_path, encoders, monkeypatch) -> Iterator[Places]:
    (tmp_path / "share").mkdir()
    knobs = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "storage_url": f"file://{tmp_path / 'share'}"}
    a, b = (open_resources(make_settings(tmp_path / name, **knobs)) for name in "ab")
    library.create_collection(a, COLLECTION, encoders=encoders)
    with workshop(a, encoders, "a:1") as of_a, workshop(b, encoders, "b:1") as of_b:
        yield Places({"a": of_a, "b": of_b}, monkeypatch)
    a.catalog.dispose()
    b.catalog.dispose()


def rows(shop: Workshop) -> list[tuple]:
    """(status, attempts, code) of each picture."""
    columns = select(Image.status, Image.attempts, Image.code).order_by(Image.id)
    with shop.resources.catalog.read() as session:
        return [tuple(row) for row in session.execute(columns)]


def change(shop: Workshop, statement) -> None:
    with shop.resources.catalog.begin() as session:
        session.execute(statement)


def attempt(shop: Workshop) -> None:
    embed_pending(shop, 1, budget_s=120, should_stop=lambda: False)


IN_PLACE = Wishes(copy=False)
READY = (ImageStatus.READY, 1, None)
AT_ONCE = update(Image).values(not_before=0.0)


def test_what_a_host_ingests_another_can_embed(hosts, photos):
    report = scan.ingest(hosts.on("a").resources, [photos], COLLECTION)
    assert report.counts["added"] == 6
    moved = photos.rename(photos.with_name("on another disk"))
    b = hosts.on("b")
    work(b)
    assert rows(b) == [READY] * 6
    assert not (b.resources.storage.home / "fetched").exists()
    assert not (b.resources.storage.home / "originals").exists()
    first = moved / "0.jpg"
    found = whereabouts.original(b.resources, 3)
    assert found.is_relative_to(b.resources.storage.home)
    assert found.read_bytes() in {path.read_bytes() for path in moved.rglob("*.*")}
    assert first.exists()


def test_pictures_in_place_wait_for_the_host_that_has_them(hosts, photos):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos], COLLECTION, wishes=IN_PLACE)
    hidden = photos.rename(photos.with_name("hidden"))
    b = hosts.on("b")
    assert sweep(b.resources) == []  # an idle worker there does not ask for them again and again
    attempt(b)
    assert rows(b) == [(ImageStatus.PENDING, 0, None)] * 6
    hidden.rename(photos)
    a = hosts.on("a")
    assert sweep(a.resources) == [1]
    work(a)
    assert rows(a) == [READY] * 6


def test_a_file_gone_from_the_host_that_had_it_is_refused_at_once(hosts, photos):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos], COLLECTION, wishes=IN_PLACE)
    (photos / "0.jpg").unlink()
    work(a)
    assert sorted(rows(a)) == sorted([READY] * 5 + [(ImageStatus.FAILED, 1, "vanished")])


def test_a_picture_on_no_known_host_is_handed_back_uncounted_and_refused_after_days(hosts, photos, monkeypatch):
    """Ingested before there was a store: nobody wrote down on whose disk."""
    a = hosts.on("a")
    scan.ingest(a.resources, [photos / "0.jpg"], COLLECTION, wishes=IN_PLACE)
    change(a, update(Location).values(host=""))
    (photos / "0.jpg").rename(photos / "elsewhere.jpg")
    b = hosts.on("b")
    for _ in range(5):
        change(b, AT_ONCE)
        attempt(b)
        assert rows(b) == [(ImageStatus.PENDING, 0, "away")]
        attempt(b)  # not before its time
    monkeypatch.setattr(backlogs, "HOST_PATIENCE_S", -1.0)
    change(b, AT_ONCE)
    attempt(b)
    assert rows(b) == [(ImageStatus.FAILED, 0, "away")]
    monkeypatch.undo()
    (photos / "elsewhere.jpg").rename(photos / "0.jpg")
    a = hosts.on("a")
    assert scan.ingest(a.resources, [photos / "0.jpg"], COLLECTION).counts["known"] == 1  # seen again, tried again
    work(a)
    assert rows(a) == [READY]


def test_another_picture_under_the_same_path_is_never_taken_for_it(hosts, tmp_path):
    place = tmp_path / "disk" / "0.jpg"
    a = hosts.on("a")
    scan.ingest(a.resources, [paint(place, 1)], COLLECTION, wishes=IN_PLACE)
    ours = place.read_bytes()
    change(a, update(Location).values(host=""))
    b = hosts.on("b")
    scan.ingest(b.resources, [paint(place, 2)], COLLECTION, wishes=IN_PLACE)
    attempt(b)
    assert rows(b) == [(ImageStatus.PENDING, 0, "away"), READY]
    place.write_bytes(b"no picture at all")
    change(b, AT_ONCE)
    attempt(b)
    assert rows(b)[0] == (ImageStatus.PENDING, 0, "away")
    place.write_bytes(ours)
    change(b, AT_ONCE)
    work(b)
    assert rows(b) == [READY, READY]


def test_two_hosts_keep_their_paths_apart(hosts, tmp_path):
    place = tmp_path / "disk" / "0.jpg"
    for number, name in enumerate("ab"):
        shop = hosts.on(name)
        scan.ingest(shop.resources, [paint(place, number)], COLLECTION)
    work(shop)
    shown = library.pictures(shop.resources, COLLECTION)
    assert [facts.path for facts in shown] == [str(place)] * 2
    a = hosts.on("a")
    again = scan.ingest(a.resources, [paint(place, 0)], COLLECTION)
    assert again.counts["known"] == 1
    assert {facts.status for facts in library.pictures(a.resources, COLLECTION)} == {"ready"}
    assert len(library.pictures(a.resources, COLLECTION)) == 2


def test_a_store_that_goes_away_under_a_worker_costs_no_attempt(hosts, photos, tmp_path):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos], COLLECTION)
    (tmp_path / "share").rename(tmp_path / "unmounted")
    for _ in range(4):  # more often than a picture may be tried
        change(a, AT_ONCE)
        with pytest.raises(ServiceUnavailable, match="mount its disk"):
            attempt(a)
    assert {row[:2] for row in rows(a)} == {(ImageStatus.PENDING, 0)}
    (tmp_path / "unmounted").rename(tmp_path / "share")
    change(a, AT_ONCE)
    work(a)
    assert rows(a) == [READY] * 6


def test_thumbnails_that_the_store_does_not_take_keep_pictures_waiting(hosts, photos, tmp_path):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos], COLLECTION)
    (tmp_path / "share" / "originals").rename(a.resources.storage.home / "originals")
    (tmp_path / "share").rename(tmp_path / "unmounted")
    with pytest.raises(ServiceUnavailable):
        attempt(a)
    assert {row[:2] for row in rows(a)} == {(ImageStatus.PENDING, 0)}
    (tmp_path / "unmounted").rename(tmp_path / "share")
    change(a, AT_ONCE)
    work(a)
    with a.resources.catalog.read() as session:
        digests = session.scalars(select(Image.digest)).all()
    b = hosts.on("b")
    assert all(b.resources.storage.find_thumbnail(digest) for digest in digests)


def test_a_damaged_copy_is_refused_and_done_once_it_was_ingested_again(hosts, photos, tmp_path):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos / "0.jpg"], COLLECTION)
    (copy,) = (path for path in (tmp_path / "share" / "originals").rglob("*") if path.is_file())
    copy.write_bytes(b"bits that rot")
    work(a)
    assert rows(a) == [(ImageStatus.FAILED, 1, "damaged_copy")]
    os.utime(photos / "0.jpg")
    scan.ingest(a.resources, [photos / "0.jpg"], COLLECTION)
    work(a)
    assert rows(a) == [READY]


def test_an_ingest_waits_for_a_store_that_is_away_for_a_moment(hosts, photos, tmp_path, monkeypatch):
    a, tries = hosts.on("a"), []
    (tmp_path / "share").rename(tmp_path / "unmounted")

    def pause(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            (tmp_path / "unmounted").rename(tmp_path / "share")

    monkeypatch.setattr(home.time, "sleep", pause)
    assert scan.ingest(a.resources, [photos], COLLECTION).counts["added"] == 6
    assert len(tries) == 3
    monkeypatch.setattr(readings, "STORE_PATIENCE_S", -1.0)
    (tmp_path / "share").rename(tmp_path / "unmounted")
    with pytest.raises(ServiceUnavailable, match="mount its disk"):
        scan.ingest(a.resources, [paint(Path(photos) / "more.jpg", 50)], COLLECTION)


def test_what_was_recorded_before_there_was_a_store_is_copied_when_it_is_seen_again(hosts, photos):
    a = hosts.on("a")
    scan.ingest(a.resources, [photos], COLLECTION, wishes=IN_PLACE)
    assert scan.ingest(a.resources, [photos], COLLECTION).counts["known"] == 6
    with a.resources.catalog.read() as session:
        assert session.scalars(select(Image.stored)).all() == [True] * 6
