"""Tables of models, channels and routes."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id


class Region(StrEnum):
    """Where a channel serves from, as the region gate sees it."""

    MAINLAND = "mainland"
    """Mainland China: open to every organization."""
    OVERSEAS = "overseas"
    """Anywhere else: needs a written confirmation on file."""


class RoutingRule(StrEnum):
    """How the channels of one priority are ordered for a call."""

    WEIGHT = "weight"
    """Drawn at random by weight."""
    LATENCY = "latency"
    """The one whose answers begin soonest."""
    COST = "cost"
    """The one that costs the operator least."""
    STICKY = "sticky"
    """The same one for the same conversation, so that a provider's cache helps."""


class Channel(SQLModel, table=True):
    """One upstream endpoint with a credential."""

    __tablename__ = "catalog_channel"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: str = Field(default_factory=lambda: new_id(Kind.CHANNEL), primary_key=True, max_length=32)
    name: str = Field(unique=True, max_length=64)
    provider: str = Field(max_length=32)
    """A name in ``providers.registry``."""
    base_url: str = Field(max_length=512)
    """Up to and without the endpoint's path, such as ``https://api.example.com/v1``."""
    credential_sealed: bytes = Field(sa_type=sa.LargeBinary)
    """Sealed by ``vault.seal``, bound to ``catalog_channel:<id>:credential``."""
    region: Region = Field(sa_type=enum_type(Region))
    is_enabled: bool = Field(default=True)
    bills_after_hang_up: bool = Field(default=False)
    """Whether the provider bills a whole answer even when the connection is cut."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Credential(SQLModel, table=True):
    """One more credential of a channel, beside its own."""

    __tablename__ = "catalog_credential"
    __table_args__ = (sa.UniqueConstraint("channel_id", "name"), {"info": READ_BY_THE_RELAY})

    id: str = Field(default_factory=lambda: new_id(Kind.CREDENTIAL), primary_key=True, max_length=32)
    channel_id: str = Field(foreign_key="catalog_channel.id", max_length=32)
    name: str = Field(max_length=64)
    """Unique within the channel."""
    credential_sealed: bytes = Field(sa_type=sa.LargeBinary)
    """Sealed by ``vault.seal``, bound to ``catalog_credential:<id>:credential``."""
    is_enabled: bool = Field(default=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Model(SQLModel, table=True):
    """What customers name in a request."""

    __tablename__ = "catalog_model"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    id: str = Field(default_factory=lambda: new_id(Kind.MODEL), primary_key=True, max_length=32)
    name: str = Field(unique=True, max_length=128)
    owned_by: str = Field(default="onetoken", max_length=64)
    """The supplier, as shown to customers."""
    context_window_tokens: int
    """Input and output together; at least 1."""
    output_tokens_max: int
    """The longest answer; at least 1."""
    is_enabled: bool = Field(default=True)
    routing_rule: RoutingRule = Field(default=RoutingRule.WEIGHT, sa_type=enum_type(RoutingRule))
    first_byte_seconds: int | None = Field(default=None)
    """How long a provider may take to begin an answer; unset: as the settings say."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class ModelAlias(SQLModel, table=True):
    """Another name that customers may write for a model."""

    __tablename__ = "catalog_model_alias"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    name: str = Field(primary_key=True, max_length=128)
    """Never the name of a model."""
    model_id: str = Field(foreign_key="catalog_model.id", index=True, max_length=32)


class ModelFallback(SQLModel, table=True):
    """A model that answers in the place of another one when no channel of that one can."""

    __tablename__ = "catalog_model_fallback"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, max_length=32)
    position: int = Field(primary_key=True)
    """Lower is tried first; from 0."""
    fallback_model_id: str = Field(foreign_key="catalog_model.id", max_length=32)


class Route(SQLModel, table=True):
    """One channel that can serve a model."""

    __tablename__ = "catalog_route"
    __table_args__ = (sa.UniqueConstraint("model_id", "channel_id"), {"info": READ_BY_THE_RELAY})

    id: str = Field(default_factory=lambda: new_id(Kind.ROUTE), primary_key=True, max_length=32)
    model_id: str = Field(foreign_key="catalog_model.id", max_length=32)
    channel_id: str = Field(foreign_key="catalog_channel.id", index=True, max_length=32)
    upstream_model: str = Field(max_length=128)
    """What the provider calls the model."""
    priority: int = Field(default=0)
    """Lower is tried first."""
    weight: int = Field(default=1)
    """Share of traffic within one priority; at least 1."""
