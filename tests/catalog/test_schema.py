"""Migrations equal models; a database is backed up before it changes; two starts migrate once."""

import multiprocessing
import sqlite3

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from app.catalog import schema
from app.catalog.audit_models import Base
from app.catalog.database import migration_engine
from app.errors import ServiceUnavailable


def newest() -> str:
    return ScriptDirectory.from_config(schema.config()).get_current_head()


def test_migrations_make_exactly_the_models(database_url):
    schema.migrate(database_url)
    engine = migration_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_downgrading_leaves_nothing_behind(database_url):
    schema.migrate(database_url)
    with migration_engine(database_url).connect() as connection:
        command.downgrade(schema.config(connection), "base")
        connection.commit()
        assert set(inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}


def test_processes_that_start_together_migrate_once(database_url):
    spawn = multiprocessing.get_context("spawn")
    starts = [spawn.Process(target=schema.migrate, args=(database_url,)) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join(60)
    assert [start.exitcode for start in starts] == [0] * 4


def test_a_database_of_a_later_release_is_refused_untouched(tmp_path):
    url = f"sqlite:///{tmp_path / 'later.db'}"
    schema.migrate(url)
    with sqlite3.connect(tmp_path / "later.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ServiceUnavailable, match="later release"):
        schema.migrate(url)


def test_the_backup_holds_what_the_database_held(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    schema.migrate(url)
    copy = schema.backup(tmp_path / "old.db")
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest(),)]


def test_a_database_of_the_first_release_is_upgraded_with_its_rows_and_a_backup_beside_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    with migration_engine(url).connect() as connection:
        command.upgrade(schema.config(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO snapshots (collection_id, model_key_id, status, owner, watermark, created_at, recall_at_10)"
            " VALUES (1, 1, 'published', 'me', 5, 0, 1.0)"
        )
        connection.commit()
    with pytest.raises(ServiceUnavailable, match="2 rows lost their parent"):  # neither its collection nor its model
        schema.migrate(url)
    with sqlite3.connect(tmp_path / "old.db") as database:
        assert database.execute("SELECT watermark, build_s FROM snapshots").fetchall() == [(5, None)]
    assert len(list(tmp_path.glob("old.db.*.backup"))) == 1


def test_uploads_of_before_are_told_from_files_by_the_upgrade(database_url):
    """Their names lie in a folder called by their digest, and no disk has them."""
    engine = migration_engine(database_url)
    digest = "ab" * 32
    places = [
        (b"/home/uploads/abababab/x.jpg", "/home/uploads"),
        (b"/photos/x.jpg", "/photos"),
    ]
    with engine.connect() as connection:
        command.upgrade(schema.config(connection), "0003")
        _insert(connection, "model_keys", model="m", weights_sha256="w", preprocessing="p", precision="f", dim=1)
        _insert(connection, "collections", name="c", model_key_id=1, seq=0, created_at=0.0)
        image = {"digest": digest, "size_bytes": 1, "stored": True, "created_at": 0.0, "changed_seq": 0}
        work = {"status": "ready", "attempts": 0, "fence": 0, "not_before": 0.0}
        _insert(connection, "images", collection_id=1, **image, **work)
        for path, folder in places:
            where = {"path_bytes": path, "path": path.decode(), "folder": folder}
            _insert(connection, "locations", collection_id=1, image_id=1, **where, size_bytes=1, mtime_ns=1)
        command.upgrade(schema.config(connection), "head")
        kinds = connection.exec_driver_sql("SELECT kind FROM locations ORDER BY id").scalars().all()
        connection.rollback()
    assert kinds == ["upload", "file"]


def _insert(connection, table: str, **values) -> None:
    names = {"trained": True, **values} if table == "model_keys" else values
    marks = ", ".join(f":{name}" for name in names)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), names)
