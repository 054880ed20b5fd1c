"""Add budgets: caps per period, what their periods have seen, and which holds count against them.

Revision: 20261127m; follows: 20261127r.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import add_budgets

revision = "20261127m"
down_revision = "20261127r"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.add_column("ledger_hold", sa.Column("budget_count", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "ledger_budget",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("limit_nanos", sa.BigInteger(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.CheckConstraint("limit_nanos >= 0", name=op.f("ck_ledger_budget_limit_is_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_budget")),
    )
    op.create_index(op.f("ix_ledger_budget_owner_id"), "ledger_budget", ["owner_id"])
    op.create_table(
        "ledger_budget_period",
        sa.Column("budget_id", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("held_nanos", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_ledger_budget_period_held_is_not_negative")),
        sa.ForeignKeyConstraint(["budget_id"], ["ledger_budget.id"], name=op.f("fk_ledger_budget_period_budget_id")),
        sa.PrimaryKeyConstraint("budget_id", "period", name=op.f("pk_ledger_budget_period")),
    )
    op.create_table(
        "ledger_hold_budget",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("budget_id", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_hold_budget_request_id")
        ),
        sa.ForeignKeyConstraint(["budget_id"], ["ledger_budget.id"], name=op.f("fk_ledger_hold_budget_budget_id")),
        sa.PrimaryKeyConstraint("request_id", "budget_id", "period", name=op.f("pk_ledger_hold_budget")),
    )
    op.create_index("ix_ledger_hold_budget_budget_id", "ledger_hold_budget", ["budget_id", "period"])
    for statement in add_budgets(is_sqlite=op.get_bind().dialect.name == "sqlite"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    for table in ("ledger_hold_budget", "ledger_budget_period", "ledger_budget"):
        op.drop_table(table)
    op.drop_column("ledger_hold", "budget_count")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
