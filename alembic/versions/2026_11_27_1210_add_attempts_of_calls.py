"""Add the upstream attempts of calls.

Revision: 20261127at; follows: 20261127se.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127at"
down_revision = "20261127se"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "usage_attempt",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("upstream_model", sa.String(length=128), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("usage_source", sa.String(length=32), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.String(length=32), nullable=True),
        sa.Column("cost_version_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("request_id", "attempt_number", name=op.f("pk_usage_attempt")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("usage_attempt")
