"""Create refunds and their approvals.

Revision: 20261127rf; follows: 20261127m.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261127rf"
down_revision = "20261127m"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "payments_refund",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=32), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_words", sa.String(length=1000), nullable=False),
        sa.Column("refusal", sa.String(length=32), nullable=True),
        sa.Column("failure", sa.String(length=32), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("held_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("bank_entry", sa.String(length=64), nullable=True),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_payments_refund_amount_is_positive")),
        sa.ForeignKeyConstraint(["asked_by"], ["identity_person.id"], name=op.f("fk_payments_refund_asked_by")),
        sa.ForeignKeyConstraint(["order_id"], ["payments_order.id"], name=op.f("fk_payments_refund_order_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_payments_refund_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_refund")),
        sa.UniqueConstraint("bank_entry", name=op.f("uq_payments_refund_bank_entry")),
        sa.UniqueConstraint("order_id", "submission_id", name=op.f("uq_payments_refund_order_id_submission_id")),
    )
    for column in ("due_at", "organization_id", "stage"):
        op.create_index(op.f(f"ix_payments_refund_{column}"), "payments_refund", [column], unique=False)
    op.create_table(
        "payments_refund_approval",
        sa.Column("refund_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_payments_refund_approval_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["payments_refund.id"], name=op.f("fk_payments_refund_approval_refund_id")
        ),
        sa.PrimaryKeyConstraint("refund_id", "person_id", name=op.f("pk_payments_refund_approval")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in append_only_triggers("payments_refund_approval", is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    op.drop_table("payments_refund_approval")
    op.drop_table("payments_refund")
