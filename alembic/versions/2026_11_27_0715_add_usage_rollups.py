"""Add roll-ups of usage, and the place where they follow the journal.

Revision: 20261127r; follows: 20261127s.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127r"
down_revision = "20261127s"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "usage_rollup",
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("quarter_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("api_key_id", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("cost_currency", sa.String(length=3), nullable=False),
        sa.Column("model_name", sa.String(length=128), nullable=False),
        sa.Column("call_count", sa.BigInteger(), nullable=False),
        sa.Column("error_count", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("audio_in_tokens", sa.BigInteger(), nullable=False),
        sa.Column("image_in_tokens", sa.BigInteger(), nullable=False),
        sa.Column("audio_out_tokens", sa.BigInteger(), nullable=False),
        sa.Column("image_out_tokens", sa.BigInteger(), nullable=False),
        sa.Column("request_count", sa.BigInteger(), nullable=False),
        sa.Column("image_count", sa.BigInteger(), nullable=False),
        sa.Column("audio_ms", sa.BigInteger(), nullable=False),
        sa.Column("web_search_count", sa.BigInteger(), nullable=False),
        sa.Column("file_search_count", sa.BigInteger(), nullable=False),
        sa.Column("tool_call_count", sa.BigInteger(), nullable=False),
        sa.Column("charge_nanos", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "quarter_at", "model_id", "api_key_id", "project_id", "channel_id", "currency",
            "cost_currency", name=op.f("pk_usage_rollup"),
        ),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "usage_rollup_cursor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("kept_before", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_rollup_cursor")),
    )
    op.execute("INSERT INTO usage_rollup_cursor (id, transaction_number) VALUES (1, 0)")


def downgrade() -> None:
    """Go back."""
    op.drop_table("usage_rollup_cursor")
    op.drop_table("usage_rollup")
