"""Tables of acceptances and confirmations. Rows are evidence: they are added, and changed once at most.

The one change is a confirmation's ``withdrawn_at``, which is written once and never taken back.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id


class AgreementKind(StrEnum):
    """Texts that an organization accepts before it may call."""

    TERMS_OF_SERVICE = "terms_of_service"
    """The contract."""
    PRIVACY_POLICY = "privacy_policy"
    """What is kept about accounts and calls."""


class AcceptanceMethod(StrEnum):
    """How an acceptance came about; evidence never claims more than happened."""

    PERSON_CLICKED = "person_clicked"
    """A signed-in person accepted the exact text in the browser."""
    OPERATOR_ATTESTATION = "operator_attestation"
    """The operator states that the organization accepted outside the platform."""


class ConfirmationKind(StrEnum):
    """Written confirmations that lift a default refusal."""

    OVERSEAS_MODELS = "overseas_models"
    """Models served outside the mainland may be used."""
    PUBLIC_SERVICE = "public_service"
    """The operator consents in writing that the organization serves the general public."""


class DeclarationKind(StrEnum):
    """Statements that a person makes for an organization."""

    AUTHORITY = "authority"
    """I act for this organization and am authorized by it."""


class Acceptance(SQLModel, table=True):
    """One agreement accepted by one organization."""

    __tablename__ = "agreements_acceptance"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: str = Field(default_factory=lambda: new_id(Kind.ACCEPTANCE), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    kind: AgreementKind = Field(sa_type=enum_type(AgreementKind))
    version: str = Field(max_length=32)
    """The effective date of the text, such as ``2026-05-18``."""
    locale: str = Field(max_length=16)
    text_sha256: str = Field(max_length=64)
    method: AcceptanceMethod = Field(sa_type=enum_type(AcceptanceMethod))
    person_id: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """Unset when the operator attests."""
    signatory_name: str = Field(default="", max_length=120)
    signatory_title: str = Field(default="", max_length=120)
    accepted_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    caller_ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=256)


class Declaration(SQLModel, table=True):
    """One statement that a person made for an organization, in words on file."""

    __tablename__ = "agreements_declaration"

    id: str = Field(default_factory=lambda: new_id(Kind.DECLARATION), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    person_id: str = Field(foreign_key="identity_person.id", max_length=32)
    kind: DeclarationKind = Field(sa_type=enum_type(DeclarationKind))
    locale: str = Field(max_length=16)
    text_sha256: str = Field(max_length=64)
    signatory_name: str = Field(max_length=120)
    signatory_title: str = Field(max_length=120)
    declared_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    caller_ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=256)


class Confirmation(SQLModel, table=True):
    """A written confirmation on file, in force until it expires or is withdrawn."""

    __tablename__ = "agreements_confirmation"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: str = Field(default_factory=lambda: new_id(Kind.CONFIRMATION), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    kind: ConfirmationKind = Field(sa_type=enum_type(ConfirmationKind))
    method: AcceptanceMethod = Field(sa_type=enum_type(AcceptanceMethod))
    recorded_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
