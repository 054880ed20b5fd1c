"""Seal each published version of prices: no rate can be added to it afterwards.

Revision: 20261127se; follows: 20261127rf.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers
from onetoken_app.pricing.schema import drop_sealing, sealing_triggers

revision = "20261127se"
down_revision = "20261127rf"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: what is published by now is sealed as it is."""
    wait_briefly_for_locks()
    op.create_table(
        "pricing_version_seal",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["pricing_version.id"], name=op.f("fk_pricing_version_seal_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_pricing_version_seal")),
    )
    op.execute("INSERT INTO pricing_version_seal (version_id) SELECT id FROM pricing_version")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    triggers = append_only_triggers("pricing_version_seal", is_sqlite=is_sqlite)
    for statement in (*triggers, *sealing_triggers(is_sqlite=is_sqlite)):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in drop_sealing(is_sqlite=is_sqlite):
        op.execute(statement)
    op.drop_table("pricing_version_seal")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
