"""Reads models, channels and routes. Sealed credentials leave only in ``SealedChannelView``, for the relay."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.models import (
    Channel,
    Credential,
    Model,
    ModelAlias,
    ModelFallback,
    Region,
    Route,
    RoutingRule,
)
from onetoken_app.catalog.service import credential_place, further_credential_place
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
    routing_rule: RoutingRule = RoutingRule.WEIGHT
    first_byte_seconds: int | None = None
    """How long a provider may take to begin an answer; unset: as the settings say."""


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


@dataclass(frozen=True, slots=True)
class SealedCredentialView:
    """A further credential of a channel, still sealed."""

    id: str
    channel_id: str
    credential_sealed: bytes = field(repr=False)

    def reveal(self, key_encryption_key: bytes) -> str:
        """Open it.

        Raises:
            CannotUnseal: Another key-encryption key sealed it, or the row was tampered with.
        """
        return unseal(key_encryption_key, self.credential_sealed, bound_to=further_credential_place(self.id))


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


async def further_credentials(session: AsyncSession) -> list[SealedCredentialView]:
    """Return the further credentials that may be used, for the relay, oldest first."""
    query = select(Credential).where(col(Credential.is_enabled).is_(True)).order_by(Credential.id)
    return [
        SealedCredentialView(id=row.id, channel_id=row.channel_id, credential_sealed=row.credential_sealed)
        for row in await session.exec(query)
    ]


async def model_aliases(session: AsyncSession) -> dict[str, str]:
    """Return the id of the model that each alias stands for."""
    return {row.name: row.model_id for row in await session.exec(select(ModelAlias).order_by(ModelAlias.name))}


async def model_fallbacks(session: AsyncSession) -> dict[str, tuple[str, ...]]:
    """Return the ids of the models that stand in for each model, in their order."""
    query = select(ModelFallback).order_by(col(ModelFallback.model_id), col(ModelFallback.position))
    fallbacks: dict[str, tuple[str, ...]] = {}
    for row in await session.exec(query):
        fallbacks[row.model_id] = (*fallbacks.get(row.model_id, ()), row.fallback_model_id)
    return fallbacks


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
        routing_rule=row.routing_rule,
        first_byte_seconds=row.first_byte_seconds,
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
