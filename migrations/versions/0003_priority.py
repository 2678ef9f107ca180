"""What a person waits for is claimed before what was poured in.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WORK = "ix_images_work"


def upgrade() -> None:
    op.add_column("images", sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="1"))
    op.drop_index(WORK, "images")
    op.create_index(WORK, "images", ["status", "collection_id", "priority", "attempts", "id"])


def downgrade() -> None:
    op.drop_index(WORK, "images")
    op.create_index(WORK, "images", ["status", "collection_id", "attempts", "id"])
    op.drop_column("images", "priority")
