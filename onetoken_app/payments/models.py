"""Tables of top-up orders, payments and refunds.

Orders and refunds are worked on; approvals, payments and what providers said are evidence and only added.
"""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency

JOURNAL_TABLES = (
    "payments_approval",
    "payments_external_payment",
    "payments_notification",
    "payments_refund_approval",
)
"""Tables whose rows are only ever inserted."""


class PaymentProvider(StrEnum):
    """How an order is paid; an order keeps to one."""

    BANK_TRANSFER = "bank_transfer"
    """The customer transfers and reports; finance finds it and approves."""
    STRIPE = "stripe"
    """A page of Stripe's Checkout."""
    ALIPAY = "alipay"
    """Alipay's own page."""
    WECHAT_PAY = "wechat_pay"
    """A code to scan with WeChat."""

    @property
    def is_by_hand(self) -> bool:
        """Whether people report and approve it, instead of a provider's signature."""
        return self is PaymentProvider.BANK_TRANSFER


class NewsKind(StrEnum):
    """What a payment provider says of a payment."""

    PAID = "paid"
    """The money is there."""
    CLOSED = "closed"
    """It can no longer be paid, and was not."""
    REFUNDED = "refunded"
    """Money went back to the payer."""
    REFUND_FAILED = "refund_failed"
    """Money was to go back and did not."""
    DISPUTED = "disputed"
    """The payer asks their bank for the money back, or that has been decided."""


class NewsOutcome(StrEnum):
    """What became of a notification that was genuine."""

    CREDITED = "credited"
    """The order's balance has the money."""
    REPEATED = "repeated"
    """The payment was credited before."""
    SURPLUS = "surplus"
    """Another payment was credited for this order; finance has to give this one back."""
    WRONG_AMOUNT = "wrong_amount"
    """Not the order's amount; nothing was credited."""
    WRONG_CURRENCY = "wrong_currency"
    """Not the order's currency; nothing was credited."""
    WRONG_PROVIDER = "wrong_provider"
    """The order is to be paid another way; nothing was credited."""
    UNKNOWN_ORDER = "unknown_order"
    """No order of ours; nothing was credited."""
    PAYMENT_USED = "payment_used"
    """The payment was credited to another order."""
    REFUND_NOTED = "refund_noted"
    """About a refund of ours, which is as far as it says, or is asked about."""
    NOTED = "noted"
    """Kept for finance; the balance is as it was."""


class OrderState(StrEnum):
    """How far an order is."""

    OPEN = "open"
    """The money is awaited."""
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


class RefundStage(StrEnum):
    """How far a refund is; it only goes forward."""

    REQUESTED = "requested"
    """It waits for approvals."""
    HELD = "held"
    """Approved: the ledger has taken the money from the balance; nobody was told to pay it out yet."""
    SENT = "sent"
    """The payment provider may have been told to pay it out; what it says is awaited."""
    CONFIRMED = "confirmed"
    """It went back to whoever paid."""
    FAILED = "failed"
    """It could not be paid out; the balance has it again."""
    REFUSED = "refused"
    """Finance did not approve it; the balance was never touched."""
    WITHDRAWN = "withdrawn"
    """The organization took it back before anybody decided; the balance was never touched."""

    @property
    def gave_nothing_back(self) -> bool:
        """Whether what it asked for may be asked for again."""
        return self in {RefundStage.FAILED, RefundStage.REFUSED, RefundStage.WITHDRAWN}


class RefundRefusal(StrEnum):
    """Why a refund was not approved."""

    CONSUMED = "consumed"
    """What is asked for was used."""
    CASE_OPEN = "case_open"
    """A case about the organization is open."""
    AGREED_OTHERWISE = "agreed_otherwise"
    """A written agreement says otherwise."""
    ASKED_BY_MISTAKE = "asked_by_mistake"
    """The organization does not want it any more."""
    OTHER = "other"
    """What the words say."""


class RefundFailure(StrEnum):
    """Why a refund that was approved could not be paid out."""

    PROVIDER_REFUSED = "provider_refused"
    """The payment provider would not do it."""
    PROVIDER_FAILED = "provider_failed"
    """The payment provider tried, and the money did not arrive."""
    BANK_RETURNED = "bank_returned"
    """The bank could not transfer it, or it came back."""


class TopUpOrder(SQLModel, table=True):
    """A promise to pay an amount in one way, and what became of it."""

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
    """What the customer writes on the transfer, and what a payment provider shows."""
    provider: PaymentProvider = Field(default=PaymentProvider.BANK_TRANSFER, sa_type=enum_type(PaymentProvider))
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    state: OrderState = Field(default=OrderState.OPEN, sa_type=enum_type(OrderState), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""

    ordered_by: str = Field(foreign_key="identity_person.id", max_length=32)
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    """Until when a transfer may be reported, or the provider's page be paid on."""
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

    provider_reference: str = Field(default="", max_length=128)
    """What the payment provider calls its page for this order; empty: it goes by the order's id, or was not started."""
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the customer was first sent to the payment provider."""
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the provider was last asked what became of it."""
    ask_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    """When to ask by ourselves; empty: there is nothing to ask."""


class ExternalPayment(SQLModel, table=True):
    """A provider's payment that was credited. No payment is credited twice, no order by two payments."""

    __tablename__ = "payments_external_payment"
    __table_args__ = (sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),)

    provider: PaymentProvider = Field(primary_key=True, sa_type=enum_type(PaymentProvider))
    external_payment_id: str = Field(primary_key=True, max_length=128)
    order_id: str = Field(foreign_key="payments_order.id", unique=True, max_length=32)
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    credited_at: datetime = Field(sa_type=UtcDateTime)


class PaymentNotification(SQLModel, table=True):
    """What a provider said, and what came of it. Forged notifications leave no row: anybody can send them."""

    __tablename__ = "payments_notification"

    provider: PaymentProvider = Field(primary_key=True, sa_type=enum_type(PaymentProvider))
    notification_id: str = Field(primary_key=True, max_length=128)
    kind: NewsKind = Field(sa_type=enum_type(NewsKind))
    outcome: NewsOutcome = Field(sa_type=enum_type(NewsOutcome), index=True)
    order_id: str = Field(default="", max_length=64, index=True)
    """As the provider says it; may be none of ours."""
    external_payment_id: str = Field(default="", max_length=128)
    currency: str = Field(default="", max_length=8)
    amount_nanos: int = Field(default=0, sa_type=sa.BigInteger)
    received_at: datetime = Field(sa_type=UtcDateTime)


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


class Refund(SQLModel, table=True):
    """Unused credit of one order on its way back to whoever paid it, and what became of it."""

    __tablename__ = "payments_refund"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "submission_id"),
        sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),
    )

    id: str = Field(primary_key=True, max_length=32)
    """What providers and the ledger know it by, so that it is paid out once."""
    order_id: str = Field(foreign_key="payments_order.id", max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one refund."""
    provider: PaymentProvider = Field(sa_type=enum_type(PaymentProvider))
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    stage: RefundStage = Field(default=RefundStage.REQUESTED, sa_type=enum_type(RefundStage), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""

    asked_by: str = Field(foreign_key="identity_person.id", max_length=32)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_words: str = Field(default="", max_length=1000)
    """Why, in the words of whoever asked."""
    refusal: RefundRefusal | None = Field(default=None, sa_type=enum_type(RefundRefusal))
    failure: RefundFailure | None = Field(default=None, sa_type=enum_type(RefundFailure))
    words: str = Field(default="", max_length=1000)
    """Finance's own words to the organization."""
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the provider was first told; set before it is."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it was refused, confirmed or failed."""
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    """When the provider is told or asked next; empty: there is nothing to tell or to ask."""
    bank_entry: str | None = Field(default=None, unique=True, max_length=64)
    """The entry of the operator's bank statement, in one spelling; no entry pays two refunds."""


class RefundApproval(SQLModel, table=True):
    """One person's word that a refund may be paid out. Rows are evidence: they are added, never changed."""

    __tablename__ = "payments_refund_approval"

    refund_id: str = Field(foreign_key="payments_refund.id", primary_key=True, max_length=32)
    person_id: str = Field(foreign_key="identity_person.id", primary_key=True, max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    approved_at: datetime = Field(sa_type=UtcDateTime)


class AdjustmentReason(StrEnum):
    """Why a balance is put right by hand."""

    CHARGED_WRONGLY = "charged_wrongly"
    """Calls were charged too much or too little."""
    PAYMENT_UNMATCHED = "payment_unmatched"
    """Money arrived that no order asked for, or for another amount."""
    PAYMENT_REVERSED = "payment_reversed"
    """A bank or a card's holder took a payment back."""
    SERVICE_FAILED = "service_failed"
    """The service was not as agreed."""
    OTHER = "other"
    """Something else."""


class AdjustmentState(StrEnum):
    """How far an adjustment is."""

    PROPOSED = "proposed"
    """It moved nothing yet."""
    MADE = "made"
    """It is in the journal."""
    DROPPED = "dropped"
    """Nothing came of it."""


class Adjustment(SQLModel, table=True):
    """A balance that is put right by hand, with why and what shows it."""

    __tablename__ = "payments_adjustment"
    __table_args__ = (
        sa.UniqueConstraint("proposed_by", "submission_id"),
        sa.CheckConstraint("amount_nanos <> 0", name="amount_is_something"),
    )

    id: str = Field(primary_key=True, max_length=32)
    """What the ledger knows it by, so that it is made once."""
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one proposal."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """More than 0 gives, less than 0 takes."""
    reason: AdjustmentReason = Field(sa_type=enum_type(AdjustmentReason))
    words: str = Field(max_length=200)
    """Why, as the organization reads it on its statement."""
    evidence: str = Field(max_length=1000)
    """What shows it; for finance and auditors."""
    state: AdjustmentState = Field(default=AdjustmentState.PROPOSED, sa_type=enum_type(AdjustmentState), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""
    proposed_by: str = Field(foreign_key="identity_person.id", max_length=32)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
