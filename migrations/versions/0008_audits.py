"""Duplicate audits: pairs, groups and their members, a person's decisions, and the ledger of what was moved.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIERS = ("identical", "same_pixels", "edited", "same_scene", "different", "unreadable")
ALONE, BESIDE = sa.text("against_id IS NULL"), sa.text("against_id IS NOT NULL")


def upgrade() -> None:
    for make in MAKERS:
        make()


def downgrade() -> None:
    for make in reversed(MAKERS):
        op.drop_table(make.__name__.removeprefix("_"))


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("first_digest", sa.String(length=64), nullable=False),
        sa.Column("second_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "word",
            sa.Enum("different", "keep_both", "same_scene", "copies", name="word", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("first_digest", "second_digest", name=op.f("uq_decisions_first_digest_second_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_decisions_second_digest"), "decisions", ["second_digest"])


def _looks() -> None:
    op.create_table(
        "looks",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=50), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("pixels_sha256", sa.String(length=64), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("digest", "method", name=op.f("pk_looks")),
    )


def _audits() -> None:
    op.create_table(
        "audits",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("against_id", ID, nullable=True),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "running", "done", "failed", name="auditstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column(
            "stage",
            sa.Enum("look", "join", "verify", "group", name="auditstage", native_enum=False, length=16),
            nullable=True,
        ),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cosine", sa.Double(), nullable=False),
        sa.Column("method", sa.String(length=50), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("against_seq", sa.BigInteger(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.Column("against_until_seq", sa.BigInteger(), nullable=False),
        sa.Column("blocks", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=True),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("pairs_checked", sa.BigInteger(), nullable=False),
        sa.Column("reclaimable_bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["against_id"], ["collections.id"], name=op.f("fk_audits_against_id_collections")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_audits_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["model_key_id"], ["model_keys.id"], name=op.f("fk_audits_model_key_id_model_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_audits_against",
        "audits",
        ["collection_id", "against_id", "model_key_id"],
        unique=True,
        sqlite_where=BESIDE,
        postgresql_where=BESIDE,
    )
    op.create_index(
        "uq_audits_alone",
        "audits",
        ["collection_id", "model_key_id"],
        unique=True,
        sqlite_where=ALONE,
        postgresql_where=ALONE,
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("first_digest", sa.String(length=64), nullable=False),
        sa.Column("second_digest", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("copies", sa.Boolean(), nullable=True),
        sa.Column("labelled_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_labels_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["model_key_id"], ["model_keys.id"], name=op.f("fk_labels_model_key_id_model_keys")),
        sa.PrimaryKeyConstraint(
            "collection_id", "model_key_id", "first_digest", "second_digest", name=op.f("pk_labels")
        ),
    )


def _thresholds() -> None:
    op.create_table(
        "thresholds",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("model_key_id", ID, nullable=False),
        sa.Column("method", sa.String(length=50), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("target_precision", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("set_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_thresholds_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(
            ["model_key_id"], ["model_keys.id"], name=op.f("fk_thresholds_model_key_id_model_keys")
        ),
        sa.PrimaryKeyConstraint("collection_id", "model_key_id", name=op.f("pk_thresholds")),
    )


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("audit_id", ID, nullable=False),
        sa.Column(
            "status",
            sa.Enum("planned", "done", "restoring", "restored", name="batchstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("link", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_batches_audit_id_audits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_batches_audit_id"), "batches", ["audit_id"])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("audit_id", ID, nullable=False),
        sa.Column("keeper_id", ID, nullable=False),
        sa.Column("scene", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.Enum(*TIERS, name="tier", native_enum=False, length=16), nullable=False),
        sa.Column("weakest", sa.Double(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("reclaimable_bytes", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_groups_audit_id_audits")),
        sa.ForeignKeyConstraint(["keeper_id"], ["images.id"], name=op.f("fk_groups_keeper_id_images")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("audit_id", "keeper_id", "scene", name=op.f("uq_groups_audit_id_keeper_id_scene")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_groups_bytes", "groups", ["audit_id", "settled", "reclaimable_bytes", "id"])
    op.create_index("ix_groups_doubt", "groups", ["audit_id", "settled", "weakest", "id"])
    op.create_index("ix_groups_tier", "groups", ["audit_id", "tier", "settled", "reclaimable_bytes"])


def _pairs() -> None:
    op.create_table(
        "pairs",
        sa.Column("audit_id", ID, nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("second_id", ID, nullable=False),
        sa.Column("cosine", sa.Double(), nullable=True),
        sa.Column("tier", sa.Enum(*TIERS, name="tier", native_enum=False, length=16), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("area", sa.Double(), nullable=True),
        sa.Column("scene", sa.Boolean(), nullable=True),
        sa.Column("relations", sa.JSON(), nullable=True),
        sa.Column("relations_back", sa.JSON(), nullable=True),
        sa.Column("warp", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_pairs_audit_id_audits")),
        sa.ForeignKeyConstraint(["first_id"], ["images.id"], name=op.f("fk_pairs_first_id_images")),
        sa.ForeignKeyConstraint(["second_id"], ["images.id"], name=op.f("fk_pairs_second_id_images")),
        sa.PrimaryKeyConstraint("audit_id", "first_id", "second_id", name=op.f("pk_pairs")),
    )
    op.create_index("ix_pairs_second", "pairs", ["second_id"])
    op.create_index("ix_pairs_tier", "pairs", ["audit_id", "tier", "first_id"])


def _unseen() -> None:
    op.create_table(
        "unseen",
        sa.Column("audit_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_unseen_audit_id_audits")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_unseen_image_id_images")),
        sa.PrimaryKeyConstraint("audit_id", "image_id", name=op.f("pk_unseen")),
    )


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("location_id", ID, nullable=False),
        sa.Column("role", sa.Enum("keeper", "duplicate", name="role", native_enum=False, length=16), nullable=False),
        sa.Column("tier", sa.Enum(*TIERS, name="tier", native_enum=False, length=16), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("relations", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("loses", sa.JSON(), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_members_group_id_groups")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_members_image_id_images")),
        sa.PrimaryKeyConstraint("group_id", "place", name=op.f("pk_members")),
    )
    op.create_index("ix_members_image", "members", ["image_id"])


def _moves() -> None:
    op.create_table(
        "moves",
        sa.Column("id", ID, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("host", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column("path_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("quarantine_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("kept_path_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("kept_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum("planned", "moved", "refused", "restored", name="movestate", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moved_at", sa.Double(), nullable=True),
        sa.Column("restored_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_moves_batch_id_batches")),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_moves_collection_id_collections")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_moves_image_id_images")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moves")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_moves_path", "moves", ["path_bytes"])
    op.create_index("ix_moves_state", "moves", ["batch_id", "state"])


MAKERS = (_decisions, _looks, _audits, _labels, _thresholds, _batches, _groups, _pairs, _unseen, _members, _moves)
