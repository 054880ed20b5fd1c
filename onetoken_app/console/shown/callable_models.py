"""Which models an organization's calls may name, as its quick start and playground offer them."""

from dataclasses import replace
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import has_confirmation
from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import channels, models_for_sale, routes_of
from onetoken_app.console.shown.offers import ShownOffer, regions_by_model, shown_offers
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.queries import price_book
from onetoken_app.pricing.terms_queries import coming_moments

_MOMENTS_MAX = 20
"""How many moments are looked at for the next change; most change something."""


async def callable_models(session: AsyncSession, customer: OrganizationView, *, now: datetime) -> list[str]:
    """Return the names of ``callable_offers``."""
    return [one.model for one in await callable_offers(session, customer, now=now)]


async def callable_offers(session: AsyncSession, customer: OrganizationView, *, now: datetime) -> list[ShownOffer]:
    """Return models with a price that the organization is charged by, and a region that is open to it."""
    is_overseas_open = await has_confirmation(session, customer.id, ConfirmationKind.OVERSEAS_MODELS, now)
    open_regions = {Region.MAINLAND, Region.OVERSEAS} if is_overseas_open else {Region.MAINLAND}
    offers = await offers_for(session, customer, now=now)
    return [one for one in offers if open_regions.intersection(map(Region, one.regions))]


async def coming_offers(
    session: AsyncSession, customer: OrganizationView, *, now: datetime
) -> tuple[datetime, list[ShownOffer]] | None:
    """Return when an organization is charged otherwise next, and what then differs; ``None``: nothing is known to.

    A model without a price any more has no prices; a new one is among the others.
    """
    present = {one.model: one for one in await offers_for(session, customer, now=now)}
    for moment in await coming_moments(session, organization_id=customer.id, now=now, limit=_MOMENTS_MAX):
        then = {one.model: one for one in await offers_for(session, customer, now=moment)}
        differing = [
            then.get(name) or replace(present[name], prices=[], scope=Scope.LIST, until="", ratio="", exchange="")
            for name in sorted({*present, *then})
            if name not in present or name not in then or present[name].prices != then[name].prices
        ]
        if differing:
            return moment, differing
    return None


async def offers_for(session: AsyncSession, customer: OrganizationView, *, now: datetime) -> list[ShownOffer]:
    """Return every model for sale that has a price for the organization, with what it is charged by."""
    prices = await price_book(session, now=now)
    found = await models_for_sale(session)
    terms = {
        (model.id, customer.currency): own
        for model in found
        if (own := prices.terms_for(model_id=model.id, organization_id=customer.id, currency=customer.currency))
    }
    regions = regions_by_model(await routes_of(session), await channels(session))
    return shown_offers(found, terms=terms, regions=regions, time_zone=customer.time_zone)
