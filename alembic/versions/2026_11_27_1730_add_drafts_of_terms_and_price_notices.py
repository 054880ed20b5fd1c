"""Give drafts of prices their moment; make drafts of plans, rates and ends, and notices of other prices.

Revision: 20261127td; follows: 20261127su.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127td"
down_revision = "20261127su"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("pricing_draft", sa.Column("effective_at", MOMENT, nullable=True))
    op.create_table(
        "pricing_terms_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("plan_name", sa.String(length=64), nullable=False),
        sa.Column("ratio_ppm", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.String(length=32), nullable=True),
        sa.Column("from_currency", sa.String(length=32), nullable=True),
        sa.Column("to_currency", sa.String(length=32), nullable=True),
        sa.Column("rate_nanos", sa.BigInteger(), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("effective_at", MOMENT, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("published_as", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_pricing_terms_draft_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["pricing_version.id"], name=op.f("fk_pricing_terms_draft_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_terms_draft")),
    )
    op.create_index(op.f("ix_pricing_terms_draft_state"), "pricing_terms_draft", ["state"])
    op.create_table(
        "pricing_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("effective_at", MOMENT, nullable=False),
        sa.Column("is_dearer", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_pricing_notice_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_notice")),
    )


def downgrade() -> None:
    """Go back: these drafts are lost, and whoever was not told of other prices is not."""
    op.drop_table("pricing_notice")
    op.drop_table("pricing_terms_draft")
    op.drop_column("pricing_draft", "effective_at")
