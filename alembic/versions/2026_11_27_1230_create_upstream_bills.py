"""Create what upstreams billed.

Revision: 20261127ub; follows: 20261127ad.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127ub"
down_revision = "20261127ad"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "reconciliation_bill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["catalog_channel.id"], name=op.f("fk_reconciliation_bill_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_bill")),
        sa.UniqueConstraint("channel_id", "sha256", name=op.f("uq_reconciliation_bill_channel_id_sha256")),
    )
    op.create_table(
        "reconciliation_bill_line",
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("upstream_model", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("request_count", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["reconciliation_bill.id"], name=op.f("fk_reconciliation_bill_line_bill_id")),
        sa.PrimaryKeyConstraint(
            "bill_id", "day", "upstream_model", "currency", name=op.f("pk_reconciliation_bill_line")
        ),
    )
    op.create_index(op.f("ix_reconciliation_bill_line_day"), "reconciliation_bill_line", ["day"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table("reconciliation_bill_line")
    op.drop_table("reconciliation_bill")
