"""Bring a database's tables to this release: backup first, foreign keys checked after."""

import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

import migrations
from app.catalog.database import migration_engine, unavailable
from app.errors import ServiceUnavailable


def migrate(url: str) -> None:
    """Create or upgrade the tables. Raises ServiceUnavailable when the database can't be reached or is too new."""
    engine = migration_engine(url)
    try:
        with engine.connect() as connection:
            _upgrade(engine, connection)
    except OperationalError as error:
        raise unavailable(engine.url, error) from error


def _upgrade(engine: Engine, connection: Connection) -> None:
    current, newest = _revision(connection), _newest()
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    connection.rollback()
    if current == newest:
        return
    if current is not None and current not in known:
        raise ServiceUnavailable(f"the database is of a later release (revision {current}): upgrade dinoseek")
    if current is not None and engine.dialect.name == "sqlite":
        backup(Path(engine.url.database))
    command.upgrade(config(connection), "head")
    connection.commit()
    if engine.dialect.name == "sqlite":
        _check_foreign_keys(connection)


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, the same from a checkout and from an installed package."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def backup(database: Path) -> Path:
    """A copy by SQLite's own backup: copying the file while it is in use would tear it."""
    copy = database.with_name(f"{database.name}.{time.strftime('%Y%m%d-%H%M%S')}.backup")
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise ServiceUnavailable(f"{len(broken)} rows lost their parent in the upgrade: restore the backup beside it")
