"""Which models an organization's calls may name, as its quick start and playground offer them."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import has_confirmation
from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import channels, models_for_sale, routes_of
from onetoken_app.console.shown.offers import regions_by_model
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.pricing.queries import price_book


async def callable_models(session: AsyncSession, customer: OrganizationView, *, now: datetime) -> list[str]:
    """Return the names of models with a price that the organization is charged by, and a region that is open to it."""
    prices = await price_book(session, now=now)
    regions = regions_by_model(await routes_of(session), await channels(session))
    is_overseas_open = await has_confirmation(session, customer.id, ConfirmationKind.OVERSEAS_MODELS, now)
    open_regions = {Region.MAINLAND, Region.OVERSEAS} if is_overseas_open else {Region.MAINLAND}
    return [
        model.name
        for model in await models_for_sale(session)
        if prices.sheet_for(model_id=model.id, organization_id=customer.id, currency=customer.currency) is not None
        and regions.get(model.id, frozenset()) & open_regions
    ]
