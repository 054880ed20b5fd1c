"""Tables of organizations and their members."""

from datetime import datetime
from enum import StrEnum

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


class Membership(SQLModel, table=True):
    """A person's role in an organization."""

    __tablename__ = "organizations_membership"

    organization_id: str = Field(foreign_key="organizations_organization.id", primary_key=True, max_length=32)
    person_id: str = Field(foreign_key="identity_person.id", primary_key=True, index=True, max_length=32)
    role: OrganizationRole = Field(sa_type=enum_type(OrganizationRole))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
