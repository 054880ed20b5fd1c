"""Tables of people. A password is kept as an argon2 hash, a session as the digest of its secret."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id


class StaffRole(StrEnum):
    """What a member of the operator's staff may do."""

    ADMINISTRATOR = "administrator"
    """Runs the platform: staff, channels, models."""
    REVIEWER = "reviewer"
    """Decides on organizations."""
    FINANCE = "finance"
    """Prices, payments, the ledger."""
    SUPPORT = "support"
    """Sees metadata to help customers."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""


class MailedLinkKind(StrEnum):
    """What whoever follows a mailed link may do."""

    SIGN_UP = "sign_up"
    """Register an organization under the confirmed address."""
    PASSWORD_RESET = "password_reset"  # noqa: S105 # a kind, not a password
    """Choose a new password."""
    INVITATION = "invitation"
    """Take a seat in an organization."""


class Person(SQLModel, table=True):
    """A human who signs in, on an organization's behalf or as staff."""

    __tablename__ = "identity_person"

    id: str = Field(default_factory=lambda: new_id(Kind.PERSON), primary_key=True, max_length=32)
    email: str = Field(unique=True, max_length=254)
    """Lower case; the name they sign in with."""
    name: str = Field(default="", max_length=120)
    password_hash: str | None = Field(default=None, max_length=256)
    """Unset: cannot sign in with a password."""
    locale: str = Field(default="en", max_length=16)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StaffMembership(SQLModel, table=True):
    """A person's role on the operator's side."""

    __tablename__ = "identity_staff_membership"

    person_id: str = Field(foreign_key="identity_person.id", primary_key=True, max_length=32)
    role: StaffRole = Field(sa_type=enum_type(StaffRole), primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class SignInSession(SQLModel, table=True):
    """One browser that is signed in."""

    __tablename__ = "identity_sign_in_session"

    id: str = Field(default_factory=lambda: new_id(Kind.SIGN_IN_SESSION), primary_key=True, max_length=32)
    secret_digest: bytes = Field(unique=True, sa_type=sa.LargeBinary(32))
    """SHA-256 of the cookie's 256 random bits."""
    person_id: str = Field(foreign_key="identity_person.id", index=True, max_length=32)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    caller_ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=256)


class MailedLink(SQLModel, table=True):
    """A link for one use; following it proves that somebody reads the mail of an address."""

    __tablename__ = "identity_mailed_link"

    id: str = Field(default_factory=lambda: new_id(Kind.MAILED_LINK), primary_key=True, max_length=32)
    kind: MailedLinkKind = Field(sa_type=enum_type(MailedLinkKind))
    secret_digest: bytes = Field(unique=True, sa_type=sa.LargeBinary(32))
    """SHA-256 of the link's 256 random bits."""
    email: str = Field(max_length=254, index=True)
    """Where it was sent."""
    subject_id: str = Field(default="", max_length=32)
    """What it is about, such as an invitation."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInThrottle(SQLModel, table=True):
    """Failures and mails of late, by account, mailbox and address, so that guessing and mailing slow down."""

    __tablename__ = "identity_sign_in_throttle"

    subject: str = Field(primary_key=True, max_length=80)
    """``account:``, ``address:``, ``mailbox:`` or ``asking:``, and a digest."""
    failure_count: int = Field(default=0)
    last_failure_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
