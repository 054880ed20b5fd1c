"""Create suspensions of organizations.

Revision: 20261127su; follows: 20261127ro.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127su"
down_revision = "20261127ro"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "organizations_suspension",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("suspended_by", sa.String(length=32), nullable=True),
        sa.Column("suspended_at", MOMENT, nullable=False),
        sa.Column("resume_words", sa.String(length=1000), nullable=False),
        sa.Column("resumed_by", sa.String(length=32), nullable=True),
        sa.Column("resumed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_organizations_suspension_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["resumed_by"], ["identity_person.id"], name=op.f("fk_organizations_suspension_resumed_by")
        ),
        sa.ForeignKeyConstraint(
            ["suspended_by"], ["identity_person.id"], name=op.f("fk_organizations_suspension_suspended_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations_suspension")),
    )
    op.create_index(
        op.f("ix_organizations_suspension_organization_id"),
        "organizations_suspension",
        ["organization_id"],
        unique=False,
    )
    op.create_index(
        "uq_organizations_suspension_in_force",
        "organizations_suspension",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("resumed_at IS NULL"),
        postgresql_where=sa.text("resumed_at IS NULL"),
    )


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_index(
        "uq_organizations_suspension_in_force",
        table_name="organizations_suspension",
        sqlite_where=sa.text("resumed_at IS NULL"),
        postgresql_where=sa.text("resumed_at IS NULL"),
    )
    op.drop_index(op.f("ix_organizations_suspension_organization_id"), table_name="organizations_suspension")
    op.drop_table("organizations_suspension")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
