"""Reads models, channels and routes. Sealed credentials leave only in ``SealedChannelView``, for the relay."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.models import Channel, Model, Region, Route
from onetoken_app.catalog.service import credential_place
from onetoken_app.vault import unseal


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as customers see it."""

    id: str
    name: str
    owned_by: str
    context_window_tokens: int
    output_tokens_max: int
    is_enabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RouteView:
    """One channel that can serve a model."""

    id: str
    model_id: str
    channel_id: str
    upstream_model: str
    priority: int
    """Lower is tried first."""
    weight: int


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as staff see it: without its credential."""

    id: str
    name: str
    provider: str
    base_url: str
    region: Region
    is_enabled: bool
    bills_after_hang_up: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedChannelView:
    """A channel as the relay needs it; the credential is still sealed."""

    channel: ChannelView
    credential_sealed: bytes = field(repr=False)

    def reveal_credential(self, key_encryption_key: bytes) -> str:
        """Open the credential.

        Raises:
            CannotUnseal: Another key-encryption key sealed it, or the row was tampered with.
        """
        return unseal(key_encryption_key, self.credential_sealed, bound_to=credential_place(self.channel.id))


async def models_for_sale(session: AsyncSession) -> list[ModelView]:
    """Return the enabled models that an enabled channel serves, by name. Whether one has a price is pricing's word."""
    served = (
        select(Route.model_id)
        .join(Channel, col(Channel.id) == col(Route.channel_id))
        .where(col(Channel.is_enabled).is_(True))
    )
    query = select(Model).where(col(Model.is_enabled).is_(True), col(Model.id).in_(served))
    return [_model_view(row) for row in await session.exec(query.order_by(Model.name))]


async def models(session: AsyncSession) -> list[ModelView]:
    """Return every model, disabled ones included, by name."""
    return [_model_view(row) for row in await session.exec(select(Model).order_by(Model.name))]


async def model_by_name(session: AsyncSession, name: str) -> ModelView | None:
    """Return the model of this name, disabled or not."""
    row = (await session.exec(select(Model).where(Model.name == name))).first()
    return _model_view(row) if row else None


async def routes_of(session: AsyncSession, model_id: str | None = None) -> list[RouteView]:
    """Return the routes of one model, or of all, in the order of priority."""
    query = select(Route).order_by(col(Route.model_id), col(Route.priority), sa.desc(col(Route.weight)), col(Route.id))
    if model_id is not None:
        query = query.where(Route.model_id == model_id)
    return [
        RouteView(
            id=row.id,
            model_id=row.model_id,
            channel_id=row.channel_id,
            upstream_model=row.upstream_model,
            priority=row.priority,
            weight=row.weight,
        )
        for row in await session.exec(query)
    ]


async def channels(session: AsyncSession) -> list[ChannelView]:
    """Return every channel, disabled ones included, by name."""
    return [_channel_view(row) for row in await session.exec(select(Channel).order_by(Channel.name))]


async def sealed_channels(session: AsyncSession) -> list[SealedChannelView]:
    """Return every channel with its sealed credential, for the relay."""
    return [
        SealedChannelView(channel=_channel_view(row), credential_sealed=row.credential_sealed)
        for row in await session.exec(select(Channel).order_by(Channel.name))
    ]


def _model_view(row: Model) -> ModelView:
    """Copy a model."""
    return ModelView(
        id=row.id,
        name=row.name,
        owned_by=row.owned_by,
        context_window_tokens=row.context_window_tokens,
        output_tokens_max=row.output_tokens_max,
        is_enabled=row.is_enabled,
        created_at=row.created_at,
    )


def _channel_view(row: Channel) -> ChannelView:
    """Copy a channel without its credential."""
    return ChannelView(
        id=row.id,
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        region=row.region,
        is_enabled=row.is_enabled,
        bills_after_hang_up=row.bills_after_hang_up,
        created_at=row.created_at,
    )
