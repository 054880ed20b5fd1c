"""Add the submission of projects.

Revision: 20261127ps; follows: 20261127td.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127ps"
down_revision = "20261127td"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.add_column("keys_project", sa.Column("submission_id", sa.String(length=64), nullable=True))
    op.create_index("uq_keys_project_submission", "keys_project", ["organization_id", "submission_id"], unique=True)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_index("uq_keys_project_submission", table_name="keys_project")
    op.drop_column("keys_project", "submission_id")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
