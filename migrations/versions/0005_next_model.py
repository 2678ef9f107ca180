"""A collection can change its model: the change under way, and what it still has to embed.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATUSES = ("pending", "working", "ready", "failed", "gone")


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("add_only", sa.Boolean(), nullable=False),
        sa.Column("leave_behind", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_changes_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["model_key_id"], ["model_keys.id"], name=op.f("fk_changes_model_key_id_model_keys")),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_changes")),
    )
    op.create_table(
        "reembeddings",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("status", sa.Enum(*STATUSES, name="imagestatus", native_enum=False, length=16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_reembeddings_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_reembeddings_image_id_images")),
        sa.ForeignKeyConstraint(
            ["model_key_id"], ["model_keys.id"], name=op.f("fk_reembeddings_model_key_id_model_keys")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reembeddings")),
        sa.UniqueConstraint("image_id", "model_key_id", name=op.f("uq_reembeddings_image_id_model_key_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reembeddings_work", "reembeddings", ["status", "collection_id", "priority", "attempts", "id"])
    op.create_index("ix_reembeddings_owner", "reembeddings", ["owner"])


def downgrade() -> None:
    op.drop_index("ix_reembeddings_owner", "reembeddings")
    op.drop_index("ix_reembeddings_work", "reembeddings")
    op.drop_table("reembeddings")
    op.drop_table("changes")
