"""What a call costs its caller. Pure integer arithmetic: counts times prices in picos, rounded once, half up.

A charge carries the version of the price book it was computed with. A model without an input and an output price has
no charge at all: an unknown price is a refusal, never free.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onetoken_app.money import RATIO_ONE_PPM, Currency, MicrosPerMillion, Nanos, nanos_from_picos
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.token_usage import TokenKind, TokenUsage

_INPUT_KINDS = (TokenKind.INPUT, TokenKind.CACHE_READ, TokenKind.CACHE_WRITE_5M, TokenKind.CACHE_WRITE_1H)


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """The prices of one model in one currency, from one version of the price book.

    Cache reads and writes that have no price of their own are charged as input. Reasoning is a part of the output and
    is not charged a second time.

    Raises:
        UnknownPrice: The input or the output has no price.
    """

    price_version_id: int
    model_id: str
    currency: Currency
    rates: Mapping[TokenKind, MicrosPerMillion]
    """As published; micro-currency per 1 000 000 tokens."""
    _picos_per_token: tuple[int, int, int, int, int] = field(init=False, repr=False, compare=False)
    _dearest_input_picos: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Resolve the fall-backs once, because a sheet is used by every call."""
        if TokenKind.INPUT not in self.rates or TokenKind.OUTPUT not in self.rates:
            raise UnknownPrice("This model has no price at the moment and cannot be called.")
        inputs = [self.rate_of(kind) for kind in _INPUT_KINDS]
        object.__setattr__(self, "_picos_per_token", (*inputs, self.rates[TokenKind.OUTPUT]))
        object.__setattr__(self, "_dearest_input_picos", max(inputs))

    def rate_of(self, kind: TokenKind) -> MicrosPerMillion:
        """Return the price that ``kind`` is charged at; kinds of input fall back to the input's price."""
        fall_back = self.rates[TokenKind.OUTPUT if kind is TokenKind.OUTPUT else TokenKind.INPUT]
        return self.rates.get(kind, fall_back)

    def charge_for(self, usage: TokenUsage, *, ratio_ppm: int = RATIO_ONE_PPM) -> Nanos:
        """Return the charge of a call, rounded once.

        Args:
            usage: Disjoint counts.
            ratio_ppm: The plan's ratio in parts per million.
        """
        input_, cache_read, cache_write_5m, cache_write_1h, output = self._picos_per_token
        picos = (
            usage.input * input_
            + usage.cache_read * cache_read
            + usage.cache_write_5m * cache_write_5m
            + usage.cache_write_1h * cache_write_1h
            + usage.output * output
        )
        return nanos_from_picos(picos, ratio_ppm=ratio_ppm)

    def upper_charge(self, input_tokens_max: int, output_tokens_max: int, *, ratio_ppm: int = RATIO_ONE_PPM) -> Nanos:
        """Return a charge that no call within these bounds exceeds: all input at its dearest price.

        Args:
            input_tokens_max: The most input, cached or not.
            output_tokens_max: The most output, over all choices.
            ratio_ppm: The plan's ratio in parts per million.
        """
        picos = input_tokens_max * self._dearest_input_picos + output_tokens_max * self._picos_per_token[-1]
        return nanos_from_picos(picos, ratio_ppm=ratio_ppm)
