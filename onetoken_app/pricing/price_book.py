"""Which prices a customer's call is charged by: everything that is in force, at one moment, for all organizations.

For each model, in this order: a contract of the organization; then, in the currency that it is billed in, an offer, or
the list; then the same in the other currency, converted at the published rate. What would have to be converted without
a published rate is no price at all, and the next in the order does not stand in for it. The plan's ratio applies to the
list and to offers, which replace the list for a time; prices of a contract are agreed as they stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from onetoken_app.money import RATIO_ONE_PPM, Currency
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.quote import Exchange, PriceSheet
from onetoken_app.pricing.rates import ModelRates


@dataclass(frozen=True, slots=True)
class Place:
    """What a version prices: one model, for somebody, in one currency."""

    model_id: str
    currency: Currency
    scope: Scope = Scope.LIST
    organization_id: str | None = None
    """Of a contract."""
    channel_id: str | None = None
    """Of costs."""


@dataclass(frozen=True, slots=True)
class PricesInForce:
    """The prices of one place at a moment."""

    version_id: int
    rates: ModelRates
    ends_at: datetime | None = None
    """As published; an early end is not in it."""
    ended_early_at: datetime | None = None
    """The early end, when one is announced."""

    @property
    def until(self) -> datetime | None:
        """From when on they no longer apply, as things stand."""
        return self.ended_early_at or self.ends_at

    def sheet(
        self, place: Place, *, ratio_ppm: int = RATIO_ONE_PPM, exchange: Exchange | None = None
    ) -> PriceSheet | None:
        """Make a sheet; ``None`` when the input or the output has no price."""
        try:
            return PriceSheet(
                price_version_id=self.version_id,
                model_id=place.model_id,
                currency=place.currency,
                rates=self.rates.rates,
                tiers=self.rates.tiers,
                ratio_ppm=ratio_ppm,
                exchange=exchange,
            )
        except UnknownPrice:
            return None


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody is charged by for a model, and why."""

    sheet: PriceSheet
    scope: Scope
    """Whose prices they are."""
    until: datetime | None
    """From when on those no longer apply."""


_SheetKey = tuple[str, Currency, str | None, int]


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All prices in force at a moment. Sheets are made when they are first asked for, and kept."""

    prices: Mapping[Place, PricesInForce]
    ratios: Mapping[str, int] = field(default_factory=dict)
    """Parts per million, by organization; those without a plan are left out."""
    exchanges: Mapping[tuple[Currency, Currency], Exchange] = field(default_factory=dict)
    """By what is converted from and to."""
    _contracting_ids: frozenset[str | None] = field(init=False, repr=False, compare=False)
    _sheets: dict[_SheetKey, PriceSheet | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember who has a contract, so that the others share their sheets."""
        contracting = (place.organization_id for place in self.prices if place.scope is Scope.CONTRACT)
        object.__setattr__(self, "_contracting_ids", frozenset(contracting))

    def sheet_for(self, *, model_id: str, organization_id: str, currency: Currency) -> PriceSheet | None:
        """Return what an organization that is billed in ``currency`` is charged by; ``None``: it has no price."""
        ratio_ppm = self.ratios.get(organization_id, RATIO_ONE_PPM)
        contracting_id = organization_id if organization_id in self._contracting_ids else None
        key = (model_id, currency, contracting_id, ratio_ppm)
        try:
            return self._sheets[key]
        except KeyError:
            return self._sheets.setdefault(key, self._made(key))

    def cost_sheet_for(self, *, model_id: str, channel_id: str) -> PriceSheet | None:
        """Return what a call through a channel costs the operator, in the provider's currency; ``None``: not known.

        Of costs in two currencies the first of ``Currency`` counts: a channel has one bill.
        """
        places = (Place(model_id, currency, Scope.COST, channel_id=channel_id) for currency in Currency)
        for place in places:
            priced = self.prices.get(place)
            if priced is not None:
                return priced.sheet(place)
        return None

    def terms_for(self, *, model_id: str, organization_id: str, currency: Currency) -> Terms | None:
        """Return ``sheet_for`` with whose prices they are, and until when; ``None``: it has no price."""
        sheet = self.sheet_for(model_id=model_id, organization_id=organization_id, currency=currency)
        found = self._first(model_id, currency, organization_id)
        if sheet is None or found is None:
            return None
        place, priced = found
        return Terms(sheet, place.scope, priced.until)

    def _made(self, key: _SheetKey) -> PriceSheet | None:
        """Make a sheet out of the first prices in the order."""
        model_id, currency, contracting_id, ratio_ppm = key
        found = self._first(model_id, currency, contracting_id)
        if found is None:
            return None
        place, priced = found
        exchange = None
        if place.currency is not currency:
            exchange = self.exchanges.get((place.currency, currency))
            if exchange is None:
                return None
        ratio_ppm = RATIO_ONE_PPM if place.scope is Scope.CONTRACT else ratio_ppm
        return priced.sheet(replace(place, currency=currency), ratio_ppm=ratio_ppm, exchange=exchange)

    def _first(
        self, model_id: str, currency: Currency, contracting_id: str | None
    ) -> tuple[Place, PricesInForce] | None:
        """Find the first prices in the order."""
        currencies = (currency, *(other for other in Currency if other is not currency))
        places = [Place(model_id, priced, Scope.CONTRACT, contracting_id) for priced in currencies]
        places += [Place(model_id, priced, scope) for priced in currencies for scope in (Scope.OFFER, Scope.LIST)]
        return next(((place, self.prices[place]) for place in places if place in self.prices), None)
