"""A worker says where its time goes and when it last took and finished work; a collection, when it was last worked on.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("workers", sa.Column("stage_s", sa.JSON(), nullable=True))
    op.add_column("workers", sa.Column("claimed_at", sa.Double(), nullable=True))
    op.add_column("workers", sa.Column("batch_at", sa.Double(), nullable=True))
    op.add_column("collections", sa.Column("worked_at", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("collections", "worked_at")
    for column in ("batch_at", "claimed_at", "stage_s"):
        op.drop_column("workers", column)
