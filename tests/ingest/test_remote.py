"""Pictures on a real S3 server: in place or copied, away for a while, gone, changed, too large."""

import os
import shutil
from collections.abc import Iterator

import fsspec
import pytest
import s3fs
from sqlalchemy import select, update

from app import library, remote, whereabouts
from app.catalog.models import Image, Location, Source
from app.catalog.states import ImageStatus, PlaceKind, SourceState
from app.errors import InvalidInput, NotFound, ServiceUnavailable
from app.ingest import failures, scan
from app.ingest.progress import progress
from app.ingest.report import ScanReport
from app.search.desk import SearchDesk
from tests import servers
from tests.workshop import COLLECTION, fill, work

BUCKET = "s3://photos"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[dict[str, str]]:
    with servers.s3() as environment:
        yield environment


@pytest.fixture
def s3(endpoint, monkeypatch) -> Iterator[s3fs.S3FileSystem]:
    """An empty server, in the environment a person would have."""
    for name, value in endpoint.items():
        monkeypatch.setenv(name, value)
    fresh_connections()
    filesystem = s3fs.S3FileSystem(endpoint_url=endpoint["AWS_ENDPOINT_URL"], use_listings_cache=False)
    filesystem.mkdir(BUCKET)
    yield filesystem
    filesystem.rm(BUCKET, recursive=True)
    fresh_connections()


def fresh_connections() -> None:
    remote.server.cache_clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture
def bucket(s3, photos) -> s3fs.S3FileSystem:
    """The six pictures of `photos`, and a note beside them."""
    for path in photos.rglob("*.*"):
        s3.put_file(str(path), f"{BUCKET}/trip/{path.relative_to(photos)}")
    s3.pipe_file(f"{BUCKET}/trip/notes.txt", b"hello")
    s3.pipe_file(f"{BUCKET}/trip/.hidden/0.jpg", (photos / "0.jpg").read_bytes())
    return s3


def ingest(resources, *addresses: str, **wishes) -> ScanReport:
    return scan.ingest(resources, addresses, COLLECTION, wishes=scan.Wishes(**wishes))


def all_rows(resources, *columns) -> list:
    with resources.catalog.read() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(columns[0].class_.id))]


def test_a_prefix_is_read_to_the_bottom_and_each_object_recorded_by_its_address(rows_on_both, bucket, photos):
    report = ingest(rows_on_both, f"{BUCKET}/trip/")
    assert report.counts == {"seen": 7, "added": 6, "known": 0, "failed": 0, "skipped": 1}
    addresses = [f"{BUCKET}/trip/{path.relative_to(photos)}" for path in sorted(photos.rglob("*.*"))]
    found = all_rows(rows_on_both, Location.path, Location.kind, Location.path_bytes)
    assert sorted(found) == sorted((at, PlaceKind.REMOTE, at.encode()) for at in addresses)
    assert all_rows(rows_on_both, Source.address, Source.state, Source.files) == [
        (f"{BUCKET}/trip", SourceState.HERE, 6)
    ]


def test_one_object_can_be_given(rows, bucket):
    assert ingest(rows, f"{BUCKET}/trip/0.jpg").counts["added"] == 1


def test_what_did_not_change_is_not_fetched_again(rows, bucket, monkeypatch):
    ingest(rows, BUCKET)
    monkeypatch.setattr(scan, "take", lambda found, *_: pytest.fail(f"{found} was fetched again"))
    assert ingest(rows, f"{BUCKET}/trip/0.jpg").counts["known"] == 1


def test_workers_read_the_bytes_from_the_server(shop, bucket, photos):
    shutil.rmtree(photos)  # nothing of this machine can help
    report = fill(shop, f"{BUCKET}/trip")
    assert report.counts == {"seen": 7, "added": 6, "known": 0, "failed": 0, "skipped": 1}
    assert progress(shop.resources, COLLECTION).ready == 6
    desk = SearchDesk(shop.resources, shop.decoder, shop.encoders)
    assert desk.by_image(COLLECTION, 1, k=5, box=(0.0, 0.0, 0.5, 0.5)).hits  # a region needs the original
    assert whereabouts.original(shop.resources, 1) == bucket.cat_file(library.picture(shop.resources, 1).path)


def test_copied_objects_need_no_server(shop, bucket):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, BUCKET, copy=True)
    bucket.rm(f"{BUCKET}/trip", recursive=True)
    work(shop)
    assert progress(shop.resources, COLLECTION).ready == 6
    assert set(all_rows(shop.resources, Image.stored)) == {(True,)}


def test_an_object_that_went_is_vanished_and_comes_back_by_ingest(shop, bucket, photos):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, BUCKET)
    bucket.rm(f"{BUCKET}/trip/0.jpg")
    work(shop)
    (missing,) = failures.failures(shop.resources, COLLECTION)
    assert (missing.error, missing.path) == ("vanished", f"{BUCKET}/trip/0.jpg")
    bucket.put_file(str(photos / "0.jpg"), f"{BUCKET}/trip/0.jpg")
    assert fill(shop, BUCKET).counts["failed"] == 0
    assert progress(shop.resources, COLLECTION).ready == 6


def test_a_server_that_is_away_costs_no_attempt_and_work_goes_on_when_it_is_back(shop, bucket, monkeypatch, endpoint):
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    ingest(shop.resources, BUCKET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
    fresh_connections()
    work(shop)
    assert set(all_rows(shop.resources, Image.status, Image.attempts, Image.code)) == {(ImageStatus.PENDING, 0, "away")}
    now = progress(shop.resources, COLLECTION)
    assert (now.waiting, now.resting, now.failed) == (6, 6, 0)
    (source,) = all_rows(shop.resources, Source.state, Source.reason)
    assert source[0] is SourceState.AWAY
    assert "can't be reached" in source[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint["AWS_ENDPOINT_URL"])
    fresh_connections()
    with shop.resources.catalog.begin() as session:
        session.execute(update(Image).values(not_before=0.0))  # a minute later
    work(shop)
    assert progress(shop.resources, COLLECTION).ready == 6


def test_a_server_away_at_the_second_ingest_is_told_and_hides_nothing(rows, bucket, monkeypatch, endpoint):
    ingest(rows, BUCKET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
    fresh_connections()
    report = ingest(rows, BUCKET)
    assert [absent.address for absent in report.away] == [BUCKET]
    assert {status for (status,) in all_rows(rows, Image.status)} == {ImageStatus.PENDING}
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint["AWS_ENDPOINT_URL"])
    fresh_connections()
    assert ingest(rows, BUCKET).away == []
    assert all_rows(rows, Source.state) == [(SourceState.HERE,)]


def test_objects_that_were_deleted_are_forgotten_and_too_many_are_not(rows, s3, photos):
    data = (photos / "0.jpg").read_bytes()
    for number in range(40):
        s3.pipe_file(f"{BUCKET}/{number:02}.jpg", data + bytes([number]))
    ingest(rows, BUCKET)
    s3.rm(f"{BUCKET}/00.jpg")
    ingest(rows, BUCKET)
    assert [status for (status,) in all_rows(rows, Image.status)].count(ImageStatus.GONE) == 1
    for number in range(1, 30):
        s3.rm(f"{BUCKET}/{number:02}.jpg")
    assert "29 of 39" in ingest(rows, BUCKET).away[0].reason
    assert [status for (status,) in all_rows(rows, Image.status)].count(ImageStatus.GONE) == 1
    assert ingest(rows, BUCKET, forget_missing=True).away == []
    assert [status for (status,) in all_rows(rows, Image.status)].count(ImageStatus.GONE) == 30


def test_an_emptied_prefix_is_away_until_a_person_says_that_it_is_gone_and_a_dead_server_is_never(
    rows, bucket, monkeypatch
):
    ingest(rows, BUCKET)
    bucket.rm(f"{BUCKET}/trip", recursive=True)
    assert [absent.address for absent in ingest(rows, BUCKET).away] == [BUCKET]
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
        fresh_connections()
        assert ingest(rows, BUCKET, forget_missing=True).away
    assert {status for (status,) in all_rows(rows, Image.status)} == {ImageStatus.PENDING}
    fresh_connections()
    assert ingest(rows, BUCKET, forget_missing=True).away == []
    assert {status for (status,) in all_rows(rows, Image.status)} == {ImageStatus.GONE}


def test_an_object_over_the_limit_is_refused_and_not_held(shop, s3, photos):
    s3.pipe_file(f"{BUCKET}/large.jpg", (photos / "0.jpg").read_bytes() + bytes(300_000))
    s3.put_file(str(photos / "1.jpg"), f"{BUCKET}/1.jpg")
    shop.resources.settings.max_file_bytes = 200_000
    library.create_collection(shop.resources, COLLECTION, encoders=shop.encoders)
    report = ingest(shop.resources, BUCKET)
    (refused,) = report.receipts
    assert (refused.error, report.counts["added"]) == ("too_large", 1)
    with pytest.raises(remote.UnreadableImage, match="DINOSEEK_MAX_FILE_BYTES"):
        remote.server_of(BUCKET, 5.0).read(f"{BUCKET}/large.jpg", 200_000)


def test_an_address_that_is_empty_or_away_from_the_start_is_one_line(rows, s3, monkeypatch):
    with pytest.raises(NotFound, match=r"^s3://photos/nothing is not there: check"):
        ingest(rows, f"{BUCKET}/nothing")
    with pytest.raises(NotFound, match="s3://no-such-bucket"):
        ingest(rows, "s3://no-such-bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
    fresh_connections()
    with pytest.raises(NotFound, match="can't be reached"):
        ingest(rows, BUCKET)


def test_a_reading_that_takes_too_long_is_given_up(s3, photos, monkeypatch):
    s3.put_file(str(photos / "0.jpg"), f"{BUCKET}/0.jpg")
    server = remote.Server(BUCKET, timeout_s=0.000001)
    with pytest.raises(ServiceUnavailable, match="can't be reached"):
        server.read(f"{BUCKET}/0.jpg", 10**6)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("gs://bucket/x", "pip install gcsfs"),
        ("abfs://container/x", "pip install adlfs"),
        ("nonsense://x", "nothing we know reads nonsense://"),
        ("zip::s3://bucket/a.zip", "a chain of filesystems"),
    ],
)
def test_an_address_that_nothing_here_reads_is_one_line_with_the_way_out(rows, address, said):
    with pytest.raises(InvalidInput, match=said):
        ingest(rows, address)


def test_s3_without_its_library_names_the_extra(rows, monkeypatch):
    def missing(protocol: str):
        raise ImportError(protocol)

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(InvalidInput, match=r"pip install 'dinoseek\[s3\]'"):
        ingest(rows, "s3://elsewhere/x")


def test_a_folder_of_this_machine_by_its_url_is_a_folder(rows, photos):
    assert ingest(rows, f"file://{photos}").counts["added"] == 6
    assert all_rows(rows, Source.address) == [(str(photos),)]
    assert os.fsencode(photos) in all_rows(rows, Location.path_bytes)[0][0]
