"""All prices of one model, as a version of the price book has them, and what makes them fit to charge by."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from onetoken_app.errors import BadRequest
from onetoken_app.money import NANOS_MAX, MicrosPerMillion
from onetoken_app.pricing.quote import RateTier
from onetoken_app.token_usage import COUNT_MAX, TokenKind


@dataclass(frozen=True, slots=True)
class ModelRates:
    """The prices of one model; equal ones charge alike."""

    rates: Mapping[TokenKind, MicrosPerMillion]
    tiers: tuple[RateTier, ...] = ()
    """By rising thresholds."""

    def rows(self) -> Iterator[tuple[TokenKind, int, MicrosPerMillion]]:
        """Yield kind, threshold and price of each, those without a threshold at 0."""
        for from_input_tokens, rates in self._levels():
            for kind, price in rates.items():
                yield kind, from_input_tokens, price

    def check(self) -> None:
        """Refuse rates that cannot price a call.

        Raises:
            BadRequest: An input or output price is missing, a price or a threshold is out of bounds.
        """
        if TokenKind.INPUT not in self.rates or TokenKind.OUTPUT not in self.rates:
            raise BadRequest("A model needs a price for its input and one for its output.", parameter="price")
        if any(not 0 <= price <= NANOS_MAX for _, _, price in self.rows()):
            raise BadRequest("A price is at least 0 and fits into 63 bits.", parameter="price")
        thresholds = [tier.from_input_tokens for tier in self.tiers]
        if thresholds != sorted(set(thresholds)) or any(not 1 <= threshold <= COUNT_MAX for threshold in thresholds):
            raise BadRequest("Tiers begin at different lengths of the input, in rising order.", parameter="price")
        if any(not tier.rates for tier in self.tiers):
            raise BadRequest("A tier has a price that differs from the one below it.", parameter="price")

    def _levels(self) -> Iterator[tuple[int, Mapping[TokenKind, MicrosPerMillion]]]:
        """Yield the thresholds with their prices."""
        yield 0, self.rates
        for tier in self.tiers:
            yield tier.from_input_tokens, tier.rates


def rates_from_rows(rows: Iterable[tuple[TokenKind, int, MicrosPerMillion]]) -> ModelRates:
    """Put together what ``ModelRates.rows`` took apart."""
    levels: dict[int, dict[TokenKind, MicrosPerMillion]] = {0: {}}
    for kind, from_input_tokens, price in rows:
        levels.setdefault(from_input_tokens, {})[kind] = price
    tiers = tuple(RateTier(threshold, levels[threshold]) for threshold in sorted(levels) if threshold)
    return ModelRates(rates=levels[0], tiers=tiers)
