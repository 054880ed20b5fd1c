"""Count every kind of use in the records of calls, and give each rate the threshold that it applies from.

Revision: 20261127k; follows: 20261127a.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127k"
down_revision = "20261127a"
branch_labels = None
depends_on = None

COUNTS = (
    "audio_in_tokens", "image_in_tokens", "audio_out_tokens", "image_out_tokens", "request_count", "image_count",
    "audio_ms", "web_search_count", "file_search_count", "tool_call_count",
)  # fmt: skip


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    for name in COUNTS:
        op.add_column("usage_record", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "usage_record", sa.Column("plan_ratio_ppm", sa.BigInteger(), nullable=False, server_default="1000000")
    )
    op.add_column("usage_record", sa.Column("exchange_rate_version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("usage_record", sa.Column("cost_nanos", sa.BigInteger(), nullable=True))
    op.add_column("usage_record", sa.Column("cost_currency", sa.String(length=32), nullable=True))
    with op.batch_alter_table("pricing_rate") as rates:
        rates.add_column(sa.Column("from_input_tokens", sa.BigInteger(), nullable=False, server_default="0"))
        rates.drop_constraint("pk_pricing_rate", type_="primary")
        rates.create_primary_key("pk_pricing_rate", ["version_id", "model_id", "kind", "from_input_tokens"])


def downgrade() -> None:
    """Go back: what only a tier charges is lost."""
    wait_briefly_for_locks()
    op.execute("DELETE FROM pricing_rate WHERE from_input_tokens > 0")
    with op.batch_alter_table("pricing_rate") as rates:
        rates.drop_constraint("pk_pricing_rate", type_="primary")
        rates.drop_column("from_input_tokens")
        rates.create_primary_key("pk_pricing_rate", ["version_id", "model_id", "kind"])
    for name in ("cost_currency", "cost_nanos", "exchange_rate_version", "plan_ratio_ppm", *reversed(COUNTS)):
        op.drop_column("usage_record", name)


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
