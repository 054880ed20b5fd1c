"""Prices as pages show them: in words of their kind and unit, with every digit, as texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from onetoken_app.console.shown.amounts import shown_count
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.money import Currency
from onetoken_app.pricing.drafts import DifferenceLine, DraftView
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.price_book import Place, PricesInForce
from onetoken_app.pricing.queries import VersionView
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.written import charged_price, written_price
from onetoken_app.token_usage import TokenKind


class PriceUnit(StrEnum):
    """What a price is for."""

    TOKENS = "tokens"
    """A million tokens."""
    REQUEST = "request"
    """One request."""
    PICTURE = "picture"
    """One generated picture."""
    SOUND_HOUR = "sound_hour"
    """An hour of sound."""
    TOOL_CALL = "tool_call"
    """One call of a tool that the provider runs."""


_UNITS = {
    TokenKind.REQUESTS: PriceUnit.REQUEST,
    TokenKind.IMAGES: PriceUnit.PICTURE,
    TokenKind.AUDIO_MS: PriceUnit.SOUND_HOUR,
    TokenKind.WEB_SEARCHES: PriceUnit.TOOL_CALL,
    TokenKind.FILE_SEARCHES: PriceUnit.TOOL_CALL,
    TokenKind.TOOL_CALLS: PriceUnit.TOOL_CALL,
}
_KIND_ORDER = {kind: number for number, kind in enumerate(TokenKind)}
_SCOPE_ORDER = {scope: number for number, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """The price of one kind of use."""

    kind: str = ""
    unit: str = ""
    currency: str = ""
    price: str = ""
    from_tokens: str = ""
    """The length of the input from which on it applies to the whole call; empty: always."""


@dataclass(frozen=True, slots=True)
class ShownPrices:
    """All prices of a model in one place of the price book."""

    model: str = ""
    scope: str = ""
    whom: str = ""
    """Of a contract the organization, of costs the channel."""
    currency: str = ""
    prices: list[ShownPrice] = field(default_factory=list)
    version: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A published version."""

    id: str = ""
    scope: str = ""
    whom: str = ""
    currency: str = ""
    model_count: str = ""
    effective: str = ""
    until: str = ""
    published: str = ""
    published_by: str = ""
    """Empty: the operator, by file or command."""


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """A draft that waits."""

    id: int = 0
    scope: str = ""
    whom: str = ""
    currency: str = ""
    model_count: str = ""
    begins: str = ""
    """As proposed; empty: whoever publishes it says."""
    begins_field: str = ""
    """The same as a browser's field writes it."""
    until: str = ""
    source: str = ""
    made: str = ""
    made_by: str = ""
    """Empty: the operator, by command."""
    is_own: bool = False
    """The reader made it, so somebody else publishes it."""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One price that a draft would make another."""

    model: str = ""
    kind: str = ""
    unit: str = ""
    from_tokens: str = ""
    change: str = ""
    currency: str = ""
    before: str = ""
    """Empty: none of its own."""
    after: str = ""
    """Empty: none of its own."""


def unit_of(kind: TokenKind) -> PriceUnit:
    """Say what a price of a kind is for."""
    return _UNITS.get(kind, PriceUnit.TOKENS)


def shown_rates(rates: ModelRates, currency: Currency) -> list[ShownPrice]:
    """Show every kind that has a price of its own, those without a threshold first."""
    rows = sorted(rates.rows(), key=lambda row: (row[1], _KIND_ORDER[row[0]]))
    return [
        ShownPrice(
            kind=kind.value,
            unit=unit_of(kind).value,
            currency=currency.value,
            price=written_price(kind, price),
            from_tokens=_threshold(from_input_tokens),
        )
        for kind, from_input_tokens, price in rows
    ]


def shown_sheet(sheet: PriceSheet) -> list[ShownPrice]:
    """Show what a sheet charges for every kind that it prices, after ratio and exchange."""
    published = shown_rates(ModelRates(sheet.rates, sheet.tiers), sheet.currency)
    exact = {
        (kind.value, _threshold(threshold)): charged_price(kind, price, sheet)
        for kind, threshold, price in ModelRates(sheet.rates, sheet.tiers).rows()
    }
    return [replace(one, price=exact[one.kind, one.from_tokens]) for one in published]


def shown_prices(
    prices: Mapping[Place, PricesInForce], *, models: Mapping[str, str], whom: Mapping[str, str], time_zone: str
) -> list[ShownPrices]:
    """Show what is in force, by model and place.

    Args:
        prices: By place.
        models: Names by id.
        whom: Names of organizations and channels by id.
        time_zone: Of every moment.
    """
    found = [
        ShownPrices(
            model=models.get(place.model_id, ""),
            scope=place.scope.value,
            whom=whom.get(place.organization_id or place.channel_id or "", ""),
            currency=place.currency.value,
            prices=shown_rates(priced.rates, place.currency),
            version=str(priced.version_id),
            until=shown_minute(priced.until, time_zone),
        )
        for place, priced in prices.items()
    ]
    return sorted(found, key=lambda one: (one.model, _SCOPE_ORDER[Scope(one.scope)], one.whom, one.currency))


def shown_version(view: VersionView, *, names: Mapping[str, str], time_zone: str) -> ShownVersion:
    """Show a published version; ``names`` are those of people, by id."""
    return ShownVersion(
        id=str(view.id),
        scope=view.scope.value,
        whom=view.organization_name or view.channel_name or "",
        currency=view.currency.value,
        model_count=shown_count(view.model_count),
        effective=shown_minute(view.effective_at, time_zone),
        until=shown_minute(view.ends_at, time_zone),
        published=shown_minute(view.published_at, time_zone),
        published_by=names.get(view.published_by or "", ""),
    )


def shown_draft(
    view: DraftView, *, names: Mapping[str, str], whom: Mapping[str, str], reader_id: str, time_zone: str
) -> ShownDraft:
    """Show a draft to one person of finance.

    Args:
        view: The draft.
        names: Of people, by id.
        whom: Names of organizations and channels, by id.
        reader_id: Who looks.
        time_zone: Of every moment.
    """
    return ShownDraft(
        id=view.id,
        scope=view.scope.value,
        whom=whom.get(view.organization_id or view.channel_id or "", ""),
        currency=view.currency.value,
        model_count=shown_count(view.model_count),
        begins=shown_minute(view.effective_at, time_zone),
        begins_field=shown_minute(view.effective_at, time_zone).replace(" ", "T"),
        until=shown_minute(view.ends_at, time_zone),
        source=view.source,
        made=shown_minute(view.created_at, time_zone),
        made_by=names.get(view.created_by or "", ""),
        is_own=view.created_by == reader_id,
    )


def shown_changes(lines: list[DifferenceLine], currency: Currency) -> Iterator[ShownChange]:
    """Show what a draft would change."""
    for line in lines:
        before, after = (
            "" if price is None else written_price(line.kind, price) for price in (line.before, line.after)
        )
        yield ShownChange(
            model=line.model_name,
            kind=line.kind.value,
            unit=unit_of(line.kind).value,
            from_tokens=_threshold(line.from_input_tokens),
            change=line.change.value,
            currency=currency.value,
            before=before,
            after=after,
        )


def _threshold(from_input_tokens: int) -> str:
    """Write a tier's threshold; nothing below every tier."""
    return shown_count(from_input_tokens) if from_input_tokens else ""
