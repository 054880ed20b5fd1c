"""Tables of the price book.

A published version is never changed: triggers refuse it, and rates after its seal. It names only the models whose
prices it sets; the prices of a model in force at a moment are those of the latest version of its scope, effective by
then and not ended, that names the model. Drafts stand in tables of their own, so that nothing that is not published
can be charged.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.money import Currency
from onetoken_app.token_usage import TokenKind


class Scope(StrEnum):
    """Whom the prices of a version are for. A contract goes before an offer, an offer before the list."""

    LIST = "list"
    """For everybody, until superseded; times the ratio of the organization's plan."""
    OFFER = "offer"
    """For everybody, while it lasts, in place of the list; times the ratio of the organization's plan."""
    CONTRACT = "contract"
    """For one organization; no ratio applies."""
    COST = "cost"
    """What the operator pays for calls through one channel; no customer is charged by it."""


class DraftState(StrEnum):
    """What became of a draft."""

    OPEN = "open"
    """Waiting for somebody to look at it."""
    PUBLISHED = "published"
    """Its prices were published; so far as they differed, as a version."""
    DISCARDED = "discarded"
    """Given up."""


class TermsKind(StrEnum):
    """What else than prices decides what a customer pays."""

    RATIO = "ratio"
    """What a plan multiplies by."""
    PLAN = "plan"
    """Which plan an organization has."""
    EXCHANGE = "exchange"
    """An exchange rate."""
    END = "end"
    """The early end of an offer or a contract."""


class PriceBookVersion(SQLModel, table=True):
    """One published set of prices."""

    __tablename__ = "pricing_version"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: int | None = Field(default=None, primary_key=True)
    """Counts up; printed on every hold and charge."""
    currency: Currency = Field(sa_type=enum_type(Currency))
    effective_at: datetime = Field(sa_type=UtcDateTime, index=True)
    published_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    scope: Scope = Field(default=Scope.LIST, sa_type=enum_type(Scope))
    organization_id: str | None = Field(default=None, max_length=32)
    """Of a contract: whose."""
    channel_id: str | None = Field(default=None, max_length=32)
    """Of costs: whose."""
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Of an offer, and of a contract that ends: from when on it no longer applies."""
    published_by: str | None = Field(default=None, max_length=32)
    """The person; unset: the operator, by file or command."""


class Rate(SQLModel, table=True):
    """The price of one kind of use of one model, from one length of the input on."""

    __tablename__ = "pricing_rate"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    version_id: int = Field(foreign_key="pricing_version.id", primary_key=True)
    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, index=True, max_length=32)
    kind: TokenKind = Field(sa_type=enum_type(TokenKind), primary_key=True)
    from_input_tokens: int = Field(default=0, primary_key=True, sa_type=sa.BigInteger)
    """All input from which on it applies to the whole call; 0: always, unless a tier says else."""
    micros_per_million: int = Field(sa_type=sa.BigInteger)
    """Micro-currency per 1 000 000 tokens; of units, picos for one, of sound for an hour; at least 0."""


class VersionSeal(SQLModel, table=True):
    """That a version has all its rates: written last, when it is published. A trigger refuses rates after it.

    Prices are in force only with it.
    """

    __tablename__ = "pricing_version_seal"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    version_id: int = Field(foreign_key="pricing_version.id", primary_key=True)


class VersionEnd(SQLModel, table=True):
    """The early end of an offer or a contract."""

    __tablename__ = "pricing_version_end"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    version_id: int = Field(foreign_key="pricing_version.id", primary_key=True)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    """From when on the version no longer applies."""
    ended_by: str | None = Field(default=None, max_length=32)
    """The person; unset: the operator, by file or command."""


class PlanVersion(SQLModel, table=True):
    """What a plan multiplies prices by, from a moment on; the latest one counts."""

    __tablename__ = "pricing_plan"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: int | None = Field(default=None, primary_key=True)
    plan_name: str = Field(max_length=64)
    ratio_ppm: int = Field(sa_type=sa.BigInteger)
    """Parts per million; at least 1."""
    effective_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class PlanAssignment(SQLModel, table=True):
    """Which plan an organization has, from a moment on; the latest one counts."""

    __tablename__ = "pricing_plan_assignment"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: int | None = Field(default=None, primary_key=True)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    plan_name: str = Field(default="", max_length=64)
    """Empty: none any more."""
    effective_at: datetime = Field(sa_type=UtcDateTime)
    assigned_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ExchangeRate(SQLModel, table=True):
    """What one unit of a currency is sold at in another, from a moment on; the latest one counts."""

    __tablename__ = "pricing_exchange_rate"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: int | None = Field(default=None, primary_key=True)
    """The rate's version; printed on every charge that it converts."""
    from_currency: Currency = Field(sa_type=enum_type(Currency))
    to_currency: Currency = Field(sa_type=enum_type(Currency))
    rate_nanos: int = Field(sa_type=sa.BigInteger)
    """10⁻⁹ of ``to_currency`` for one of ``from_currency``; at least 1."""
    effective_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Draft(SQLModel, table=True):
    """Prices that somebody proposes."""

    __tablename__ = "pricing_draft"

    id: int | None = Field(default=None, primary_key=True)
    scope: Scope = Field(default=Scope.LIST, sa_type=enum_type(Scope))
    currency: Currency = Field(sa_type=enum_type(Currency))
    organization_id: str | None = Field(default=None, max_length=32)
    """Of a contract: whose."""
    channel_id: str | None = Field(default=None, max_length=32)
    """Of costs: whose."""
    effective_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """From when on, as proposed; unset: whoever publishes it says."""
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source: str = Field(default="", max_length=64)
    """Where the prices come from, such as ``genai-prices 0.2.3``."""
    state: DraftState = Field(default=DraftState.OPEN, sa_type=enum_type(DraftState))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    created_by: str | None = Field(default=None, max_length=32)
    """The person; unset: the operator, by file or command. So for the next one."""
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = Field(default=None, max_length=32)
    version_id: int | None = Field(default=None, foreign_key="pricing_version.id")
    """What was published; unset also when nothing differed."""


class DraftRate(SQLModel, table=True):
    """A proposed price; like ``Rate``."""

    __tablename__ = "pricing_draft_rate"

    draft_id: int = Field(foreign_key="pricing_draft.id", primary_key=True)
    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, max_length=32)
    kind: TokenKind = Field(sa_type=enum_type(TokenKind), primary_key=True)
    from_input_tokens: int = Field(default=0, primary_key=True, sa_type=sa.BigInteger)
    micros_per_million: int = Field(sa_type=sa.BigInteger)


class TermsDraft(SQLModel, table=True):
    """A plan's ratio, an organization's plan, an exchange rate or an early end, that somebody proposes."""

    __tablename__ = "pricing_terms_draft"

    id: int | None = Field(default=None, primary_key=True)
    kind: TermsKind = Field(sa_type=enum_type(TermsKind))
    plan_name: str = Field(default="", max_length=64)
    """Of a ratio: whose. Of an organization's plan: which one; empty: none any more."""
    ratio_ppm: int | None = Field(default=None, sa_type=sa.BigInteger)
    organization_id: str | None = Field(default=None, foreign_key="organizations_organization.id", max_length=32)
    """Of an organization's plan, and of the end of a contract: whose."""
    from_currency: Currency | None = Field(default=None, sa_type=enum_type(Currency))
    to_currency: Currency | None = Field(default=None, sa_type=enum_type(Currency))
    rate_nanos: int | None = Field(default=None, sa_type=sa.BigInteger)
    version_id: int | None = Field(default=None, foreign_key="pricing_version.id")
    """Of an end: which version's."""
    effective_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """From when on; unset: from the moment at which it is published."""
    state: DraftState = Field(default=DraftState.OPEN, sa_type=enum_type(DraftState), index=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    created_by: str = Field(max_length=32)
    """The person; so for the next one."""
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = Field(default=None, max_length=32)
    published_as: int | None = None
    """The number of the row that was published; unset also when it was so already."""


class PriceNotice(SQLModel, table=True):
    """That an organization has to be told of other prices; the row goes when it was."""

    __tablename__ = "pricing_notice"

    id: int | None = Field(default=None, primary_key=True)
    organization_id: str = Field(foreign_key="organizations_organization.id", max_length=32)
    effective_at: datetime = Field(sa_type=UtcDateTime)
    is_dearer: bool
    """Whether some use of some model is charged more."""
