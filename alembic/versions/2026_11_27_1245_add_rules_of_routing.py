"""Add rules of routing: further credentials, aliases, models that stand in, and a rule and a patience for each model.

Revision: 20261127ro; follows: 20261127cn.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127ro"
down_revision = "20261127cn"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "catalog_credential",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("credential_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["catalog_channel.id"], name=op.f("fk_catalog_credential_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_credential")),
        sa.UniqueConstraint("channel_id", "name", name=op.f("uq_catalog_credential_channel_id_name")),
    )
    op.create_table(
        "catalog_model_alias",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_catalog_model_alias_model_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_catalog_model_alias")),
    )
    op.create_index(op.f("ix_catalog_model_alias_model_id"), "catalog_model_alias", ["model_id"], unique=False)
    op.create_table(
        "catalog_model_fallback",
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("fallback_model_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["fallback_model_id"], ["catalog_model.id"], name=op.f("fk_catalog_model_fallback_fallback_model_id")
        ),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_catalog_model_fallback_model_id")),
        sa.PrimaryKeyConstraint("model_id", "position", name=op.f("pk_catalog_model_fallback")),
    )
    op.add_column(
        "catalog_model", sa.Column("routing_rule", sa.String(length=32), nullable=False, server_default="weight")
    )
    op.add_column("catalog_model", sa.Column("first_byte_seconds", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_column("catalog_model", "first_byte_seconds")
    op.drop_column("catalog_model", "routing_rule")
    op.drop_table("catalog_model_fallback")
    op.drop_index(op.f("ix_catalog_model_alias_model_id"), table_name="catalog_model_alias")
    op.drop_table("catalog_model_alias")
    op.drop_table("catalog_credential")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
