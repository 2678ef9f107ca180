"""What SQLite must be told, and that many writers get along."""

import multiprocessing
import sqlite3
import threading

import pytest
from sqlalchemy import func, select, text

from app.catalog import collections, database, schema
from app.catalog.database import Catalog
from app.catalog.models import Collection, Image
from app.errors import AlreadyExists, ServiceUnavailable
from tests.catalog.rows import make_collection

WRITERS, ROUNDS = 8, 20


def test_sqlite_runs_in_wal_with_foreign_keys_and_full_sync(tmp_path):
    url = f"sqlite:///{tmp_path / 'c.db'}"
    schema.migrate(url)
    with Catalog(url).read() as session:
        pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        found = [session.scalar(text(f"PRAGMA {name}")) for name in pragmas]
    assert found == ["wal", 1, 2, database.BUSY_TIMEOUT_MS]


def test_a_new_database_that_another_writes_to_is_waited_for(tmp_path):
    """SQLite itself does not wait: whoever turns the database into WAL while another begins to write is refused."""
    other = sqlite3.connect(tmp_path / "c.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, other.execute, ["COMMIT"])
    release.start()
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}").read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    release.join()
    other.close()


def write_many(url: str, collection_id: int, writer: int) -> None:
    catalog = Catalog(url)
    for number in range(ROUNDS):
        with catalog.begin() as session:
            session.scalar(
                select(func.count()).select_from(Image)
            )  # read first: a deferred transaction would fail here
            collections.next_seq(session, collection_id)
            session.add(Image(collection_id=collection_id, digest=f"{writer}-{number}", size_bytes=1))


def test_eight_processes_write_without_a_locked_database(database_url):
    schema.migrate(database_url)
    catalog = Catalog(database_url)
    with catalog.begin() as session:
        collection_id = make_collection(session).id
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(database_url, collection_id, n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    with catalog.read() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == WRITERS * ROUNDS
        assert session.get_one(Collection, collection_id).seq == WRITERS * ROUNDS
    catalog.dispose()


def test_a_taken_name_and_a_known_model_spoil_no_transaction(database_url):
    schema.migrate(database_url)
    catalog = Catalog(database_url)
    with catalog.begin() as session:
        first = make_collection(session)
        with pytest.raises(AlreadyExists):
            collections.add(session, first.name, first.model_key_id)
        assert collections.add(session, "another", first.model_key_id).id > first.id
    catalog.dispose()


def test_ids_are_never_reused(database_url):
    schema.migrate(database_url)
    catalog = Catalog(database_url)
    with catalog.begin() as session:
        image = Image(collection_id=make_collection(session).id, digest="a", size_bytes=1)
        session.add(image)
        session.flush()
        first = image.id
        session.delete(image)
        session.flush()
        again = Image(collection_id=image.collection_id, digest="b", size_bytes=1)
        session.add(again)
        session.flush()
        assert again.id > first
    catalog.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/none", "can't be used"),
        ("mysql://somewhere/db", "is not served"),
        ("nonsense", "no database URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(url, said):
    with pytest.raises(ServiceUnavailable, match=said) as refusal:
        schema.migrate(url)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_network_filesystems_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(database, "filesystem_of", lambda folder: "nfs4")
    with pytest.raises(ServiceUnavailable, match="lies on nfs4"):
        schema.migrate(f"sqlite:///{tmp_path / 'c.db'}")


def test_a_writer_that_froze_with_the_lock_in_its_hands_holds_nobody_up(postgres_url, monkeypatch):
    """Its host is paused, or gone with its connections open: no timeout of its own will end it."""
    schema.migrate(postgres_url)
    frozen, other = Catalog(postgres_url), Catalog(postgres_url)
    with other.begin() as session:
        collection_id = make_collection(session).id
    monkeypatch.setattr(database, "FROZEN_MS", 1_000)
    with pytest.raises(ServiceUnavailable, match="idle-in-transaction"), frozen.begin() as asleep:
        collections.lock(asleep, collection_id)
        lock_soon(other, collection_id)
        collections.lock(asleep, collection_id)  # it wakes, and hears that its time was over
    lock_soon(frozen, collection_id)


def lock_soon(catalog: Catalog, collection_id: int) -> None:
    with catalog.engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '20s'"))
        connection.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update())
