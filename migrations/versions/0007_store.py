"""Hosts that share no disk: a path is one host's own, and a picture may wait for the host that has it.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# table -> what was unique in it within a collection, to which the host is added now
UNIQUE = {"locations": ["path_bytes"], "sources": ["kind", "address_bytes"]}
LEDGERS = ("images", "reembeddings")
NEVER_REUSED = {"sqlite_autoincrement": True}  # else SQLite's copy of the table forgets it


def upgrade() -> None:
    for ledger in LEDGERS:
        op.add_column(ledger, sa.Column("away_since", sa.Double(), nullable=True))
    for name, columns in UNIQUE.items():
        with op.batch_alter_table(name, table_kwargs=NEVER_REUSED) as table:
            table.add_column(sa.Column("host", sa.String(length=100), server_default=sa.text("''"), nullable=False))
            table.drop_constraint(_unique(name, columns), type_="unique")
            table.create_unique_constraint(_unique(name, ["host", *columns]), ["collection_id", "host", *columns])


def downgrade() -> None:
    for name, columns in UNIQUE.items():
        _drop_namesakes(name, columns)
        with op.batch_alter_table(name, table_kwargs=NEVER_REUSED) as table:
            table.drop_constraint(_unique(name, ["host", *columns]), type_="unique")
            table.create_unique_constraint(_unique(name, columns), ["collection_id", *columns])
            table.drop_column("host")
    for ledger in LEDGERS:
        op.drop_column(ledger, "away_since")


def _unique(table: str, columns: list[str]) -> str:
    return f"uq_{table}_collection_id_{'_'.join(columns)}"


def _drop_namesakes(table: str, columns: list[str]) -> None:
    """Of the same address on two hosts the one seen first stays."""
    same = " AND ".join(f"first.{column} = {table}.{column}" for column in ["collection_id", *columns])
    op.execute(
        f"DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {table} AS first WHERE first.id < {table}.id AND {same})"
    )
