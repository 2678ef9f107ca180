"""Hosts that share no disk: a path is one host's own, and a picture may wait for the host that has it.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

OF_A_PATH = "uq_locations_collection_id_path_bytes"
OF_A_HOST = "uq_locations_collection_id_host_path_bytes"
NEVER_REUSED = {"sqlite_autoincrement": True}  # else SQLite's copy of the table forgets it


def upgrade() -> None:
    op.add_column("images", sa.Column("away_since", sa.Double(), nullable=True))
    with op.batch_alter_table("locations", table_kwargs=NEVER_REUSED) as table:
        table.add_column(sa.Column("host", sa.String(length=100), server_default=sa.text("''"), nullable=False))
        table.drop_constraint(OF_A_PATH, type_="unique")
        table.create_unique_constraint(OF_A_HOST, ["collection_id", "host", "path_bytes"])


def downgrade() -> None:
    # of the same path on two hosts the one seen first stays
    op.execute(
        "DELETE FROM locations WHERE EXISTS (SELECT 1 FROM locations AS first WHERE first.id < locations.id"
        " AND first.collection_id = locations.collection_id AND first.path_bytes = locations.path_bytes)"
    )
    with op.batch_alter_table("locations", table_kwargs=NEVER_REUSED) as table:
        table.drop_constraint(OF_A_HOST, type_="unique")
        table.create_unique_constraint(OF_A_PATH, ["collection_id", "path_bytes"])
        table.drop_column("host")
    op.drop_column("images", "away_since")
