"""Create decisions made alone, with the grants and adjustments of the last day that count already.

Revision: 20261127al; follows: 20261127ps.
"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from onetoken_app import clock
from onetoken_app.ledger.schema import append_only_triggers

revision = "20261127al"
down_revision = "20261127ps"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
TABLE = "payments_decided_alone"
_COLUMNS = f"INSERT INTO {TABLE} (kind, subject_id, person_id, currency, amount_nanos, decided_at) "  # noqa: S608 # ours
GRANTS = (
    _COLUMNS + "SELECT 'grant', id, proposed_by, currency, amount_nanos, proposed_at FROM credit_grant "
    "WHERE state = 'granted' AND decided_by IS NULL AND proposed_at > :since"
)
ADJUSTMENTS = (
    _COLUMNS + "SELECT 'adjustment', id, decided_by, currency, abs(amount_nanos), decided_at FROM payments_adjustment "
    "WHERE state = 'made' AND decided_by = proposed_by AND decided_at > :since"
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        TABLE,
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_nanos >= 0", name=op.f("ck_payments_decided_alone_amount_is_not_negative")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_payments_decided_alone_person_id")),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_payments_decided_alone")),
    )
    op.create_index("ix_payments_decided_alone_person_id_decided_at", TABLE, ["person_id", "decided_at"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    since = clock.utc_now() - timedelta(days=1)
    bound: object = clock.iso_instant(since) if is_sqlite else since
    for statement in (GRANTS, ADJUSTMENTS):
        op.get_bind().execute(sa.text(statement), {"since": bound})
    for statement in append_only_triggers(TABLE, is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    op.drop_table(TABLE)
