"""Give lots a price per token, and packages a number of tokens.

Revision: 20261127tp; follows: 20261127al.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127tp"
down_revision = "20261127al"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("ledger_account", sa.Column("unit_nanos", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("credit_package", sa.Column("token_count", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Go back: what is left of packages of tokens becomes credit for their models."""
    op.drop_column("credit_package", "token_count")
    op.drop_column("ledger_account", "unit_nanos")
