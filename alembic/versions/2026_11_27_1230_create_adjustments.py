"""Create adjustments of balances by hand.

Revision: 20261127ad; follows: 20261127cr.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127ad"
down_revision = "20261127cr"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
TABLE = "payments_adjustment"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("evidence", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("amount_nanos <> 0", name=op.f("ck_payments_adjustment_amount_is_something")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_payments_adjustment_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["identity_person.id"], name=op.f("fk_payments_adjustment_proposed_by")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["identity_person.id"], name=op.f("fk_payments_adjustment_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_adjustment")),
        sa.UniqueConstraint(
            "proposed_by", "submission_id", name=op.f("uq_payments_adjustment_proposed_by_submission_id")
        ),
    )
    for column in ("organization_id", "state"):
        op.create_index(op.f(f"ix_payments_adjustment_{column}"), TABLE, [column], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table(TABLE)
