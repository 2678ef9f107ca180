"""A worker's work without Celery: what waits becomes searchable, once, or is refused with its reason."""

import contextlib
import dataclasses
import sys
import threading

import numpy as np
import pytest
from sqlalchemy import func, select

from app import library
from app.catalog import claims, embeddings
from app.catalog.database import Catalog
from app.catalog.models import Embedding, Image
from app.catalog.states import ImageStatus
from app.errors import NotFound, ServiceUnavailable
from app.ingest import failures, receive, scan
from app.ingest.embed import embed_pending
from app.ingest.progress import progress
from app.ingest.receive import Outcome
from app.ingest.sweep import sweep
from app.ingest.workshop import Workshop
from app.vision.decoder import Decoder
from tests.conftest import paint
from tests.program import wait_until
from tests.workshop import COLLECTION, fill, work, workshop

POISONOUS = (sys.executable, "-m", "tests.faults.poisonous_reader")


def rows(resources) -> list[Image]:
    with resources.catalog.read() as session:
        return list(session.scalars(select(Image).order_by(Image.id)))


def test_pictures_become_searchable_with_their_facts_and_thumbnails(shop, photos):
    report = fill(shop, photos)
    assert report.counts == {"seen": 6, "added": 6, "known": 0, "failed": 0, "skipped": 0}
    for row in rows(shop.resources):
        assert (row.status, row.width_px, row.height_px, row.frames) == (ImageStatus.READY, 160, 120, 1)
        assert shop.resources.storage.thumbnail(row.digest).read_bytes()[8:12] == b"WEBP"
    assert {row.format for row in rows(shop.resources)} == {"JPEG", "PNG"}
    now = progress(shop.resources, COLLECTION)
    assert (now.total, now.ready, now.waiting, now.eta_s) == (6, 6, 0, None)


def test_the_stored_vector_is_the_encoders(shop, photos):
    fill(shop, photos / "0.jpg")
    encoder = shop.encoders.named("dinoseek_tiny14")
    pixels = shop.decoder.submit(photos / "0.jpg", preprocessing=encoder.key.preprocessing).result().pixels
    with shop.resources.catalog.read() as session:
        stored = embeddings.find(session, 1, 1)
    np.testing.assert_allclose(stored, encoder.embed(pixels[None])[0], atol=1e-6)


def test_a_truncated_picture_is_refused_with_a_reason_and_the_rest_go_on(shop, photos):
    cut = (photos / "0.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(cut[: len(cut) // 2])
    report = fill(shop, photos)
    (refused,) = [r for r in report.receipts if r.outcome is Outcome.FAILED]
    assert refused.path.endswith("cut.jpg")
    assert refused.error == "truncated"
    assert progress(shop.resources, COLLECTION).ready == 6
    (listed,) = failures.failures(shop.resources, COLLECTION)
    assert listed.path == refused.path
    assert listed.reason == refused.reason


def test_a_file_that_vanished_is_found_again_by_retry(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    (photos / "0.jpg").rename(photos / "away")
    work(shop)
    (missing,) = failures.failures(shop.resources, COLLECTION)
    assert missing.error == "vanished"
    (photos / "away").rename(photos / "0.jpg")
    assert failures.retry(shop.resources, COLLECTION) == 1
    work(shop)
    assert failures.failures(shop.resources, COLLECTION) == []


def test_bytes_that_changed_after_the_scan_are_not_embedded_under_the_old_digest(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    paint(photos / "0.jpg", 99)
    work(shop)
    (changed,) = failures.failures(shop.resources, COLLECTION)
    assert changed.error == "changed"
    assert fill(shop, photos).counts["added"] == 1


def test_a_batch_that_lost_its_lease_stores_nothing(shop, photos, encoders):
    """Two workers hold the same pictures, as after a pause longer than the lease: each is stored once."""
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    catalog = shop.resources.catalog
    with catalog.begin() as session:
        stolen = claims.claim(session, 1, owner="slow", limit=32, lease_s=-1.0)
    sweep(shop.resources)
    work(shop)
    with catalog.begin() as session:
        assert claims.settle(session, stolen) == set()
    with catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Embedding)) == 6
    assert {(row.fence, row.attempts) for row in rows(shop.resources)} == {(2, 1)}  # held with others: not counted


def test_two_workers_share_a_collection_without_doing_a_picture_twice(resources_on_both, encoders, tmp_path):
    folder = tmp_path / "many"
    for number in range(40):
        paint(folder / f"{number}.jpg", number)
    library.create_collection(resources_on_both, COLLECTION, encoders=encoders)
    scan.ingest(resources_on_both, [folder], COLLECTION)

    def run(name: str) -> None:
        with workshop(resources_on_both, encoders, name) as shop:
            shop.resources.settings.batch_images = 5
            work(shop)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rows(resources_on_both)
    assert {(row.status, row.attempts) for row in found} == {(ImageStatus.READY, 1)}
    with resources_on_both.catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Embedding)) == 40


def test_a_batch_is_as_large_as_its_device_takes_at_once(shop, tmp_path, monkeypatch):
    for number in range(40):
        paint(tmp_path / "many" / f"{number}.jpg", number)
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [tmp_path / "many"], COLLECTION)
    monkeypatch.setattr(shop.encoders.named(), "batch_patches", 36 * 256)
    assert embed_pending(shop, 1, budget_s=60, should_stop=lambda: True) is True
    assert progress(shop.resources, COLLECTION).ready == 36


def test_a_stop_leaves_the_rest_waiting_and_nothing_held(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    shop.resources.settings.batch_images = 2
    assert embed_pending(shop, 1, budget_s=60, should_stop=lambda: True) is True
    states = [row.status for row in rows(shop.resources)]
    assert states.count(ImageStatus.READY) == 2
    assert states.count(ImageStatus.PENDING) == 4


def test_a_task_that_fails_leaves_nothing_in_the_hands_of_a_worker_that_lives(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    shop.resources.settings.batch_images = 2  # one on its way, one decoding ahead
    blocked = shop.resources.storage.home / "thumbs"
    blocked.write_text("no folder")
    with pytest.raises(ServiceUnavailable, match="thumbs"):
        work(shop)
    assert not shop.at_work
    # the disk's fault, and held against no picture
    assert {(row.status, row.attempts) for row in rows(shop.resources)} == {(ImageStatus.PENDING, 0)}
    blocked.unlink()
    assert sweep(shop.resources) == [1]
    work(shop)
    assert {row.status for row in rows(shop.resources)} == {ImageStatus.READY}


class Away(Catalog):
    """A database that is away from a given moment on."""

    away = False

    @contextlib.contextmanager
    def begin(self):
        if self.away:
            raise ServiceUnavailable("the database is away")
        with super().begin() as session:
            yield session


def test_what_a_lost_database_left_in_our_hands_is_given_back_when_it_is_there_again(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    catalog = Away(shop.resources.settings.database)
    broken = dataclasses.replace(shop, resources=dataclasses.replace(shop.resources, catalog=catalog))

    def lose_it() -> bool:
        catalog.away = True
        return True

    with pytest.raises(ServiceUnavailable):
        embed_pending(broken, 1, budget_s=60, should_stop=lose_it)
    assert {row.status for row in rows(shop.resources)} == {ImageStatus.WORKING}
    catalog.away = False
    broken.give_back_owed()
    assert {(row.status, row.attempts) for row in rows(shop.resources)} == {(ImageStatus.PENDING, 0)}
    catalog.dispose()


def test_a_suspect_is_alone_in_the_hands_of_its_worker(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    with shop.resources.catalog.begin() as session:
        claims.claim(session, 1, owner="killed", limit=3, lease_s=-1.0)
    sweep(shop.resources)
    shop.resources.settings.batch_images = 2
    held = []

    def count_held() -> bool:
        held.append(sum(row.status is ImageStatus.WORKING for row in rows(shop.resources)))
        return False

    assert embed_pending(shop, 1, budget_s=60, should_stop=count_held) is False
    assert held == [2, 1, 1, 1, 1]
    assert {(row.status, row.code) for row in rows(shop.resources)} == {(ImageStatus.READY, None)}


def test_a_collection_deleted_in_mid_work_leaves_nothing_held(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    scan.ingest(shop.resources, [photos], COLLECTION)
    shop.resources.settings.batch_images = 2

    def delete_meanwhile() -> bool:
        library.delete_collection(shop.resources, COLLECTION)
        return False

    with pytest.raises(NotFound):
        embed_pending(shop, 1, budget_s=60, should_stop=delete_meanwhile)
    library.restore_collection(shop.resources, COLLECTION)
    sweep(shop.resources)
    work(shop)
    assert {row.status for row in rows(shop.resources)} == {ImageStatus.READY}


def test_an_upload_is_on_disk_before_it_is_acknowledged(shop, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    data = (photos / "0.jpg").read_bytes()
    receipt = receive.upload(shop.resources, COLLECTION, "../../etc/naïve name.jpg", data)
    assert receipt.outcome is Outcome.ADDED
    (row,) = rows(shop.resources)
    assert shop.resources.storage.original(row.digest).read_bytes() == data
    work(shop)
    facts = library.picture(shop.resources, receipt.image_id)
    assert (facts.status, facts.name) == ("ready", "naïve name.jpg")
    again = receive.upload(shop.resources, COLLECTION, "other.jpg", data)
    assert (again.outcome, again.image_id) == (Outcome.KNOWN, receipt.image_id)


@pytest.mark.parametrize(("name", "data"), [("notes.txt", b"hello"), ("clip.mp4", b"\x00\x00\x00\x18ftypmp42")])
def test_what_is_no_picture_is_skipped_at_the_door(shop, name, data):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    assert receive.upload(shop.resources, COLLECTION, name, data).outcome is Outcome.SKIPPED
    assert rows(shop.resources) == []


def test_a_picture_that_hangs_keeps_no_other_waiting(resources, encoders, tmp_path):
    settings = resources.settings.model_copy(update={"batch_images": 4, "decode_timeout_s": 15})
    for number in range(24):
        paint(tmp_path / "photos" / f"{number:02}{'-hang' if number == 5 else ''}.jpg", number)
    library.create_collection(resources, COLLECTION, encoders=encoders)
    scan.ingest(resources, [tmp_path / "photos"], COLLECTION)
    with Decoder(settings, POISONOUS) as decoder:
        shop = Workshop(dataclasses.replace(resources, settings=settings), encoders, decoder, "test")
        thread = threading.Thread(target=work, args=[shop])
        thread.start()
        wait_until(lambda: progress(resources, COLLECTION).ready == 23, "all others")
        (hangs,) = (row for row in rows(resources) if row.status is not ImageStatus.READY)
        assert (hangs.status, hangs.attempts) == (ImageStatus.WORKING, 1)
        thread.join()
    with resources.catalog.read() as session:
        (code,) = session.scalars(select(Image.code).where(Image.id == hangs.id))
    assert code == "decoder_timeout"
