"""What the relay knows of models, channels and prices at one revision of the policy, and how it is read."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import having_confirmation, owing_acceptance
from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import (
    ModelView,
    SealedChannelView,
    SealedCredentialView,
    further_credentials,
    model_aliases,
    model_fallbacks,
    models,
    routes_of,
    sealed_channels,
)
from onetoken_app.credit.caps import Cap, caps_of
from onetoken_app.database import policy_revision
from onetoken_app.keys.queries import keys_by_digest
from onetoken_app.money import Currency
from onetoken_app.organizations.queries import organizations_by_id
from onetoken_app.pricing.price_book import PriceBook
from onetoken_app.pricing.queries import next_price_change_at, price_book
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.providers.registry import is_known_provider
from onetoken_app.telemetry import get_logger
from onetoken_app.vault import CannotUnseal

VALID_SECONDS_MAX = 60
"""How long anything is trusted without being read again, even when no revision says that it changed: the bound on what
time alone changes (a confirmation that expires, an agreement that comes into force)."""


@dataclass(frozen=True, slots=True, repr=False)
class ChannelRoute:
    """One way to serve a model."""

    target: UpstreamTarget
    priority: int
    weight: int
    is_overseas: bool
    cost_sheet: PriceSheet | None = None
    """What the operator pays; unset: not known."""
    spares: tuple[UpstreamTarget, ...] = ()
    """The same with the channel's further credentials."""

    @property
    def targets(self) -> tuple[UpstreamTarget, ...]:
        """One for each credential of the channel."""
        return (self.target, *self.spares)


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """A model that can be called, with the ways to serve it, in the order of priority."""

    model: ModelView
    routes: tuple[ChannelRoute, ...] = field(repr=False)
    """Empty while all its channels are out: it is still on sale, and others may stand in for it."""
    fallbacks: tuple[str, ...] = ()
    """Names of the models that stand in for it, in their order."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a key and the standing of its organization."""

    api_key_id: str
    organization_id: str
    project_id: str
    currency: Currency
    expires_at: datetime | None
    is_revoked: bool
    is_verified: bool
    is_suspended: bool
    has_outstanding_agreements: bool
    may_call_overseas: bool
    permitted_model_ids: frozenset[str] | None
    """``None``: every model."""
    time_zone: str
    """In which the organization's days and months begin; an IANA name."""
    caps: tuple[Cap, ...]
    """The budgets that its calls count against."""

    def is_usable(self, now: datetime) -> bool:
        """Whether the key itself is good at ``now``."""
        return not self.is_revoked and (self.expires_at is None or now < self.expires_at)

    def may_call(self, model_id: str) -> bool:
        """Whether the key is not restricted to other models."""
        return self.permitted_model_ids is None or model_id in self.permitted_model_ids


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """Models and prices at one revision."""

    revision: int
    offers: dict[str, ModelOffer] = field(repr=False)
    """By the model's name."""
    prices: PriceBook = field(repr=False)
    valid_until: datetime
    """Read again by then, whatever the revision says."""
    aliases: dict[str, str] = field(default_factory=dict, repr=False)
    """Names of models by their other names."""

    def offer_of(self, name: str) -> ModelOffer | None:
        """Return the model of this name, or that the name is an alias of."""
        return self.offers.get(name) or self.offers.get(self.aliases.get(name, ""))

    def sheet_for(self, caller: Caller, model_id: str) -> PriceSheet | None:
        """Return what a caller is charged by; ``None``: the model has no price for it."""
        return self.prices.sheet_for(
            model_id=model_id, organization_id=caller.organization_id, currency=caller.currency
        )


async def read_snapshot(session: AsyncSession, *, now: datetime, key_encryption_key: bytes) -> PolicySnapshot:
    """Read models, channels and the prices in force.

    The revision is read first: a change that slips in behind it makes the snapshot newer than it claims, never older.
    """
    revision = await policy_revision(session)
    channels = {sealed.channel.id: sealed for sealed in await sealed_channels(session)}
    prices = await price_book(session, now=now)
    spares: dict[str, list[SealedCredentialView]] = {}
    for credential in await further_credentials(session):
        spares.setdefault(credential.channel_id, []).append(credential)
    ways: dict[str, list[ChannelRoute]] = {}
    routed_ids = set()
    for route in await routes_of(session):
        routed_ids.add(route.model_id)
        way = _way(channels[route.channel_id], route.upstream_model, route.priority, route.weight, key_encryption_key)
        if way is not None:
            cost_sheet = prices.cost_sheet_for(model_id=route.model_id, channel_id=route.channel_id)
            further = _further_targets(way.target, spares.get(route.channel_id, ()), key_encryption_key)
            way = replace(way, cost_sheet=cost_sheet, spares=further)
            ways.setdefault(route.model_id, []).append(way)
    for_sale = {model.id: model for model in await models(session) if model.is_enabled and model.id in routed_ids}
    fallbacks = await model_fallbacks(session)
    offers = {
        model.name: ModelOffer(
            model=model,
            routes=tuple(ways.get(model.id, ())),
            fallbacks=tuple(for_sale[other].name for other in fallbacks.get(model.id, ()) if other in for_sale),
        )
        for model in for_sale.values()
    }
    aliases = await model_aliases(session)
    next_change_at = await next_price_change_at(session, now=now)
    valid_until = now + timedelta(seconds=VALID_SECONDS_MAX)
    return PolicySnapshot(
        revision=revision,
        offers=offers,
        prices=prices,
        valid_until=min(valid_until, next_change_at) if next_change_at else valid_until,
        aliases={name: for_sale[model_id].name for name, model_id in aliases.items() if model_id in for_sale},
    )


async def read_callers(session: AsyncSession, *, digests: Collection[bytes], now: datetime) -> dict[bytes, Caller]:
    """Read keys and the standing of their organizations, in a handful of queries however many they are.

    A digest that nobody's key has is left out.
    """
    keys = await keys_by_digest(session, digests)
    owner_ids = {key.organization_id for key in keys.values()}
    if not owner_ids:
        return {}
    organizations = await organizations_by_id(session, owner_ids)
    owing = await owing_acceptance(session, owner_ids)
    confirmed = await having_confirmation(session, owner_ids, ConfirmationKind.OVERSEAS_MODELS, now)
    caps = await caps_of(session, owner_ids)
    return {
        digest: Caller(
            api_key_id=key.api_key_id,
            organization_id=key.organization_id,
            project_id=key.project_id,
            currency=organizations[key.organization_id].currency,
            expires_at=key.expires_at,
            is_revoked=key.revoked_at is not None,
            is_verified=organizations[key.organization_id].verified_at is not None,
            is_suspended=organizations[key.organization_id].suspended_at is not None,
            has_outstanding_agreements=key.organization_id in owing,
            may_call_overseas=key.organization_id in confirmed,
            permitted_model_ids=key.permitted_model_ids,
            time_zone=organizations[key.organization_id].time_zone,
            caps=tuple(
                cap
                for cap in caps.get(key.organization_id, ())
                if cap.counts(project_id=key.project_id, api_key_id=key.api_key_id)
            ),
        )
        for digest, key in keys.items()
    }


def _way(
    sealed: SealedChannelView, upstream_model: str, priority: int, weight: int, key_encryption_key: bytes
) -> ChannelRoute | None:
    """Open a channel's credential; a channel that is off, unknown or does not open serves nothing."""
    channel = sealed.channel
    if not channel.is_enabled:
        return None
    if not is_known_provider(channel.provider):
        get_logger().error("channel_left_out", channel_id=channel.id, error_code="unknown_provider")
        return None
    try:
        credential = sealed.reveal_credential(key_encryption_key)
    except CannotUnseal:
        get_logger().error("channel_left_out", channel_id=channel.id, error_code="cannot_unseal")
        return None
    target = UpstreamTarget(
        channel_id=channel.id,
        provider=channel.provider,
        base_url=channel.base_url,
        credential=credential,
        upstream_model=upstream_model,
        region=channel.region.value,
        bills_after_hang_up=channel.bills_after_hang_up,
    )
    return ChannelRoute(
        target=target, priority=priority, weight=weight, is_overseas=channel.region is not Region.MAINLAND
    )


def _further_targets(
    target: UpstreamTarget, credentials: Collection[SealedCredentialView], key_encryption_key: bytes
) -> tuple[UpstreamTarget, ...]:
    """Name the same way with each further credential that opens."""
    targets = []
    for sealed in credentials:
        try:
            credential = sealed.reveal(key_encryption_key)
        except CannotUnseal:
            get_logger().error("credential_left_out", channel_id=target.channel_id, error_code="cannot_unseal")
            continue
        targets.append(replace(target, credential=credential, credential_id=sealed.id))
    return tuple(targets)
