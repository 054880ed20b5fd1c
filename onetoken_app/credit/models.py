"""Tables of credit: what was given by hand, packages and their sales, freezes with their reasons, thresholds of alerts.

What was given or sold is in the ledger; these rows say why, by whom, and under which name.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency


class GrantKind(StrEnum):
    """Why credit is given. Both kinds are promotional credit to the ledger: spent first, expiring, never invoiced."""

    PROMOTIONAL = "promotional"
    """For any reason that finance states."""
    TRIAL = "trial"
    """To try the service out; once an organization."""


class GrantState(StrEnum):
    """How far a grant is."""

    PROPOSED = "proposed"
    """A second person has to approve it."""
    GRANTED = "granted"
    """The credit is there."""
    REFUSED = "refused"
    """Nothing was given."""


class Grant(SQLModel, table=True):
    """Promotional or trial credit that finance gives, or wants to give."""

    __tablename__ = "credit_grant"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "submission_id"),
        sa.CheckConstraint("amount_nanos > 0", name="amount_is_positive"),
        sa.Index(
            "uq_credit_grant_trial",
            "organization_id",
            unique=True,
            sqlite_where=sa.text("kind = 'trial' AND state <> 'refused'"),
            postgresql_where=sa.text("kind = 'trial' AND state <> 'refused'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one grant."""
    kind: GrantKind = Field(sa_type=enum_type(GrantKind))
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    """The end of its last day, on the organization's clocks."""
    reason: str = Field(max_length=1000)
    """In finance's own words; the organization does not see them."""
    state: GrantState = Field(sa_type=enum_type(GrantState), index=True)
    proposed_by: str = Field(foreign_key="identity_person.id", max_length=32)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """The second person; unset while it waits, and where nobody else had to."""
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Package(SQLModel, table=True):
    """Credit or tokens for sale: a price, a bonus and a validity. It never changes; another takes its place."""

    __tablename__ = "credit_package"
    __table_args__ = (
        sa.CheckConstraint("price_nanos > 0", name="price_is_positive"),
        sa.CheckConstraint("bonus_nanos >= 0", name="bonus_is_not_negative"),
        sa.CheckConstraint("valid_days > 0", name="validity_is_positive"),
    )

    id: str = Field(primary_key=True, max_length=32)
    name: str = Field(max_length=64)
    currency: Currency = Field(sa_type=enum_type(Currency))
    price_nanos: int = Field(sa_type=sa.BigInteger)
    """Taken from the prepaid balance, and as much credit."""
    bonus_nanos: int = Field(sa_type=sa.BigInteger)
    """Given on top: promotional credit for the same models, until the same moment."""
    token_count: int = Field(default=0, sa_type=sa.BigInteger)
    """How many tokens of its models it is for, each at price ÷ tokens, which is whole nanos; 0: it is credit."""
    valid_days: int
    """From the sale on."""
    offered_by: str = Field(foreign_key="identity_person.id", max_length=32)
    offered_at: datetime = Field(sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set: it is sold no more; what was sold stays."""


class PackageModel(SQLModel, table=True):
    """A model that a package is for; a package without any is for all."""

    __tablename__ = "credit_package_model"

    package_id: str = Field(foreign_key="credit_package.id", primary_key=True, max_length=32)
    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, max_length=32)


class PackageSale(SQLModel, table=True):
    """A package that an organization bought. Its id is in the references of the ledger's entries."""

    __tablename__ = "credit_package_sale"
    __table_args__ = (sa.UniqueConstraint("organization_id", "submission_id"),)

    id: str = Field(primary_key=True, max_length=32)
    package_id: str = Field(foreign_key="credit_package.id", max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", max_length=32)
    submission_id: str = Field(max_length=64)
    """Made once per form: the same form sent twice is one sale."""
    expires_at: datetime = Field(sa_type=UtcDateTime)
    bought_by: str = Field(foreign_key="identity_person.id", max_length=32)
    bought_at: datetime = Field(sa_type=UtcDateTime)


class Freeze(SQLModel, table=True):
    """A time in which an organization may place no new hold; its id is in the references of the ledger's entries."""

    __tablename__ = "credit_freeze"
    __table_args__ = (
        sa.Index(
            "uq_credit_freeze_in_force",
            "organization_id",
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    reason: str = Field(max_length=1000)
    """Why, in words that the organization reads."""
    frozen_by: str = Field(foreign_key="identity_person.id", max_length=32)
    frozen_at: datetime = Field(sa_type=UtcDateTime)
    lift_reason: str = Field(default="", max_length=1000)
    lifted_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BalanceAlert(SQLModel, table=True):
    """Below what an organization wants to hear of it by mail, and whether it has."""

    __tablename__ = "credit_balance_alert"
    __table_args__ = (sa.CheckConstraint("threshold_nanos > 0", name="threshold_is_positive"),)

    organization_id: str = Field(foreign_key="organizations_organization.id", primary_key=True, max_length=32)
    threshold_nanos: int = Field(sa_type=sa.BigInteger)
    is_below: bool
    """Once it is, the next mail waits for the balance to have risen to the threshold again."""
    set_by: str = Field(foreign_key="identity_person.id", max_length=32)
    set_at: datetime = Field(sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the last mail was written."""
