"""Add the place where a database is at home.

Revision: 20261127h; follows: 20261127pa.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127h"
down_revision = "20261127pa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "database_home",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_home")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("database_home")
