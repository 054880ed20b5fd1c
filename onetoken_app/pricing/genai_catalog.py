"""Public prices out of the package genai-prices, turned into exact integers, as proposals for models of ours.

The package is read when somebody asks for it and never at start: it takes seconds to load. Only what it brings along is
used; nothing is fetched. A price that is no exact integer of our units is a problem to look at, not a number to round.
"""

import importlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from onetoken_app.catalog.queries import ChannelView, RouteView
from onetoken_app.errors import OneTokenError
from onetoken_app.money import MicrosPerMillion, parse_piece_price, parse_price
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.token_usage import TokenKind

PACKAGE = "genai-prices"
_PER_MILLION = {
    "input_mtok": TokenKind.INPUT,
    "cache_read_mtok": TokenKind.CACHE_READ,
    "cache_write_mtok": TokenKind.CACHE_WRITE_5M,
    "cache_write_5m_mtok": TokenKind.CACHE_WRITE_5M,
    "cache_write_1h_mtok": TokenKind.CACHE_WRITE_1H,
    "input_audio_mtok": TokenKind.AUDIO_IN,
    "input_image_mtok": TokenKind.IMAGE_IN,
    "output_mtok": TokenKind.OUTPUT,
    "output_reasoning_mtok": TokenKind.REASONING,
    "output_audio_mtok": TokenKind.AUDIO_OUT,
    "output_image_mtok": TokenKind.IMAGE_OUT,
}
_PER_THOUSAND = {
    "requests_kcount": TokenKind.REQUESTS,
    "web_searches_kcount": TokenKind.WEB_SEARCHES,
    "storage_searches_kcount": TokenKind.FILE_SEARCHES,
    "code_executions_kcount": TokenKind.TOOL_CALLS,
    "social_searches_kcount": TokenKind.TOOL_CALLS,
}
_PER_HOUR = {
    "audio_hours": TokenKind.AUDIO_MS,
    "input_audio_hours": TokenKind.AUDIO_MS,
    "output_audio_hours": TokenKind.AUDIO_MS,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the package says about one model of ours."""

    model_id: str
    found_as: str = ""
    """Provider and model in the package; empty: not found."""
    rates: ModelRates | None = None
    """Unset: there is a problem."""
    problem: str = ""
    """Why there are no rates."""
    left_out: tuple[str, ...] = ()
    """Prices in the package that have no place here."""


class _Unusable(Exception):
    """A price cannot be taken over; the text says why."""


def package_release() -> str:
    """Return the package's name and version, as a draft's source."""
    return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"


def propose(
    model_id: str,
    ways: list[tuple[RouteView, ChannelView]],
    *,
    at: datetime,
    provider: str | None = None,
) -> Proposal:
    """Look one model of ours up by what its channels call it.

    Args:
        model_id: The model.
        ways: Its routes with their channels, in the order of priority; the first that the package knows counts.
        at: The moment whose prices are wanted.
        provider: The provider's id in the package; ``None``: by the address of each channel.
    """
    snapshot = importlib.import_module("genai_prices.data_snapshot").get_snapshot()
    for route, channel in ways:
        try:
            found_provider, found = snapshot.find_provider_model(
                route.upstream_model, None, provider, None if provider else channel.base_url
            )
        except LookupError:
            continue
        found_as = f"{found_provider.id}/{found.id}"
        try:
            rates, left_out = _rates_of(found, at)
            rates.check()
        except _Unusable as unusable:
            return Proposal(model_id, found_as, problem=str(unusable))
        except OneTokenError as error:
            return Proposal(model_id, found_as, problem=error.public_message)
        return Proposal(model_id, found_as, rates, left_out=left_out)
    return Proposal(model_id, problem=f"{PACKAGE} knows no model of this name at the addresses of its channels")


def _rates_of(found: Any, at: datetime) -> tuple[ModelRates, tuple[str, ...]]:
    """Turn a model's prices of a moment into rates, and name those that have no place here."""
    if any(hasattr(condition.constraint, "start_time") for condition in _conditions(found)):
        message = "its price depends on the time of day, which no price here does"
        raise _Unusable(message)
    base: dict[TokenKind, MicrosPerMillion] = {}
    tiers: dict[int, dict[TokenKind, MicrosPerMillion]] = {}
    left_out = []
    for name, price in sorted(vars(found.get_prices(at)).items()):
        if price is None or name.startswith("_"):
            continue
        kind = _PER_MILLION.get(name) or _PER_THOUSAND.get(name) or _PER_HOUR.get(name)
        if kind is None:
            left_out.append(name)
            continue
        for threshold, step in _steps(price):
            level = base if threshold == 0 else tiers.setdefault(threshold, {})
            exact = _exact(name, step)
            if level.setdefault(kind, exact) != exact:
                message = f"it has two prices of {kind.value}"
                raise _Unusable(message)
    rising = tuple(RateTier(threshold, tiers[threshold]) for threshold in sorted(tiers))
    return ModelRates(base, rising), tuple(left_out)


def _conditions(found: Any) -> list[Any]:
    """Return the conditions under which a model's prices apply; none when they always do."""
    return found.prices if isinstance(found.prices, list) else []


def _steps(price: Any) -> Iterator[tuple[int, Any]]:
    """Yield thresholds and prices. The package's tiers begin above their threshold, ours at it."""
    if not hasattr(price, "tiers"):
        yield 0, price
        return
    yield from chain([(0, price.base)], ((tier.start + 1, tier.price) for tier in price.tiers))


def _exact(name: str, price: Any) -> MicrosPerMillion:
    """Turn one price into an integer, exactly. Whatever is no decimal number, a float above all, is refused."""
    if type(price).__name__ != "Decimal" or not price.is_finite():
        message = f"{name} is no decimal number"
        raise _Unusable(message)
    text = format(price, "f")
    try:
        if name in _PER_MILLION:
            return parse_price(text)
        scaled = parse_piece_price(text)
    except ValueError as error:
        message = f"{name} is {text}: {error}"
        raise _Unusable(message) from None
    if name in _PER_HOUR:
        return scaled
    for_one, remainder = divmod(scaled, 1_000)
    if remainder:
        message = f"{name} is {text}: a price of one has at most 12 decimals"
        raise _Unusable(message)
    return for_one
