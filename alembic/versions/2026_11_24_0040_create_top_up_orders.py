"""Create top-up orders and the approvals of their transfers.

Revision: 20261124c; follows: 20261124b.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261124c"
down_revision = "20261124b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "payments_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("organization_name", sa.String(length=200), nullable=False),
        sa.Column("registration_code", sa.String(length=64), nullable=False),
        sa.Column("reference_code", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("ordered_by", sa.String(length=32), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("statement_version", sa.String(length=32), nullable=False),
        sa.Column("statement_locale", sa.String(length=16), nullable=False),
        sa.Column("statement_sha256", sa.String(length=64), nullable=False),
        sa.Column("caller_ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("report_number", sa.Integer(), nullable=False),
        sa.Column("reported_by", sa.String(length=32), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("payer_name", sa.String(length=200), nullable=False),
        sa.Column("bank_reference", sa.String(length=64), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("bank_entry", sa.String(length=64), nullable=True),
        sa.Column("refusal", sa.String(length=32), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("credited_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_payments_order_amount_is_positive")),
        sa.ForeignKeyConstraint(["ordered_by"], ["identity_person.id"], name=op.f("fk_payments_order_ordered_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_payments_order_organization_id")
        ),
        sa.ForeignKeyConstraint(["reported_by"], ["identity_person.id"], name=op.f("fk_payments_order_reported_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_order")),
        sa.UniqueConstraint("bank_entry", name=op.f("uq_payments_order_bank_entry")),
        sa.UniqueConstraint(
            "organization_id", "submission_id", name=op.f("uq_payments_order_organization_id_submission_id")
        ),
        sa.UniqueConstraint("reference_code", name=op.f("uq_payments_order_reference_code")),
    )
    op.create_index(op.f("ix_payments_order_organization_id"), "payments_order", ["organization_id"], unique=False)
    op.create_index(op.f("ix_payments_order_state"), "payments_order", ["state"], unique=False)
    op.create_table(
        "payments_approval",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("report_number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("received_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bank_entry", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["payments_order.id"], name=op.f("fk_payments_approval_order_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_payments_approval_person_id")),
        sa.PrimaryKeyConstraint("order_id", "report_number", "person_id", name=op.f("pk_payments_approval")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in append_only_triggers("payments_approval", is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("payments_approval")
    op.drop_table("payments_order")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
