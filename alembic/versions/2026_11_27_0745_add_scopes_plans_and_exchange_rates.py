"""Give prices scopes, and make plans, exchange rates and drafts of prices; what is published refuses to change.

Revision: 20261127s; follows: 20261127bs.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261127s"
down_revision = "20261127bs"
branch_labels = None
depends_on = None

PUBLISHED = (
    "pricing_version", "pricing_rate", "pricing_version_end", "pricing_plan", "pricing_plan_assignment",
    "pricing_exchange_rate",
)  # fmt: skip


def moment() -> sa.types.TypeEngine:
    """The type of an aware moment."""
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.add_column(
        "pricing_version", sa.Column("scope", sa.String(length=32), nullable=False, server_default="list")
    )
    op.add_column("pricing_version", sa.Column("organization_id", sa.String(length=32), nullable=True))
    op.add_column("pricing_version", sa.Column("channel_id", sa.String(length=32), nullable=True))
    op.add_column("pricing_version", sa.Column("ends_at", moment(), nullable=True))
    op.add_column("pricing_version", sa.Column("published_by", sa.String(length=32), nullable=True))
    op.create_table(
        "pricing_version_end",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("ends_at", moment(), nullable=False),
        sa.Column("ended_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["pricing_version.id"], name=op.f("fk_pricing_version_end_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_pricing_version_end")),
    )
    op.create_table(
        "pricing_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_name", sa.String(length=64), nullable=False),
        sa.Column("ratio_ppm", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", moment(), nullable=False),
        sa.Column("published_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_plan")),
    )
    op.create_table(
        "pricing_plan_assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("plan_name", sa.String(length=64), nullable=False),
        sa.Column("effective_at", moment(), nullable=False),
        sa.Column("assigned_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_pricing_plan_assignment_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_plan_assignment")),
    )
    op.create_index(
        op.f("ix_pricing_plan_assignment_organization_id"), "pricing_plan_assignment", ["organization_id"]
    )
    op.create_table(
        "pricing_exchange_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_currency", sa.String(length=32), nullable=False),
        sa.Column("to_currency", sa.String(length=32), nullable=False),
        sa.Column("rate_nanos", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", moment(), nullable=False),
        sa.Column("published_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_exchange_rate")),
    )
    make_drafts()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in PUBLISHED:
        for statement in append_only_triggers(table, is_sqlite=is_sqlite):
            op.get_bind().exec_driver_sql(statement)


def make_drafts() -> None:
    """Make the tables of drafts, whose rows may change."""
    op.create_table(
        "pricing_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=True),
        sa.Column("channel_id", sa.String(length=32), nullable=True),
        sa.Column("ends_at", moment(), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=True),
        sa.Column("closed_at", moment(), nullable=True),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["pricing_version.id"], name=op.f("fk_pricing_draft_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_draft")),
    )
    op.create_table(
        "pricing_draft_rate",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("from_input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("micros_per_million", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["pricing_draft.id"], name=op.f("fk_pricing_draft_rate_draft_id")),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_pricing_draft_rate_model_id")),
        sa.PrimaryKeyConstraint(
            "draft_id", "model_id", "kind", "from_input_tokens", name=op.f("pk_pricing_draft_rate")
        ),
    )


def downgrade() -> None:
    """Go back: offers, contracts, plans, exchange rates and drafts are lost."""
    wait_briefly_for_locks()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in ("pricing_version", "pricing_rate"):
        names = ("refuses_update", "refuses_delete") if is_sqlite else ("is_append_only", "is_not_truncated")
        for name in names:
            op.execute(f"DROP TRIGGER {table}_{name}" + ("" if is_sqlite else f" ON {table}"))
    for table in (
        "pricing_draft_rate", "pricing_draft", "pricing_exchange_rate", "pricing_plan_assignment", "pricing_plan",
        "pricing_version_end",
    ):  # fmt: skip
        op.drop_table(table)
    op.execute(
        "DELETE FROM pricing_rate WHERE version_id IN (SELECT id FROM pricing_version WHERE scope <> 'list')"
    )
    op.execute("DELETE FROM pricing_version WHERE scope <> 'list'")
    for name in ("published_by", "ends_at", "channel_id", "organization_id", "scope"):
        op.drop_column("pricing_version", name)


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
