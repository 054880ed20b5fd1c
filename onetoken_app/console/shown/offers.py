"""Models for sale with their prices and regions, as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import ChannelView, ModelView, RouteView
from onetoken_app.console.shown.amounts import shown_count
from onetoken_app.money import Currency
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.pricing.written import written_price
from onetoken_app.token_usage import TokenKind


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
    input_price: str = ""
    """For 1 000 000 tokens, like the other prices."""
    cache_read_price: str = ""
    output_price: str = ""


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
    sheets: Mapping[tuple[str, Currency], PriceSheet],
    regions: Mapping[str, frozenset[Region]],
) -> list[ShownOffer]:
    """Turn models into rows, one a currency; a model without a price cannot be called and is left out."""
    return [
        ShownOffer(
            model=model.name,
            supplier=model.owned_by,
            regions=sorted(region.value for region in regions.get(model.id, ())),
            context_window=shown_count(model.context_window_tokens),
            output_max=shown_count(model.output_tokens_max),
            currency=currency.value,
            input_price=_price(sheet, TokenKind.INPUT),
            cache_read_price=_price(sheet, TokenKind.CACHE_READ),
            output_price=_price(sheet, TokenKind.OUTPUT),
        )
        for model in models
        for currency in Currency
        if (sheet := sheets.get((model.id, currency))) is not None
    ]


def _price(sheet: PriceSheet, kind: TokenKind) -> str:
    """Write the price of a million tokens, with every digit it has."""
    return written_price(kind, sheet.rate_of(kind))
