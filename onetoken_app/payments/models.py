"""Tables of top-up orders. An order is worked on; approvals are evidence and only ever added."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency

JOURNAL_TABLES = ("payments_approval",)
"""Tables whose rows are only ever inserted."""


class OrderState(StrEnum):
    """How far an order is."""

    OPEN = "open"
    """The transfer is awaited."""
    REPORTED = "reported"
    """The customer says that the money is on its way; finance looks for it."""
    CREDITED = "credited"
    """It arrived, and the balance has it."""
    REFUSED = "refused"
    """Finance did not find it; it may be reported again."""
    CANCELLED = "cancelled"
    """The customer called it off."""


class TransferRefusal(StrEnum):
    """Why a reported transfer was not credited."""

    NOT_RECEIVED = "not_received"
    """The bank statement does not have it."""
    AMOUNT_DIFFERS = "amount_differs"
    """Another amount arrived."""
    PAYER_DIFFERS = "payer_differs"
    """Somebody else than the organization paid."""
    ALREADY_USED = "already_used"
    """The transfer was credited to another order."""
    OTHER = "other"
    """What the words say."""


class TopUpOrder(SQLModel, table=True):
    """A promise to transfer an amount, and what became of it."""

    __tablename__ = "payments_order"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "submission_id"),
        sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),
    )

    id: str = Field(primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one order."""
    organization_name: str = Field(max_length=200)
    """As it was when the order was made; receipts keep it."""
    registration_code: str = Field(max_length=64)
    reference_code: str = Field(unique=True, max_length=16)
    """What the customer writes on the transfer."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    state: OrderState = Field(default=OrderState.OPEN, sa_type=enum_type(OrderState), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""

    ordered_by: str = Field(foreign_key="identity_person.id", max_length=32)
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    """Until when a transfer may be reported."""
    statement_version: str = Field(max_length=32)
    """Which statement about refunds and validity was consented to, in which language, and its SHA-256."""
    statement_locale: str = Field(max_length=16)
    statement_sha256: str = Field(max_length=64)
    caller_ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=256)

    report_number: int = Field(default=0)
    """How often a transfer was reported."""
    reported_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    payer_name: str = Field(default="", max_length=200)
    bank_reference: str = Field(default="", max_length=64)
    """The customer's bank's number of the transfer."""
    paid_on: date | None = Field(default=None)

    bank_entry: str | None = Field(default=None, unique=True, max_length=64)
    """The entry of the operator's bank statement, in one spelling; no entry pays for two orders."""
    refusal: TransferRefusal | None = Field(default=None, sa_type=enum_type(TransferRefusal))
    words: str = Field(default="", max_length=1000)
    """The operator's own words to the organization."""
    credited_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TransferApproval(SQLModel, table=True):
    """One person's word that a transfer arrived. Rows are evidence: they are added, never changed."""

    __tablename__ = "payments_approval"

    order_id: str = Field(foreign_key="payments_order.id", primary_key=True, max_length=32)
    report_number: int = Field(primary_key=True)
    """Of the report that was approved: a report that was refused takes its approvals with it."""
    person_id: str = Field(foreign_key="identity_person.id", primary_key=True, max_length=32)
    received_nanos: int = Field(sa_type=sa.BigInteger)
    bank_entry: str = Field(max_length=64)
    """As they typed it."""
    approved_at: datetime = Field(sa_type=UtcDateTime)
