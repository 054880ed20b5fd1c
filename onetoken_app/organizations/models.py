"""Tables of organizations and their members."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.money import Currency


class OrganizationRole(StrEnum):
    """What a member may do for the organization; each role may also do what the ones below it may see."""

    OWNER = "owner"
    """Everything, and answers for it."""
    ADMINISTRATOR = "administrator"
    """Members, keys, settings."""
    DEVELOPER = "developer"
    """Keys and usage."""
    BILLING = "billing"
    """Money and usage."""
    VIEWER = "viewer"
    """Looks, changes nothing."""


class Scenario(StrEnum):
    """What an organization says it uses the service for."""

    INTERNAL_RESEARCH = "internal_research"
    """Research of its own."""
    TESTING = "testing"
    """Trying models out."""
    BUSINESS_INTEGRATION = "business_integration"
    """Calls from its business systems."""
    OFFICE_WORK = "office_work"
    """Its people's daily work."""
    DATA_PROCESSING = "data_processing"
    """Its data, sorted, extracted or converted."""
    KNOWLEDGE_MANAGEMENT = "knowledge_management"
    """Finding what it knows."""
    CUSTOMER_SUPPORT = "customer_support"
    """Helping its own customers."""
    PUBLIC_SERVICE = "public_service"
    """Serving the general public; needs the operator's written consent."""


class SuspensionCause(StrEnum):
    """Why an organization's calls are refused."""

    PROHIBITED_USE = "prohibited_use"
    """It uses the service for what the terms, the law or a provider's rules prohibit."""
    SECURITY = "security"
    """Keys or sign-ins of it may be in the wrong hands."""
    PARTICULARS = "particulars"
    """What it said of itself is out of date, or in doubt."""
    OVERDUE = "overdue"
    """It has not paid what is due."""
    LEGAL = "legal"
    """The law or an authority requires it."""
    REQUESTED = "requested"
    """It asked for it."""
    OTHER = "other"
    """What the words say."""


class Organization(SQLModel, table=True):
    """A customer: a legally existing organization, never a natural person."""

    __tablename__ = "organizations_organization"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: str = Field(default_factory=lambda: new_id(Kind.ORGANIZATION), primary_key=True, max_length=32)
    name: str = Field(max_length=200)
    registration_code: str = Field(unique=True, max_length=64)
    """Unified social credit code (GB 32100-2015), or the register's number elsewhere."""
    currency: Currency = Field(default=Currency.USD, sa_type=enum_type(Currency))
    """What it is billed in; fixed once it has an account."""
    time_zone: str = Field(default="Asia/Shanghai", max_length=64)
    """IANA name; days and months of charts and budgets are cut in it."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Unset: its keys are refused."""
    suspended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set: its calls are refused; a ``Suspension`` says why."""


class Suspension(SQLModel, table=True):
    """A time in which an organization's calls are refused, and why."""

    __tablename__ = "organizations_suspension"
    __table_args__ = (
        sa.Index(
            "uq_organizations_suspension_in_force",
            "organization_id",
            unique=True,
            sqlite_where=sa.text("resumed_at IS NULL"),
            postgresql_where=sa.text("resumed_at IS NULL"),
        ),
    )

    id: str = Field(default_factory=lambda: new_id(Kind.SUSPENSION), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    cause: SuspensionCause = Field(sa_type=enum_type(SuspensionCause))
    words: str = Field(max_length=1000)
    """The staff's own, for the organization to read."""
    suspended_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """Unset: whoever runs commands on the server."""
    suspended_at: datetime = Field(sa_type=UtcDateTime)
    resume_words: str = Field(default="", max_length=1000)
    resumed_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    resumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Membership(SQLModel, table=True):
    """A person's role in an organization."""

    __tablename__ = "organizations_membership"

    organization_id: str = Field(foreign_key="organizations_organization.id", primary_key=True, max_length=32)
    person_id: str = Field(foreign_key="identity_person.id", primary_key=True, index=True, max_length=32)
    role: OrganizationRole = Field(sa_type=enum_type(OrganizationRole))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class DeclaredScenario(SQLModel, table=True):
    """A use that an organization declared."""

    __tablename__ = "organizations_declared_scenario"

    organization_id: str = Field(foreign_key="organizations_organization.id", primary_key=True, max_length=32)
    scenario: Scenario = Field(sa_type=enum_type(Scenario), primary_key=True)
    declared_by: str = Field(foreign_key="identity_person.id", max_length=32)
    declared_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Invitation(SQLModel, table=True):
    """A role in an organization that is offered to whoever reads an address's mail."""

    __tablename__ = "organizations_invitation"

    id: str = Field(default_factory=lambda: new_id(Kind.INVITATION), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    email: str = Field(max_length=254)
    role: OrganizationRole = Field(sa_type=enum_type(OrganizationRole))
    invited_by: str = Field(foreign_key="identity_person.id", max_length=32)
    invited_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
