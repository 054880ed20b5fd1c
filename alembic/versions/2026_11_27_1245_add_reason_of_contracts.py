"""Add the reason of a contract's last change.

Revision: 20261127cn; follows: 20261127ub.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127cn"
down_revision = "20261127ub"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.add_column("billing_contract", sa.Column("reason", sa.String(length=1000), nullable=False, server_default=""))
    with op.batch_alter_table("billing_contract") as table:
        table.alter_column("reason", server_default=None)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    with op.batch_alter_table("billing_contract") as table:
        table.drop_column("reason")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
