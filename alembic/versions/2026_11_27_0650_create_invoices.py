"""Create invoices, the top-ups that they name, and red letters; index the transactions that are no call's.

Revision: 20261127i; follows: 20261127k.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.billing.schema import guard_invoices

revision = "20261127i"
down_revision = "20261127k"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "billing_invoice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("tax_id", sa.String(length=64), nullable=False),
        sa.Column("registered_address", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("bank_name", sa.String(length=120), nullable=False),
        sa.Column("bank_account", sa.String(length=64), nullable=False),
        sa.Column("delivery_email", sa.String(length=254), nullable=False),
        sa.Column("requested_by", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("handled_by", sa.String(length=32), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_billing_invoice_amount_is_positive")),
        sa.ForeignKeyConstraint(["handled_by"], ["identity_person.id"], name=op.f("fk_billing_invoice_handled_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_billing_invoice_organization_id")
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["identity_person.id"], name=op.f("fk_billing_invoice_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_invoice")),
        sa.UniqueConstraint("number", name=op.f("uq_billing_invoice_number")),
        sa.UniqueConstraint(
            "organization_id", "submission_id", name=op.f("uq_billing_invoice_organization_id_submission_id")
        ),
    )
    op.create_index(op.f("ix_billing_invoice_organization_id"), "billing_invoice", ["organization_id"], unique=False)
    op.create_index(op.f("ix_billing_invoice_state"), "billing_invoice", ["state"], unique=False)
    op.create_table(
        "billing_invoiced_order",
        sa.Column("invoice_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_invoiced_order_invoice_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["payments_order.id"], name=op.f("fk_billing_invoiced_order_order_id")),
        sa.PrimaryKeyConstraint("invoice_id", "order_id", name=op.f("pk_billing_invoiced_order")),
    )
    op.create_index(op.f("ix_billing_invoiced_order_order_id"), "billing_invoiced_order", ["order_id"], unique=False)
    op.create_table(
        "billing_red_letter",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("invoice_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.String(length=32), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_billing_red_letter_amount_is_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_red_letter_invoice_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["identity_person.id"], name=op.f("fk_billing_red_letter_issued_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_red_letter")),
        sa.UniqueConstraint("number", name=op.f("uq_billing_red_letter_number")),
    )
    op.create_index(op.f("ix_billing_red_letter_invoice_id"), "billing_red_letter", ["invoice_id"], unique=False)
    op.create_index(
        "ix_ledger_transaction_no_call",
        "ledger_transaction",
        ["sequence_number"],
        unique=False,
        sqlite_where=sa.text("kind NOT IN ('close', 'correction')"),
        postgresql_where=sa.text("kind NOT IN ('close', 'correction')"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in guard_invoices(is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_index(
        "ix_ledger_transaction_no_call",
        "ledger_transaction",
        sqlite_where=sa.text("kind NOT IN ('close', 'correction')"),
        postgresql_where=sa.text("kind NOT IN ('close', 'correction')"),
    )
    op.drop_index(op.f("ix_billing_red_letter_invoice_id"), "billing_red_letter")
    op.drop_table("billing_red_letter")
    op.drop_index(op.f("ix_billing_invoiced_order_order_id"), "billing_invoiced_order")
    op.drop_table("billing_invoiced_order")
    op.drop_index(op.f("ix_billing_invoice_state"), "billing_invoice")
    op.drop_index(op.f("ix_billing_invoice_organization_id"), "billing_invoice")
    op.drop_table("billing_invoice")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
