"""Add lots: several accounts of a kind with their expiry and scopes; terms of owners; reversals of transactions.

Revision: 20261127l; follows: 20261127i.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import add_lots

revision = "20261127l"
down_revision = "20261127i"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_BEFORE = ("owner_id", "kind", "currency")
_AFTER = (*_BEFORE, "lot_id")
_KEPT = "id, owner_id, kind, currency, floor_nanos, posted_nanos, held_nanos, created_at"


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        remake_accounts(_AFTER, [*columns_of_lots()])
    else:
        for column in columns_of_lots():
            op.add_column("ledger_account", column)
        op.drop_constraint(op.f("uq_ledger_account_owner_id_kind_currency"), "ledger_account")
        op.create_unique_constraint(op.f("uq_ledger_account_owner_id_kind_currency_lot_id"), "ledger_account", _AFTER)
    op.create_index(op.f("ix_ledger_account_expires_at"), "ledger_account", ["expires_at"])
    create_tables()
    for statement in add_lots(is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back; refused by the unique key while an owner has lots."""
    wait_briefly_for_locks()
    for table in ("ledger_reversal", "ledger_terms", "ledger_lot_scope"):
        op.drop_table(table)
    op.drop_index(op.f("ix_ledger_account_expires_at"), "ledger_account")
    if op.get_bind().dialect.name == "sqlite":
        remake_accounts(_BEFORE, [])
        return
    op.drop_constraint(op.f("uq_ledger_account_owner_id_kind_currency_lot_id"), "ledger_account")
    op.create_unique_constraint(op.f("uq_ledger_account_owner_id_kind_currency"), "ledger_account", _BEFORE)
    for column in columns_of_lots():
        op.drop_column("ledger_account", column.name)


def columns_of_lots() -> list[sa.Column]:
    """Return what accounts get."""
    return [
        sa.Column("lot_id", sa.String(length=128), server_default="", nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("is_frozen", sa.Boolean(), server_default=sa.false(), nullable=False),
    ]


def remake_accounts(unique: tuple[str, ...], more: list[sa.Column]) -> None:
    """Make SQLite's table of accounts again: it cannot change a constraint. Foreign keys name it and stay."""
    op.create_table(
        "ledger_account_remade",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("floor_nanos", sa.BigInteger(), nullable=True),
        sa.Column("posted_nanos", sa.BigInteger(), nullable=False),
        sa.Column("held_nanos", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        *more,
        sa.CheckConstraint(
            "floor_nanos IS NULL OR posted_nanos - held_nanos >= floor_nanos",
            name=op.f("ck_ledger_account_balance_is_above_floor"),
        ),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_ledger_account_held_is_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_ledger_account_{'_'.join(unique)}")),
    )
    op.execute(f"INSERT INTO ledger_account_remade ({_KEPT}) SELECT {_KEPT} FROM ledger_account")
    op.drop_table("ledger_account")
    op.rename_table("ledger_account_remade", "ledger_account")


def create_tables() -> None:
    """Create the tables beside accounts and transactions."""
    op.create_table(
        "ledger_lot_scope",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_lot_scope_account_id")),
        sa.PrimaryKeyConstraint("account_id", "scope", name=op.f("pk_ledger_lot_scope")),
    )
    op.create_table(
        "ledger_terms",
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("floor_nanos", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_terms_transaction_number"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_terms_account_id")),
        sa.PrimaryKeyConstraint("transaction_number", name=op.f("pk_ledger_terms")),
    )
    op.create_table(
        "ledger_reversal",
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("reversed_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_reversal_transaction_number"),
        ),
        sa.ForeignKeyConstraint(
            ["reversed_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_reversal_reversed_number"),
        ),
        sa.PrimaryKeyConstraint("transaction_number", name=op.f("pk_ledger_reversal")),
        sa.UniqueConstraint("reversed_number", name=op.f("uq_ledger_reversal_reversed_number")),
    )


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
