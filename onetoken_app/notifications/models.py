"""The outbox. What a mail says is sealed while it waits, because it may carry a link, and wiped once it is sent."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id


class LetterKind(StrEnum):
    """What a mail is about."""

    CONFIRM_ADDRESS = "confirm_address"
    """The link that goes on with a sign-up."""
    ALREADY_SIGNED_UP = "already_signed_up"
    """Somebody signed up with an address that is known."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 # a kind, not a password
    """The link to choose a new password."""
    NO_ACCOUNT = "no_account"
    """Somebody forgot the password of an address that is unknown."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 # a kind, not a password
    """The password was changed."""
    INVITATION = "invitation"
    """The link to take a seat in an organization."""
    CASE_NEWS = "case_news"
    """Something happened to the verification of an organization."""
    CASE_WAITS = "case_waits"
    """To reviewers: an organization submitted its case."""
    PAYMENT_NEWS = "payment_news"
    """Something happened to a payment."""
    TRANSFER_WAITS = "transfer_waits"
    """To finance: a customer reported a transfer."""
    REFUND_WAITS = "refund_waits"
    """To finance: a refund needs somebody."""
    ADJUSTMENT_NEWS = "adjustment_news"
    """A balance was put right by hand."""
    ADJUSTMENT_WAITS = "adjustment_waits"
    """To finance: an adjustment was proposed."""
    INVOICE_NEWS = "invoice_news"
    """Something happened to an invoice."""
    INVOICE_WAITS = "invoice_waits"
    """To finance: an organization asked for an invoice."""
    STATEMENT_CLOSED = "statement_closed"
    """A month of an organization was closed."""
    BALANCE_LOW = "balance_low"
    """An organization's balance fell below its threshold."""
    CREDIT_NEWS = "credit_news"
    """Credit was given to an organization, frozen or released."""
    GRANT_WAITS = "grant_waits"
    """To finance: a grant needs a second person."""
    PRICES_CHANGE = "prices_change"
    """An organization is charged other prices from a moment on."""
    ROLE_CHANGED = "role_changed"
    """What somebody may do for an organization was changed."""
    MEMBER_REMOVED = "member_removed"
    """Somebody acts for an organization no longer."""
    ORGANIZATION_SUSPENDED = "organization_suspended"
    """An organization's calls are refused from now on."""
    ORGANIZATION_RESUMED = "organization_resumed"
    """They are admitted again."""


class DeliveryFailure(StrEnum):
    """Why a mail could not be handed over the last time."""

    UNREACHABLE = "unreachable"
    """The mail server did not answer, or went away."""
    REFUSED = "refused"
    """The mail server does not take mails from us: credentials, TLS or sender."""
    DEFERRED = "deferred"
    """The mail server asked to try again later."""
    REJECTED = "rejected"
    """The mail server will never take this mail; it is given up."""
    SEALED = "sealed"
    """The mail does not open with this key-encryption key; it is given up."""


class OutboxLetter(SQLModel, table=True):
    """One mail to one address."""

    __tablename__ = "notifications_letter"

    id: str = Field(default_factory=lambda: new_id(Kind.LETTER), primary_key=True, max_length=32)
    kind: LetterKind = Field(sa_type=enum_type(LetterKind))
    recipient: str = Field(max_length=254)
    sealed: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    """Subject and words, encrypted; unset once it is sent or given up."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    """When it is tried next; unset once it is sent or given up."""
    attempt_count: int = Field(default=0)
    last_failure: DeliveryFailure | None = Field(default=None, sa_type=enum_type(DeliveryFailure))
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    given_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
