"""Which file of the disk a place is, so that hard links free nothing; and a person's acts, so that they can be undone.

Rules: locks are short; the previous release's code still works on the new schema; no row of a person is dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("locations", sa.Column("inode", sa.String(length=50), nullable=True))
    op.add_column("members", sa.Column("linked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "acts",
        sa.Column("id", ID, nullable=False),
        sa.Column("audit_id", ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("mark", "word", "keep", "settle", name="actkind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_acts_audit_id_audits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_acts_audit", "acts", ["audit_id", "id"])


def downgrade() -> None:
    op.drop_table("acts")
    op.drop_column("members", "linked")
    op.drop_column("locations", "inode")
