"""Add claims of calls, and the keys that their fingerprints are made with.

Revision: 20261127a; follows: 20261127p.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127a"
down_revision = "20261127p"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "ledger_claim",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_claim_request_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ledger_claim")),
    )
    op.create_index(op.f("ix_ledger_claim_claimed_at"), "ledger_claim", ["claimed_at"])
    op.create_table(
        "keys_fingerprint_key",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_keys_fingerprint_key")),
    )


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("keys_fingerprint_key")
    op.drop_table("ledger_claim")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
