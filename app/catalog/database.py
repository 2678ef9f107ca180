"""Engine and sessions: SQLite in WAL mode by default, PostgreSQL by URL, the same code on both.

Every write on SQLite begins IMMEDIATE: a transaction that reads first and writes later fails at once under
concurrency, whatever the busy timeout.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.errors import ServiceUnavailable

BUSY_TIMEOUT_MS = 30_000
FROZEN_MS = 60_000  # a host that froze between two statements of a write holds a collection's lock no longer than this
BUSY_PAUSE_S = 0.02
SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA synchronous=FULL",  # an acknowledged upload survives power loss
    "PRAGMA foreign_keys=ON",
)
# WAL needs shared memory on one host; over these it corrupts
NETWORK_FILESYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs"}


class Catalog:
    """Sessions on the catalogue. `begin` writes and commits at its end; `read` never does."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = make_engine(url)
        self._writer = self.engine.execution_options(write=True)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Session]:
        """A write transaction: committed at the end, rolled back on any error."""
        with self._plainly(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        with self._plainly(), Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def dispose(self) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        """Say in one line when the database itself can't be reached."""
        try:
            yield
        except DBAPIError as error:
            if not error.connection_invalidated and type(error).__name__ != "OperationalError":
                raise
            raise unavailable(self.url, error) from error


def unavailable(url, error: Exception) -> ServiceUnavailable:
    first_line = str(getattr(error, "orig", error)).strip().splitlines()[0]
    where = url.render_as_string(hide_password=True)
    way_out = "check DINOSEEK_DATABASE_URL"
    if url.get_backend_name() == "sqlite":
        way_out += ", and that its disk has room"  # a full one is called an I/O error by some of SQLite's calls
    return ServiceUnavailable(f"the database {where} can't be used ({first_line}): {way_out}")


def make_engine(url: str, **options) -> Engine:
    """An engine with the pragmas and transaction starts that SQLite needs. Raises ServiceUnavailable for a bad URL."""
    try:
        parsed = make_url(url)
    except Exception as error:  # noqa: BLE001  (ArgumentError, ValueError for a port that is no number)
        raise ServiceUnavailable(f"DINOSEEK_DATABASE_URL is no database URL ({error}): see README") from None
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 5}, **options)
        event.listen(engine, "begin", _end_if_frozen)
        return engine
    if parsed.get_backend_name() != "sqlite":
        raise ServiceUnavailable(f"{parsed.drivername} is not served: use sqlite:///FILE or postgresql://HOST/NAME")
    refuse_network_filesystem(Path(parsed.database))
    engine = create_engine(parsed, connect_args={"check_same_thread": False}, **options)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def migration_engine(url: str) -> Engine:
    """An engine for schema changes: no pool, and on SQLite foreign keys off, which a transaction can't switch."""
    engine = make_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA foreign_keys=OFF"))
    return engine.execution_options(write=True)


def _set_pragmas(dbapi, _record) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in SQLITE_PRAGMAS:
        dbapi.execute(pragma)
    _into_wal(dbapi, time.monotonic() + BUSY_TIMEOUT_MS / 1000)


def _into_wal(dbapi: sqlite3.Connection, until: float) -> None:
    """Of several that open a new database at once, one turns it; SQLite refuses the others without waiting."""
    while True:
        try:
            dbapi.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(BUSY_PAUSE_S)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _end_if_frozen(connection: Connection) -> None:
    """PostgreSQL itself waits for ever, and for two hours where the host is gone. Reads hold no lock."""
    if connection.get_execution_options().get("write", False):
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {FROZEN_MS}")


def refuse_network_filesystem(database: Path) -> None:
    kind = filesystem_of(database.parent)
    if kind in NETWORK_FILESYSTEMS:
        raise ServiceUnavailable(
            f"{database} lies on {kind}, where SQLite corrupts: "
            "set DINOSEEK_HOME to a local disk, or DINOSEEK_DATABASE_URL to PostgreSQL"
        )


def filesystem_of(folder: Path) -> str | None:
    """The kind of filesystem a folder lies on, from the mount table; None where there is no such table."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return None
    resolved = folder.resolve()
    entries = [line.split() for line in mounts.read_text().splitlines()]
    inside = [(mount, kind) for _, mount, kind, *_ in entries if resolved.is_relative_to(mount)]
    return max(inside, default=(None, None), key=lambda entry: len(entry[0] or ""))[1]
