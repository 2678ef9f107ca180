"""What was given to `ingest` is remembered, and what each location's address is.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNIQUE = "uq_sources_collection_id_kind_address_bytes"
# an upload's name lies in a folder called by its digest, below the folder that filters know
UPLOADS = """
    UPDATE locations SET kind = 'upload' WHERE EXISTS (
        SELECT 1 FROM images WHERE images.id = locations.image_id AND images.stored
        AND substr(locations.path, 1, length(locations.folder) + 10)
            = locations.folder || '/' || substr(images.digest, 1, 8) || '/'
    )
"""


def upgrade() -> None:
    op.add_column("locations", sa.Column("kind", sa.String(16), nullable=False, server_default="file"))
    op.execute(UPLOADS)
    op.create_table(
        "sources",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("address_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_scan", sa.Double(), nullable=True),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_sources_collection_id_collections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint(
            "collection_id", "kind", "address_bytes", name=op.f("uq_sources_collection_id_kind_address_bytes")
        ),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("sources")
    op.drop_column("locations", "kind")
