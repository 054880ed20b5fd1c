"""Tables of invoices, statements and contracts.

What was requested never changes afterwards, nor what was issued; red letters and statements are only added.
"""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency


class InvoiceKind(StrEnum):
    """What the operator's invoicing system makes."""

    GENERAL_FAPIAO = "general_fapiao"
    """A general VAT fapiao."""
    SPECIAL_FAPIAO = "special_fapiao"
    """A special VAT fapiao, from which the buyer deducts the tax."""
    COMMERCIAL = "commercial"
    """A commercial invoice, for organizations outside of mainland China."""


class InvoiceState(StrEnum):
    """How far an invoice is."""

    REQUESTED = "requested"
    """It waits for finance."""
    IN_WORK = "in_work"
    """Somebody of finance makes it."""
    ISSUED = "issued"
    """It has a number and a date; a part of it may be reversed."""
    REFUSED = "refused"
    """Finance said why not."""
    WITHDRAWN = "withdrawn"
    """The organization took the request back."""
    RED_LETTERED = "red_lettered"
    """All of it is reversed."""


class Invoice(SQLModel, table=True):
    """A request for an invoice, and what became of it."""

    __tablename__ = "billing_invoice"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "submission_id"),
        sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),
    )

    id: str = Field(primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one request."""
    kind: InvoiceKind = Field(sa_type=enum_type(InvoiceKind))
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    title: str = Field(max_length=200)
    """The organization's name, as it stood on file when it asked."""
    tax_id: str = Field(max_length=64)
    """Its registration code, as it stood on file when it asked."""
    registered_address: str = Field(default="", max_length=300)
    phone: str = Field(default="", max_length=40)
    bank_name: str = Field(default="", max_length=120)
    bank_account: str = Field(default="", max_length=64)
    delivery_email: str = Field(max_length=254)
    """Where the invoice is sent to."""
    requested_by: str = Field(foreign_key="identity_person.id", max_length=32)
    requested_at: datetime = Field(sa_type=UtcDateTime)

    state: InvoiceState = Field(default=InvoiceState.REQUESTED, sa_type=enum_type(InvoiceState), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""
    handled_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """Who of finance took it, issued it or refused it last."""
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    number: str | None = Field(default=None, unique=True, max_length=40)
    """That the invoicing system gave; in one spelling."""
    issued_on: date | None = Field(default=None)
    """The date that stands on it."""
    words: str = Field(default="", max_length=1000)
    """Why it was refused, in the operator's own words to the organization."""


class InvoicedOrder(SQLModel, table=True):
    """A top-up that an invoice was asked for by name."""

    __tablename__ = "billing_invoiced_order"

    invoice_id: str = Field(foreign_key="billing_invoice.id", primary_key=True, max_length=32)
    order_id: str = Field(foreign_key="payments_order.id", primary_key=True, index=True, max_length=32)


class RedLetter(SQLModel, table=True):
    """The reversal of an issued invoice, or of a part of it; gives the amount back to what can be invoiced."""

    __tablename__ = "billing_red_letter"
    __table_args__ = (sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),)

    id: str = Field(primary_key=True, max_length=32)
    invoice_id: str = Field(foreign_key="billing_invoice.id", index=True, max_length=32)
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    number: str = Field(unique=True, max_length=40)
    """Of the red letter itself; in one spelling."""
    issued_on: date
    issued_by: str = Field(foreign_key="identity_person.id", max_length=32)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    words: str = Field(max_length=1000)
    """Why, in the operator's own words to the organization."""


class InvoiceFileFormat(StrEnum):
    """What a file is, by its bytes; the value is its media type."""

    PDF = "application/pdf"
    """To print."""
    OFD = "application/ofd"
    """The layout that fapiao are issued in."""
    XML = "application/xml"
    """For programs of bookkeeping."""


class InvoiceFile(SQLModel, table=True):
    """What is known of a file of an issued invoice, or of a red letter, without opening it."""

    __tablename__ = "billing_invoice_file"
    __table_args__ = (sa.UniqueConstraint("paper_id", "format"),)

    id: str = Field(primary_key=True, max_length=32)
    invoice_id: str = Field(foreign_key="billing_invoice.id", index=True, max_length=32)
    paper_id: str = Field(max_length=32)
    """The invoice itself, or the red letter that it is of."""
    name: str = Field(max_length=120)
    """What finance's file was called; printable, without a path."""
    format: InvoiceFileFormat = Field(sa_type=enum_type(InvoiceFileFormat))
    byte_count: int
    sha256: str = Field(max_length=64)
    uploaded_by: str = Field(foreign_key="identity_person.id", max_length=32)
    uploaded_at: datetime = Field(sa_type=UtcDateTime)


class SealedInvoiceFile(SQLModel, table=True):
    """A file's bytes under a key of their own, and that key under the key-encryption key."""

    __tablename__ = "billing_sealed_invoice_file"

    file_id: str = Field(foreign_key="billing_invoice_file.id", primary_key=True, max_length=32)
    key_sealed: bytes = Field(sa_type=sa.LargeBinary)
    bytes_sealed: bytes = Field(sa_type=sa.LargeBinary)


class MonthlyStatement(SQLModel, table=True):
    """A closed month of an organization in one currency. Rows are only ever inserted."""

    __tablename__ = "billing_statement"
    __table_args__ = (sa.UniqueConstraint("organization_id", "currency", "month"),)

    id: str = Field(primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", max_length=32)
    currency: Currency = Field(sa_type=enum_type(Currency))
    month: date
    """Its first day."""
    time_zone: str = Field(max_length=64)
    """In which its end was cut; a later change of the organization's changes nothing here."""
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    """Excluded; the next statement begins there."""
    last_number: int = Field(sa_type=sa.BigInteger)
    """The last transaction of the journal that was looked at; see ``reckoning.py``."""
    opening_nanos: int = Field(sa_type=sa.BigInteger)
    charged_nanos: int = Field(sa_type=sa.BigInteger)
    closing_nanos: int = Field(sa_type=sa.BigInteger)
    due_nanos: int = Field(sa_type=sa.BigInteger)
    """What a postpaid organization owes by ``due_on``; 0 for everybody else."""
    due_on: date | None = Field(default=None, index=True)
    closed_at: datetime = Field(sa_type=UtcDateTime)
    figures_json: str = Field(sa_type=sa.Text)
    """All of it, as ``figures.py`` writes it: amounts, ids and names of the organization's own."""
    sha256: str = Field(max_length=64)
    """Of ``figures_json``."""


class BillingCycle(StrEnum):
    """How often a postpaid organization settles."""

    MONTHLY = "monthly"
    """At the end of each month."""
    QUARTERLY = "quarterly"
    """At the end of March, June, September and December."""


class Contract(SQLModel, table=True):
    """What was agreed with an organization that pays afterwards; one each, changed with every new agreement."""

    __tablename__ = "billing_contract"
    __table_args__ = (
        sa.CheckConstraint("credit_limit_nanos >= 0", name="credit_limit_is_not_negative"),
        sa.CheckConstraint("payment_days BETWEEN 0 AND 365", name="payment_days_are_in_range"),
    )

    organization_id: str = Field(foreign_key="organizations_organization.id", primary_key=True, max_length=32)
    number: str = Field(max_length=64)
    """The operator's own, of the paper that was signed."""
    credit_limit_nanos: int = Field(sa_type=sa.BigInteger)
    """How far the prepaid balance may fall below 0."""
    cycle: BillingCycle = Field(sa_type=enum_type(BillingCycle))
    payment_days: int
    """Days from the end of a cycle to the day by which it has to be paid."""
    starts_on: date
    """The first month with this day or a later one in it is settled."""
    ends_on: date | None = Field(default=None)
    """Its month is the last that is settled, whatever the cycle; unset: until further notice."""
    reason: str = Field(default="", max_length=1000)
    """Of the last change, in finance's own words."""
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""
    agreed_by: str = Field(foreign_key="identity_person.id", max_length=32)
    """Who of finance entered it."""
    agreed_at: datetime = Field(sa_type=UtcDateTime)
