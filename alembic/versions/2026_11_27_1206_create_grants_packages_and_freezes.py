"""Create grants, packages, freezes and thresholds of alerts.

Revision: 20261127cr; follows: 20261127at.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127cr"
down_revision = "20261127at"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "credit_balance_alert",
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("threshold_nanos", sa.BigInteger(), nullable=False),
        sa.Column("is_below", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(length=32), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.CheckConstraint("threshold_nanos > 0", name=op.f("ck_credit_balance_alert_threshold_is_positive")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_credit_balance_alert_organization_id")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["identity_person.id"], name=op.f("fk_credit_balance_alert_set_by")),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_credit_balance_alert")),
    )
    op.create_table(
        "credit_freeze",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("frozen_by", sa.String(length=32), nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.Column("lift_reason", sa.String(length=1000), nullable=False),
        sa.Column("lifted_by", sa.String(length=32), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["frozen_by"], ["identity_person.id"], name=op.f("fk_credit_freeze_frozen_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["identity_person.id"], name=op.f("fk_credit_freeze_lifted_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_credit_freeze_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_freeze")),
    )
    op.create_index(op.f("ix_credit_freeze_organization_id"), "credit_freeze", ["organization_id"], unique=False)
    op.create_index(
        "uq_credit_freeze_in_force",
        "credit_freeze",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "credit_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_credit_grant_amount_is_positive")),
        sa.ForeignKeyConstraint(["decided_by"], ["identity_person.id"], name=op.f("fk_credit_grant_decided_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_credit_grant_organization_id")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["identity_person.id"], name=op.f("fk_credit_grant_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_grant")),
        sa.UniqueConstraint(
            "organization_id", "submission_id", name=op.f("uq_credit_grant_organization_id_submission_id")
        ),
    )
    op.create_index(op.f("ix_credit_grant_organization_id"), "credit_grant", ["organization_id"], unique=False)
    op.create_index(op.f("ix_credit_grant_state"), "credit_grant", ["state"], unique=False)
    op.create_index(
        "uq_credit_grant_trial",
        "credit_grant",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'trial' AND state <> 'refused'"),
        postgresql_where=sa.text("kind = 'trial' AND state <> 'refused'"),
    )
    op.create_table(
        "credit_package",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("price_nanos", sa.BigInteger(), nullable=False),
        sa.Column("bonus_nanos", sa.BigInteger(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("offered_by", sa.String(length=32), nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.CheckConstraint("bonus_nanos >= 0", name=op.f("ck_credit_package_bonus_is_not_negative")),
        sa.CheckConstraint("price_nanos > 0", name=op.f("ck_credit_package_price_is_positive")),
        sa.CheckConstraint("valid_days > 0", name=op.f("ck_credit_package_validity_is_positive")),
        sa.ForeignKeyConstraint(["offered_by"], ["identity_person.id"], name=op.f("fk_credit_package_offered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_package")),
    )
    op.create_table(
        "credit_package_model",
        sa.Column("package_id", sa.String(length=32), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_credit_package_model_model_id")),
        sa.ForeignKeyConstraint(["package_id"], ["credit_package.id"], name=op.f("fk_credit_package_model_package_id")),
        sa.PrimaryKeyConstraint("package_id", "model_id", name=op.f("pk_credit_package_model")),
    )
    op.create_table(
        "credit_package_sale",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("package_id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("bought_by", sa.String(length=32), nullable=False),
        sa.Column("bought_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["bought_by"], ["identity_person.id"], name=op.f("fk_credit_package_sale_bought_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_credit_package_sale_organization_id")
        ),
        sa.ForeignKeyConstraint(["package_id"], ["credit_package.id"], name=op.f("fk_credit_package_sale_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_package_sale")),
        sa.UniqueConstraint(
            "organization_id", "submission_id", name=op.f("uq_credit_package_sale_organization_id_submission_id")
        ),
    )


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("credit_package_sale")
    op.drop_table("credit_package_model")
    op.drop_table("credit_package")
    op.drop_table("credit_grant")
    op.drop_table("credit_freeze")
    op.drop_table("credit_balance_alert")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
