"""Add payment providers: how an order is paid, the payments that were credited, and what providers said.

Revision: 20261127pa; follows: 20261127l.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261127pa"
down_revision = "20261127l"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ADDED = ("provider_reference", "started_at", "asked_at", "ask_at")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.add_column(
        "payments_order", sa.Column("provider", sa.String(length=32), nullable=False, server_default="bank_transfer")
    )
    op.add_column(
        "payments_order", sa.Column("provider_reference", sa.String(length=128), nullable=False, server_default="")
    )
    for name in ADDED[1:]:
        op.add_column("payments_order", sa.Column(name, MOMENT, nullable=True))
    op.create_index(op.f("ix_payments_order_ask_at"), "payments_order", ["ask_at"], unique=False)
    op.create_table(
        "payments_external_payment",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("external_payment_id", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("credited_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_payments_external_payment_amount_is_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["payments_order.id"], name=op.f("fk_payments_external_payment_order_id")
        ),
        sa.PrimaryKeyConstraint("provider", "external_payment_id", name=op.f("pk_payments_external_payment")),
        sa.UniqueConstraint("order_id", name=op.f("uq_payments_external_payment_order_id")),
    )
    op.create_table(
        "payments_notification",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("notification_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("external_payment_id", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "notification_id", name=op.f("pk_payments_notification")),
    )
    op.create_index(op.f("ix_payments_notification_order_id"), "payments_notification", ["order_id"], unique=False)
    op.create_index(op.f("ix_payments_notification_outcome"), "payments_notification", ["outcome"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in ("payments_external_payment", "payments_notification"):
        for statement in append_only_triggers(table, is_sqlite=is_sqlite):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("payments_notification")
    op.drop_table("payments_external_payment")
    op.drop_index(op.f("ix_payments_order_ask_at"), table_name="payments_order")
    for name in ("provider", *ADDED):
        op.drop_column("payments_order", name)


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
