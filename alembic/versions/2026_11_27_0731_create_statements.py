"""Create the statements of closed months, and the contracts of organizations that pay afterwards.

Revision: 20261127bs; follows: 20261127h.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.billing.schema import guard_statements

revision = "20261127bs"
down_revision = "20261127h"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "billing_contract",
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("credit_limit_nanos", sa.BigInteger(), nullable=False),
        sa.Column("cycle", sa.String(length=32), nullable=False),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("agreed_by", sa.String(length=32), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.CheckConstraint("credit_limit_nanos >= 0", name=op.f("ck_billing_contract_credit_limit_is_not_negative")),
        sa.CheckConstraint(
            "payment_days BETWEEN 0 AND 365", name=op.f("ck_billing_contract_payment_days_are_in_range")
        ),
        sa.ForeignKeyConstraint(["agreed_by"], ["identity_person.id"], name=op.f("fk_billing_contract_agreed_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_billing_contract_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_billing_contract")),
    )
    op.create_table(
        "billing_statement",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("opening_nanos", sa.BigInteger(), nullable=False),
        sa.Column("charged_nanos", sa.BigInteger(), nullable=False),
        sa.Column("closing_nanos", sa.BigInteger(), nullable=False),
        sa.Column("due_nanos", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("figures_json", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_billing_statement_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_statement")),
        sa.UniqueConstraint(
            "organization_id", "currency", "month", name=op.f("uq_billing_statement_organization_id_currency_month")
        ),
    )
    op.create_index(op.f("ix_billing_statement_due_on"), "billing_statement", ["due_on"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in guard_statements(is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("billing_statement")
    op.drop_table("billing_contract")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
