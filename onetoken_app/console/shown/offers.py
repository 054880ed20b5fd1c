"""Models for sale with their prices and regions, as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import ChannelView, ModelView, RouteView
from onetoken_app.console.shown.amounts import shown_count
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.prices import ShownPrice, shown_sheet
from onetoken_app.money import RATIO_ONE_PPM, Currency, format_amount, format_ratio
from onetoken_app.pricing.price_book import Terms


@dataclass(frozen=True, slots=True)
class ShownOffer:
    """One model in one currency."""

    model: str = ""
    supplier: str = ""
    regions: list[str] = field(default_factory=list)
    """Where its channels serve from; values of ``Region``."""
    context_window: str = ""
    output_max: str = ""
    currency: str = ""
    prices: list[ShownPrice] = field(default_factory=list)
    """After ratio and exchange."""
    scope: str = ""
    """Whose prices they are; a value of ``Scope``."""
    until: str = ""
    ratio: str = ""
    """Of the organization's plan; empty: 1."""
    exchange: str = ""
    """The rate, where the published prices are in another currency; empty: they are not."""
    published_in: str = ""
    """The currency of the published prices."""


def regions_by_model(routes: Sequence[RouteView], channels: Sequence[ChannelView]) -> dict[str, frozenset[Region]]:
    """Return where the enabled channels of each model serve from."""
    region_of = {channel.id: channel.region for channel in channels if channel.is_enabled}
    regions: dict[str, set[Region]] = {}
    for route in routes:
        if route.channel_id in region_of:
            regions.setdefault(route.model_id, set()).add(region_of[route.channel_id])
    return {model_id: frozenset(found) for model_id, found in regions.items()}


def shown_offers(
    models: Sequence[ModelView],
    *,
    terms: Mapping[tuple[str, Currency], Terms],
    regions: Mapping[str, frozenset[Region]],
    time_zone: str,
) -> list[ShownOffer]:
    """Turn models into rows, one a currency; a model without a price cannot be called and is left out."""
    return [
        _shown_offer(model, found, regions=sorted(regions.get(model.id, ())), time_zone=time_zone)
        for model in models
        for currency in Currency
        if (found := terms.get((model.id, currency))) is not None
    ]


def _shown_offer(model: ModelView, terms: Terms, *, regions: Sequence[Region], time_zone: str) -> ShownOffer:
    """Show one model in one currency."""
    sheet = terms.sheet
    return ShownOffer(
        model=model.name,
        supplier=model.owned_by,
        regions=[region.value for region in regions],
        context_window=shown_count(model.context_window_tokens),
        output_max=shown_count(model.output_tokens_max),
        currency=sheet.currency.value,
        prices=shown_sheet(sheet),
        scope=terms.scope.value,
        until=shown_minute(terms.until, time_zone),
        ratio="" if sheet.ratio_ppm == RATIO_ONE_PPM else format_ratio(sheet.ratio_ppm),
        exchange=format_amount(sheet.exchange.rate_nanos) if sheet.exchange else "",
        published_in=sheet.price_currency.value,
    )
