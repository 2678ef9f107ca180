"""Rows that may be there already: both databases can leave those alone, each in words of its own."""

from collections.abc import Iterator, Sequence

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
VALUES_PER_STATEMENT = 20_000  # SQLite takes 32,766, PostgreSQL 65,535


def add_new(session: Session, table: type, rows: Sequence[dict]) -> int:
    """Insert those of `rows` whose key is not there; how many that were. All have the same columns."""
    insert = INSERTS[session.get_bind().dialect.name]
    added = 0
    for portion in _portions(rows):
        statement = insert(table).values(portion).on_conflict_do_nothing()
        # else the count is -1 on PostgreSQL
        added += session.execute(statement.execution_options(preserve_rowcount=True)).rowcount
    return added


def put(session: Session, table: type, rows: Sequence[dict], key: Sequence[str]) -> None:
    """Insert `rows`, or write over what has the same key."""
    insert = INSERTS[session.get_bind().dialect.name]
    for portion in _portions(rows):
        statement = insert(table).values(portion)
        changes = {name: statement.excluded[name] for name in portion[0] if name not in key}
        session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes))


def _portions(rows: Sequence[dict]) -> Iterator[Sequence[dict]]:
    if not rows:
        return
    step = max(1, VALUES_PER_STATEMENT // len(rows[0]))
    yield from (rows[start : start + step] for start in range(0, len(rows), step))
