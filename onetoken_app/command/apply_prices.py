"""What an ``apply`` file may say about prices: of models, for a time, for one customer; plans, exchange rates."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import yaml

from onetoken_app.command.marked_yaml import BadFile, Members
from onetoken_app.money import Currency, MicrosPerMillion
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.written import MEMBERS
from onetoken_app.token_usage import TokenKind


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """All prices of a model."""

    line: int
    currency: Currency
    rates: ModelRates


@dataclass(frozen=True, slots=True)
class OfferEntry:
    """Prices of a model for a time."""

    line: int
    begins_at: datetime
    ends_at: datetime
    price: PriceEntry


@dataclass(frozen=True, slots=True)
class ContractEntry:
    """Prices of a model for one organization."""

    line: int
    model: str
    ends_at: datetime | None
    price: PriceEntry


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """What a plan multiplies prices by."""

    line: int
    name: str
    ratio_ppm: int


@dataclass(frozen=True, slots=True)
class ExchangeEntry:
    """What one unit of a currency is sold at in another."""

    line: int
    from_currency: Currency
    to_currency: Currency
    rate_nanos: int


def read_price(node: yaml.Node, currency: Currency) -> PriceEntry:
    """Read a ``price``; input and output have to be there. ``currency`` is the file's."""
    members = Members(node, what="a price", known=(*MEMBERS, "tiers", "currency"))
    for name in (TokenKind.INPUT.value, TokenKind.OUTPUT.value):
        members.nested(name)
    tiers = tuple(_tier(entry) for entry in members.listed("tiers"))
    thresholds = [tier.from_input_tokens for tier in tiers]
    if thresholds != sorted(set(thresholds)):
        raise BadFile(members.line_of("tiers"), "tiers have different 'from_input_tokens', in rising order")
    return PriceEntry(
        line=members.line,
        currency=members.choice("currency", Currency, currency),
        rates=ModelRates(rates=_prices(members), tiers=tiers),
    )


def read_offer(node: yaml.Node, currency: Currency) -> OfferEntry:
    """Read one entry of a model's ``offers``; it lasts from the first day to the last, both included, in UTC."""
    members = Members(node, what="an offer", known=("from", "until", "price"))
    begins_at, ends_at = day_of(members, "from"), day_of(members, "until") + timedelta(days=1)
    if ends_at <= begins_at:
        raise BadFile(members.line_of("until"), "an offer ends after it begins")
    return OfferEntry(members.line, begins_at, ends_at, read_price(members.nested("price"), currency))


def read_contract(node: yaml.Node, currency: Currency) -> ContractEntry:
    """Read one entry of an organization's ``contract``."""
    members = Members(node, what="a contract's entry", known=("model", "until", "price"))
    return ContractEntry(
        line=members.line,
        model=members.text("model", characters_max=128),
        ends_at=day_of(members, "until") + timedelta(days=1) if members.has("until") else None,
        price=read_price(members.nested("price"), currency),
    )


def read_plan(node: yaml.Node) -> PlanEntry:
    """Read one entry of ``plans``."""
    members = Members(node, what="a plan", known=("name", "ratio"))
    return PlanEntry(members.line, members.text("name", characters_max=64), members.ratio_ppm("ratio"))


def read_exchange(node: yaml.Node) -> ExchangeEntry:
    """Read one entry of ``exchange_rates``."""
    members = Members(node, what="an exchange rate", known=("from", "to", "rate"))
    return ExchangeEntry(
        line=members.line,
        from_currency=members.choice("from", Currency),
        to_currency=members.choice("to", Currency),
        rate_nanos=members.amount("rate"),
    )


def day_of(members: Members, name: str) -> datetime:
    """Read a date: its beginning, UTC."""
    try:
        return datetime.strptime(members.text(name, characters_max=10), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadFile(members.line_of(name), f"{name!r} is a date such as 2027-12-31") from None


def _tier(node: yaml.Node) -> RateTier:
    """Read the prices that apply from a length of the input on."""
    members = Members(node, what="a tier", known=(*MEMBERS, "from_input_tokens"))
    rates = _prices(members)
    if not rates:
        raise BadFile(members.line, "a tier has at least one price")
    return RateTier(from_input_tokens=members.whole("from_input_tokens", minimum=1), rates=rates)


def _prices(members: Members) -> dict[TokenKind, MicrosPerMillion]:
    """Read the prices that are there."""
    return {kind: members.price(name, kind) for name, kind in MEMBERS.items() if members.has(name)}
