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
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


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
