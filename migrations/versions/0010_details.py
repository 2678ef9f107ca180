"""Places of pictures are kept beside their vectors: how much is part of a model key, and their regions have an index.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENTITY = ["model", "weights_sha256", "preprocessing", "precision"]
BEFORE, SINCE = "uq_model_keys_model_weights_sha256_preprocessing_precision", "uq_model_keys_identity"
NEVER_REUSED = {"sqlite_autoincrement": True}  # else SQLite's copy of the table forgets it
KIND = sa.Enum("whole", "regions", name="kind", native_enum=False, length=16)


def upgrade() -> None:
    with op.batch_alter_table("model_keys", table_kwargs=NEVER_REUSED) as table:
        table.add_column(sa.Column("detail", sa.String(length=20), server_default=sa.text("'off'"), nullable=False))
        table.drop_constraint(BEFORE, type_="unique")
        table.create_unique_constraint(SINCE, [*IDENTITY, "detail"])
    op.add_column("collections", sa.Column("regions_snapshot_id", ID, nullable=True))
    op.add_column("snapshots", sa.Column("kind", KIND, server_default="whole", nullable=False))
    op.create_table(
        "bases",
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["model_key_id"], ["model_keys.id"], name=op.f("fk_bases_model_key_id_model_keys")),
        sa.PrimaryKeyConstraint("model_key_id", name=op.f("pk_bases")),
    )
    op.create_table(
        "regions",
        sa.Column("image_id", ID, nullable=False),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.Column("boxes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_regions_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_regions_image_id_images")),
        sa.ForeignKeyConstraint(["model_key_id"], ["model_keys.id"], name=op.f("fk_regions_model_key_id_model_keys")),
        sa.PrimaryKeyConstraint("image_id", "model_key_id", name=op.f("pk_regions")),
    )
    op.create_index("ix_regions_seq", "regions", ["collection_id", "model_key_id", "seq"])


def downgrade() -> None:
    """Keys with detail stay apart under a preprocessing no earlier release knows: switch such collections first."""
    op.drop_index("ix_regions_seq", "regions")
    op.drop_table("regions")
    op.drop_table("bases")
    op.drop_column("snapshots", "kind")
    op.drop_column("collections", "regions_snapshot_id")
    op.execute("UPDATE model_keys SET preprocessing = preprocessing || '+' || detail WHERE detail <> 'off'")
    with op.batch_alter_table("model_keys", table_kwargs=NEVER_REUSED) as table:
        table.drop_constraint(SINCE, type_="unique")
        table.create_unique_constraint(BEFORE, IDENTITY)
        table.drop_column("detail")
