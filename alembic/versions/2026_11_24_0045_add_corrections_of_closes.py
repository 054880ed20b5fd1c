"""Add corrections of closes: their table, its triggers, and the auditor's view that counts them.

Revision: 20261124d; follows: 20261124c.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import add_corrections, remove_corrections

revision = "20261124d"
down_revision = "20261124c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "ledger_correction",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("usage_source", sa.String(length=32), nullable=False),
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold_close.request_id"], name=op.f("fk_ledger_correction_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_correction_transaction_number"),
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ledger_correction")),
        sa.UniqueConstraint("transaction_number", name=op.f("uq_ledger_correction_transaction_number")),
    )
    for statement in add_corrections(is_sqlite=op.get_bind().dialect.name == "sqlite"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    for statement in remove_corrections():
        op.get_bind().exec_driver_sql(statement)
    op.drop_table("ledger_correction")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
