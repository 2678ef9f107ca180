"""A snapshot says how long its build took.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("build_s", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("snapshots", "build_s")
