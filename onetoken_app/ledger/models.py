"""Tables of the ledger. They are written by ``store.py`` in the driver's SQL; these classes declare and read them.

``ledger_account``, ``ledger_claim``, ``ledger_hold_progress``, ``ledger_open_hold``, ``ledger_budget`` and
``ledger_budget_period`` change; every other table is a journal whose rows are only ever inserted, which triggers
enforce on both databases (an epoch's end may be written once). Account ids and owner ids are opaque here: the ledger
knows neither customers nor requests.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource

IS_NO_CALL = sa.text("ledger_transaction.kind NOT IN ('close', 'correction')")
"""Condition of the few transactions that are no call's: written out, so that both databases find their small index."""


class Epoch(SQLModel, table=True):
    """One life of a process that owns holds; ended epochs can no longer write."""

    __tablename__ = "ledger_epoch"

    id: str = Field(primary_key=True, max_length=32)
    number: int = Field(unique=True, sa_type=sa.BigInteger)
    """Counts up; on PostgreSQL the key of the advisory lock that says its owner lives."""
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Account(SQLModel, table=True):
    """A balance. For customers' accounts, posted − held never falls below the floor."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "kind", "currency", "lot_id"),
        sa.CheckConstraint("held_nanos >= 0", name="held_is_not_negative"),
        sa.CheckConstraint(
            "floor_nanos IS NULL OR posted_nanos - held_nanos >= floor_nanos", name="balance_is_above_floor"
        ),
    )

    id: str = Field(primary_key=True, max_length=32)
    owner_id: str = Field(max_length=32)
    """Opaque: an organization's id; empty for the platform's own accounts."""
    kind: AccountKind = Field(sa_type=enum_type(AccountKind))
    currency: Currency = Field(sa_type=enum_type(Currency))
    lot_id: str = Field(default="", max_length=128)
    """For a lot the reference of the entry that opened it, for clearing the payment provider; empty for others."""
    expires_at: datetime | None = Field(default=None, index=True, sa_type=UtcDateTime)
    """When a lot takes no new hold any more; unset: never."""
    floor_nanos: int | None = Field(default=None, sa_type=sa.BigInteger)
    """0 for prepaid accounts and lots, negative for a credit limit, unset for our own accounts, which have none."""
    posted_nanos: int = Field(default=0, sa_type=sa.BigInteger)
    """Σ postings to it − Σ postings from it."""
    held_nanos: int = Field(default=0, sa_type=sa.BigInteger)
    """Σ open holds."""
    is_frozen: bool = False
    """On prepaid accounts: the owner may place no new hold."""
    unit_nanos: int = Field(default=0, sa_type=sa.BigInteger)
    """On a lot of tokens: what one token takes from it, so that posted and held are multiples of it; 0 elsewhere."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class LotScope(SQLModel, table=True):
    """One of the things that a lot may be spent on; a lot without any may be spent on everything."""

    __tablename__ = "ledger_lot_scope"

    account_id: str = Field(foreign_key="ledger_account.id", primary_key=True, max_length=32)
    scope: str = Field(primary_key=True, max_length=64)
    """Opaque: a hold that may be paid from it names the same, such as a model's id."""


class Transaction(SQLModel, table=True):
    """One entry of the journal, chained by hash to the one before it."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        sa.Index(
            "ix_ledger_transaction_no_call",
            "sequence_number",
            sqlite_where=sa.text("kind NOT IN ('close', 'correction')"),
            postgresql_where=sa.text("kind NOT IN ('close', 'correction')"),
        ),
    )

    sequence_number: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    """From 1 without gaps."""
    kind: TransactionKind = Field(sa_type=enum_type(TransactionKind))
    reference: str = Field(unique=True, max_length=128)
    """Makes it idempotent: the request's id for a close, ``correction:`` and the request's id for a correction, the
    caller's own reference for everything else."""
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    previous_hash: bytes = Field(sa_type=sa.LargeBinary(32))
    hash: bytes = Field(sa_type=sa.LargeBinary(32))
    """Over this row, its postings, for a close its hold and close, for a correction what it corrects too, and for other
    kinds the lot that it opens, its terms, or what it undoes; see ``journal.py``."""


class Posting(SQLModel, table=True):
    """An amount that moved from one account to another: the sum is zero by construction."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),
        sa.CheckConstraint("from_account_id <> to_account_id", name="accounts_differ"),
    )

    transaction_number: int = Field(
        foreign_key="ledger_transaction.sequence_number", primary_key=True, sa_type=sa.BigInteger
    )
    posting_number: int = Field(primary_key=True)
    """From 1 within its transaction."""
    from_account_id: str = Field(foreign_key="ledger_account.id", max_length=32)
    to_account_id: str = Field(foreign_key="ledger_account.id", max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)


class Hold(SQLModel, table=True):
    """Money set aside for one request, until its close."""

    __tablename__ = "ledger_hold"
    __table_args__ = (sa.CheckConstraint("amount_nanos >= 0", name="hold_is_not_negative"),)

    request_id: str = Field(primary_key=True, max_length=32)
    owner_id: str = Field(max_length=32)
    """Opaque: whose accounts pay."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    epoch_id: str = Field(foreign_key="ledger_epoch.id", max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """What was set aside when it was placed; extensions are further parts."""
    context: bytes = Field(sa_type=sa.LargeBinary)
    """Opaque to the ledger: what recovery hands back to the relay (ids and counts, ≤ 1 KiB)."""
    placed_at: datetime = Field(sa_type=UtcDateTime)
    budget_count: int = 0
    """How many rows of ``ledger_hold_budget`` it has, so that a batch without budgets need not look."""


class Claim(SQLModel, table=True):
    """What makes two requests the same one: its holder is carried, the other is told of it. Not a part of the journal.

    Written in the commit that places the hold; deleted with a void, and a day later in any case.
    """

    __tablename__ = "ledger_claim"

    digest: str = Field(primary_key=True, max_length=64)
    """Opaque: a keyed digest, in hexadecimal digits."""
    request_id: str = Field(foreign_key="ledger_hold.request_id", max_length=32)
    fingerprint: str = Field(max_length=64)
    """Opaque: a keyed digest of the request, under a key that is destroyed within two days."""
    claimed_at: datetime = Field(sa_type=UtcDateTime, index=True)


class HoldPart(SQLModel, table=True):
    """A share of a hold on one account; an extension of the hold is one more part."""

    __tablename__ = "ledger_hold_part"
    __table_args__ = (sa.CheckConstraint("amount_nanos >= 0", name="part_is_not_negative"),)

    request_id: str = Field(foreign_key="ledger_hold.request_id", primary_key=True, max_length=32)
    part_number: int = Field(primary_key=True)
    """From 1; money is taken in this order."""
    account_id: str = Field(foreign_key="ledger_account.id", max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)


class OpenHold(SQLModel, table=True):
    """Names the holds that have no close yet, so that recovery looks at them alone and not at years of journal.

    Written and deleted in the commits that place and close; ``ledger verify`` compares it with the journal.
    """

    __tablename__ = "ledger_open_hold"

    request_id: str = Field(foreign_key="ledger_hold.request_id", primary_key=True, max_length=32)
    epoch_id: str = Field(foreign_key="ledger_epoch.id", max_length=32)


class HoldProgress(SQLModel, table=True):
    """The last durable progress of an open hold; overwritten as the request goes on, kept after its close."""

    __tablename__ = "ledger_hold_progress"

    request_id: str = Field(foreign_key="ledger_hold.request_id", primary_key=True, max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """What the delivered part costs so far."""
    context: bytes = Field(sa_type=sa.LargeBinary)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class HoldClose(SQLModel, table=True):
    """The one end of a hold: its primary key makes a second one impossible."""

    __tablename__ = "ledger_hold_close"
    __table_args__ = (sa.CheckConstraint("amount_nanos >= 0", name="charge_is_not_negative"),)

    request_id: str = Field(foreign_key="ledger_hold.request_id", primary_key=True, max_length=32)
    outcome: Outcome = Field(sa_type=enum_type(Outcome))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """What the owner was charged."""
    absorbed_nanos: int = Field(default=0, sa_type=sa.BigInteger)
    """What was metered beyond that and no balance covered."""
    usage_source: UsageSource = Field(sa_type=enum_type(UsageSource))
    transaction_number: int = Field(
        foreign_key="ledger_transaction.sequence_number", unique=True, sa_type=sa.BigInteger
    )
    closed_at: datetime = Field(sa_type=UtcDateTime)


class Correction(SQLModel, table=True):
    """What the true end of a call changed about its recovered close; once, and the close stays as it is.

    A process that could not reach the database for seconds is taken for dead and its holds are recovered elsewhere;
    its closes arrive when it is back.
    """

    __tablename__ = "ledger_correction"

    request_id: str = Field(foreign_key="ledger_hold_close.request_id", primary_key=True, max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """Added to what the owner was charged; negative when money was given back."""
    absorbed_nanos: int = Field(sa_type=sa.BigInteger)
    """Added to what was absorbed; may be negative."""
    usage_source: UsageSource = Field(sa_type=enum_type(UsageSource))
    """Of the true amount; replaces the close's."""
    transaction_number: int = Field(
        foreign_key="ledger_transaction.sequence_number", unique=True, sa_type=sa.BigInteger
    )
    corrected_at: datetime = Field(sa_type=UtcDateTime)


class Terms(SQLModel, table=True):
    """What an owner may do from an entry on: the floor of one account, or, by the entry's kind, frozen or not."""

    __tablename__ = "ledger_terms"

    transaction_number: int = Field(
        foreign_key="ledger_transaction.sequence_number", primary_key=True, sa_type=sa.BigInteger
    )
    owner_id: str = Field(max_length=32)
    account_id: str | None = Field(default=None, foreign_key="ledger_account.id", max_length=32)
    """Set where a floor is."""
    floor_nanos: int | None = Field(default=None, sa_type=sa.BigInteger)


class Reversal(SQLModel, table=True):
    """Links a transaction to the one that it undoes, which can be undone once."""

    __tablename__ = "ledger_reversal"

    transaction_number: int = Field(
        foreign_key="ledger_transaction.sequence_number", primary_key=True, sa_type=sa.BigInteger
    )
    reversed_number: int = Field(foreign_key="ledger_transaction.sequence_number", unique=True, sa_type=sa.BigInteger)


class Budget(SQLModel, table=True):
    """A cap on what an owner's holds of one subject may cost in a period. Kept when it is removed: holds name it."""

    __tablename__ = "ledger_budget"
    __table_args__ = (
        sa.CheckConstraint("limit_nanos >= 0", name="limit_is_not_negative"),
        {"info": READ_BY_THE_RELAY},
    )

    id: str = Field(primary_key=True, max_length=32)
    owner_id: str = Field(index=True, max_length=32)
    subject: str = Field(max_length=128)
    """Opaque: what it limits, such as an API key's or a project's id, and per what period."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    limit_nanos: int = Field(sa_type=sa.BigInteger)
    """The writer reads it with each hold."""
    is_enabled: bool = True
    """False: it is counted, and refuses nothing."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BudgetPeriod(SQLModel, table=True):
    """What a budget has seen in one period; the writer counts, and ``ledger verify`` counts again."""

    __tablename__ = "ledger_budget_period"
    __table_args__ = (sa.CheckConstraint("held_nanos >= 0", name="held_is_not_negative"),)

    budget_id: str = Field(foreign_key="ledger_budget.id", primary_key=True, max_length=32)
    period: str = Field(primary_key=True, max_length=16)
    """Opaque, such as ``2026-11``: the caller's calendar decides."""
    spent_nanos: int = Field(sa_type=sa.BigInteger)
    """Σ charges of closed holds."""
    held_nanos: int = Field(sa_type=sa.BigInteger)
    """Σ open holds."""


class HoldBudget(SQLModel, table=True):
    """A budget that a hold counts against."""

    __tablename__ = "ledger_hold_budget"
    __table_args__ = (sa.Index("ix_ledger_hold_budget_budget_id", "budget_id", "period"),)

    request_id: str = Field(foreign_key="ledger_hold.request_id", primary_key=True, max_length=32)
    budget_id: str = Field(foreign_key="ledger_budget.id", primary_key=True, max_length=32)
    period: str = Field(primary_key=True, max_length=16)


__all__ = [
    "IS_NO_CALL",
    "Account",
    "AccountKind",
    "Budget",
    "BudgetPeriod",
    "Claim",
    "Correction",
    "Epoch",
    "Hold",
    "HoldBudget",
    "HoldClose",
    "HoldPart",
    "HoldProgress",
    "LotScope",
    "OpenHold",
    "Outcome",
    "Posting",
    "Reversal",
    "Terms",
    "Transaction",
    "TransactionKind",
]
