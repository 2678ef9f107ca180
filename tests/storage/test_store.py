"""A store that hosts share: what one keeps another finds, whole or not at all; what is away is not gone."""

import importlib.util
import io
import shutil
from pathlib import Path

import pytest

from app.errors import InvalidInput, NotFound, ServiceUnavailable, UnreadableImage
from app.settings import Settings
from app.storage import Storage, open_store
from app.storage import home as home_of
from app.storage.store import FolderStore
from tests import servers

PICTURE = bytes(range(256)) * 1000
WEBP = b"RIFF....WEBP"


@pytest.fixture
def a(tmp_path, store_url) -> Storage:
    return Storage(tmp_path / "a", open_store(store_url))


@pytest.fixture
def b(tmp_path, store_url) -> Storage:
    return Storage(tmp_path / "b", open_store(store_url))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("opened", [bytes, io.BytesIO])
def test_an_original_kept_by_one_home_is_found_by_another(a, b, opened):
    digest = a.keep_original(opened(PICTURE))
    assert files_below(a.home) == []  # the home is a cache, and nobody has looked yet
    found = b.find_original(digest)
    assert found.is_relative_to(b.home)
    assert found.read_bytes() == PICTURE
    assert b.find_original(digest) == found


def test_without_a_store_an_original_lies_in_the_home(tmp_path):
    alone = Storage(tmp_path)
    digest = alone.keep_original(io.BytesIO(PICTURE))
    assert alone.keep_original(PICTURE) == digest
    assert files_below(tmp_path) == [alone.original(digest)] == [alone.find_original(digest)]
    assert alone.read_original(digest) == alone.original(digest)
    assert alone.find_original("0" * 64) is None


def test_what_is_read_for_one_look_leaves_nothing_on_the_disk(a, b):
    digest = a.keep_original(PICTURE)
    assert b.read_original(digest) == PICTURE
    assert files_below(b.home) == []


def test_what_nobody_kept_is_found_by_nobody(a):
    assert a.find_original("0" * 64) is a.read_original("0" * 64) is a.find_thumbnail("0" * 64) is None
    assert files_below(a.home) == []


def test_a_damaged_original_is_refused_and_healed_by_another_put(a, b):
    digest = a.keep_original(PICTURE)
    a.store.put(f"originals/{digest[:2]}/{digest}", PICTURE[:-1] + b"x")
    for look in (b.find_original, b.read_original):
        with pytest.raises(UnreadableImage, match="damaged") as refusal:
            look(digest)
        assert refusal.value.code == "damaged_copy"
    assert files_below(b.home) == []
    a.keep_original(PICTURE)
    assert b.find_original(digest).read_bytes() == PICTURE


def test_originals_that_were_looked_at_do_not_fill_the_disk(a, b, monkeypatch):
    monkeypatch.setattr(home_of, "FETCHED_BYTES", 2 * len(PICTURE))
    digests = [a.keep_original(PICTURE + bytes([number])) for number in range(4)]
    monkeypatch.setattr(home_of, "FETCHED_BYTES", 2 * len(PICTURE) + 2)
    found = [b.find_original(digest) for digest in digests]
    assert sum(path.exists() for path in found) == 2
    assert found[-1].exists()
    assert b.find_original(digests[0]).read_bytes() == PICTURE + b"\x00"


def test_an_original_that_only_this_home_has_is_never_swept(a, monkeypatch):
    """Of the time before the store was set."""
    monkeypatch.setattr(home_of, "FETCHED_BYTES", 1)
    old = Storage(a.home)
    digest = old.keep_original(PICTURE)
    a.find_original(a.keep_original(PICTURE + b"x"))
    assert a.find_original(digest) == old.original(digest)
    assert old.original(digest).read_bytes() == PICTURE


def test_thumbnails_of_one_home_are_shown_by_another(a, b):
    a.keep_thumbnails({"11" * 32: WEBP, "22" * 32: WEBP + b"2"})
    assert b.find_thumbnail("22" * 32) == b.thumbnail("22" * 32)
    assert b.thumbnail("22" * 32).read_bytes() == WEBP + b"2"
    assert a.find_thumbnail("11" * 32).read_bytes() == WEBP


def test_a_snapshot_is_shared_whole_and_withdrawn(a, b, tmp_path):
    for number in (1, 2):
        a.snapshot(7, number).mkdir(parents=True)
        for name in ("manifest.json", "vectors.faiss"):
            (a.snapshot(7, number) / name).write_bytes(f"{number} {name}".encode())
        assert not a.is_shared(a.snapshot(7, number))
        a.share_snapshot(a.snapshot(7, number), last="manifest.json")
        assert a.is_shared(a.snapshot(7, number))
    a.withdraw_snapshots(7, [1, 3])
    into = tmp_path / "into"
    into.mkdir()
    b.fetch_snapshot(b.snapshot(7, 2), into)
    assert {path.name: path.read_text() for path in into.iterdir()} == {
        "manifest.json": "2 manifest.json",
        "vectors.faiss": "2 vectors.faiss",
    }
    with pytest.raises(NotFound, match="build the index again"):
        b.fetch_snapshot(b.snapshot(7, 1), into)


def test_the_manifest_of_a_snapshot_goes_last(a, monkeypatch):
    put, order = type(a.store).put_file, []
    monkeypatch.setattr(
        type(a.store), "put_file", lambda store, key, path: (order.append(path.name), put(store, key, path))
    )
    a.snapshot(7, 1).mkdir(parents=True)
    for name in ("cells.faiss", "manifest.json", "vectors.faiss"):
        (a.snapshot(7, 1) / name).touch()
    a.share_snapshot(a.snapshot(7, 1), last="manifest.json")
    assert len(order) == 3 and order[-1] == "manifest.json"


def test_a_probe_leaves_nothing(a):
    a.store.probe()
    assert a.store.names("") == []


class Forgetful(FolderStore):
    """A disk that says yes and keeps less."""

    def _write_file(self, place: str, path: Path) -> None:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_bytes(path.read_bytes()[:-1])


def test_what_the_store_does_not_have_whole_is_not_acknowledged(tmp_path):
    storage = Storage(tmp_path / "home", Forgetful(f"file://{tmp_path}"))
    with pytest.raises(ServiceUnavailable, match=r"255,999 of the 256,000 bytes"):
        storage.keep_original(PICTURE)


def test_a_disk_that_is_not_mounted_takes_nothing_and_has_lost_nothing(tmp_path):
    (tmp_path / "share").mkdir()
    storage = Storage(tmp_path / "home", open_store(f"file://{tmp_path / 'share'}"))
    digest = storage.keep_original(PICTURE)
    (tmp_path / "share").rename(tmp_path / "unmounted")
    for use in (lambda: storage.find_original(digest), lambda: storage.keep_original(PICTURE), storage.store.probe):
        with pytest.raises(ServiceUnavailable, match="mount its disk"):
            use()
    assert not (tmp_path / "share").exists()  # else the pictures would have gone to another disk
    (tmp_path / "unmounted").rename(tmp_path / "share")
    assert storage.read_original(digest) == PICTURE


def test_a_bucket_that_is_not_there_is_not_an_empty_one(s3_server, monkeypatch):
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://another/prefix")
    for use in (lambda: store.get("a"), lambda: store.put("a", b"1"), lambda: store.names("snapshots"), store.probe):
        with pytest.raises(ServiceUnavailable, match="make the bucket"):
            use()


def test_a_server_that_does_not_answer_is_said_to_be_unusable(monkeypatch, s3_server):
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
    with pytest.raises(ServiceUnavailable, match=r"s3://pictures/x can't be used .* AWS_\*"):
        open_store("s3://pictures/x").get("a")


@pytest.mark.parametrize("url", ["ftp://host/x", "sftp://host/x", "s3://", "file://", "file://share", "/mnt/share", ""])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(InvalidInput, match="give s3://BUCKET/PREFIX or file:///FOLDER"):
        open_store(url)


def test_a_password_in_the_address_is_refused_and_not_shown():
    url = "s3://key:hidden@bucket/x"
    with pytest.raises(InvalidInput, match="AWS_SECRET_ACCESS_KEY") as refusal:
        open_store(url)
    assert "hidden" not in str(refusal.value)
    assert "hidden" not in repr(Settings(_env_file=None, storage_url=url))


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed here")
def test_a_library_that_is_not_here_is_named_with_the_command_that_helps():
    with pytest.raises(ServiceUnavailable, match=r"^the store gs://bucket/x needs a library: pip install gcsfs$"):
        open_store("gs://bucket/x")


def test_a_home_that_was_deleted_is_filled_again_from_the_store(a):
    digest = a.keep_original(PICTURE)
    a.keep_thumbnails({digest: WEBP})
    shutil.rmtree(a.home, ignore_errors=True)
    a.prepare()
    assert a.find_original(digest).read_bytes() == PICTURE
    assert a.find_thumbnail(digest).read_bytes() == WEBP


def test_patches_kept_by_one_home_are_found_by_another_under_their_own_key(a, b):
    digests = [f"{number:064d}" for number in range(3)]
    a.keep_patches("light", {digests[0]: b"first", digests[1]: b"second"})
    assert b.find_patches("light", digests) == {digests[0]: b"first", digests[1]: b"second"}
    assert b.patches("light", digests[0]).read_bytes() == b"first"
    assert b.find_patches("full", digests) == {}


def test_patches_that_a_home_lost_are_brought_again(a, b):
    digest = "0" * 64
    a.keep_patches("light", {digest: b"first"})
    shutil.rmtree(a.home / "patches")
    assert a.find_patches("light", [digest]) == {digest: b"first"}


def test_patches_in_a_share_that_is_not_mounted_are_not_lost(tmp_path):
    a = Storage(tmp_path / "a", open_store(f"file://{tmp_path / 'share'}"))
    with pytest.raises(ServiceUnavailable, match="is not there"):
        a.find_patches("light", ["0" * 64])
