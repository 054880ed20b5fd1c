"""What a call costs its caller. Pure integer arithmetic: counts times prices in picos, rounded once, half up.

A charge carries the version of the price book it was computed with. A model without an input and an output price has
no charge at all: an unknown price is a refusal, never free.

Prices of all counters but one are of one of them. Sound is counted in milliseconds and priced by the hour, because
providers publish prices by the second, the minute and the hour, and only the hour keeps all of them exact.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter, mul

from onetoken_app.money import NANOS_PER_UNIT, PICOS_PER_NANO, RATIO_ONE_PPM, Currency, MicrosPerMillion, Nanos
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.token_usage import INPUT_KINDS, OUTPUT_KINDS, TOOL_KINDS, UNIT_KINDS, TokenKind, TokenUsage

MS_PER_HOUR = 3_600_000
_TEXT_INPUT_KINDS = (TokenKind.INPUT, TokenKind.CACHE_READ, TokenKind.CACHE_WRITE_5M, TokenKind.CACHE_WRITE_1H)
_BEYOND_PLAIN = frozenset(TokenKind) - {*_TEXT_INPUT_KINDS, TokenKind.OUTPUT}
_SUMMED_KINDS = tuple(kind for kind in TokenKind if kind is not TokenKind.REASONING)
"""Reasoning overlaps with the output; its price adds to or takes from what the output costs."""
_summed_counts = attrgetter(*(kind.value for kind in _SUMMED_KINDS))

Rates = Mapping[TokenKind, MicrosPerMillion]
"""Prices of some kinds; those of tokens per 1 000 000, those of units for one, of sound for an hour."""


@dataclass(frozen=True, slots=True)
class RateTier:
    """Prices that apply to the whole of a call whose input is long enough."""

    from_input_tokens: int
    """All input, cached or not, from which on they apply; at least 1."""
    rates: Rates
    """Kinds left out cost what they cost below the threshold."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A published rate, at which prices in another currency are charged."""

    version: int
    from_currency: Currency
    """What the prices are in."""
    rate_nanos: int
    """10⁻⁹ of the billed currency for one of ``from_currency``; at least 1."""


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """The prices of one model for one customer, from one version of the price book.

    Raises:
        UnknownPrice: The input or the output has no price.
    """

    price_version_id: int
    model_id: str
    currency: Currency
    """What is charged; the prices are in it too, unless there is an ``exchange``."""
    rates: Rates
    """As published."""
    tiers: tuple[RateTier, ...] = ()
    """By rising thresholds."""
    ratio_ppm: int = RATIO_ONE_PPM
    """The plan's ratio in parts per million; at least 0."""
    exchange: Exchange | None = None
    """Unset: the prices are in ``currency``."""
    _picos_per_token: tuple[int, int, int, int, int] | None = field(init=False, repr=False, compare=False)
    """Of a plain sheet, which prices nothing but text, without tiers; the common case, and the fast one."""
    _dearest_plain_input: int = field(init=False, repr=False, compare=False)
    _levels: tuple["_Level", ...] = field(init=False, repr=False, compare=False)
    """By falling thresholds."""
    _twice_numerator: int = field(init=False, repr=False, compare=False)
    _divisor: int = field(init=False, repr=False, compare=False)
    """Nanos are picos × numerator ÷ divisor: ratio and exchange in lowest terms."""

    def __post_init__(self) -> None:
        """Resolve the fall-backs once, because a sheet is used by every call."""
        if TokenKind.INPUT not in self.rates or TokenKind.OUTPUT not in self.rates:
            raise UnknownPrice("This model has no price at the moment and cannot be called.")
        levels, merged = [_Level(0, self.rates)], dict(self.rates)
        for tier in self.tiers:
            merged |= tier.rates
            levels.append(_Level(tier.from_input_tokens, dict(merged)))
        is_plain = len(levels) == 1 and not _BEYOND_PLAIN.intersection(self.rates)
        plain = levels[0].resolved
        picos = tuple(plain[kind] for kind in (*_TEXT_INPUT_KINDS, TokenKind.OUTPUT)) if is_plain else None
        rate_nanos = self.exchange.rate_nanos if self.exchange else NANOS_PER_UNIT
        numerator, divisor = self.ratio_ppm * rate_nanos, PICOS_PER_NANO * RATIO_ONE_PPM * NANOS_PER_UNIT
        divided_by = math.gcd(numerator, divisor)
        object.__setattr__(self, "_picos_per_token", picos)
        object.__setattr__(self, "_dearest_plain_input", max(picos[:-1]) if picos else 0)
        object.__setattr__(self, "_levels", tuple(reversed(levels)))
        object.__setattr__(self, "_twice_numerator", 2 * (numerator // divided_by))
        object.__setattr__(self, "_divisor", divisor // divided_by)

    @property
    def price_currency(self) -> Currency:
        """What the published prices are in."""
        return self.exchange.from_currency if self.exchange else self.currency

    @property
    def exchange_version(self) -> int:
        """The version of the exchange rate; 0 where none is needed."""
        return self.exchange.version if self.exchange else 0

    @property
    def prices_units(self) -> bool:
        """Whether anything that is no token has a price."""
        return self._picos_per_token is None and any(level.prices_units for level in self._levels)

    @property
    def upper_charge_of_units(self) -> Nanos:
        """Return what a hold without pictures, sounds and tools has at most for what is no token: the call itself."""
        if self._picos_per_token is not None:
            return 0
        picos = max(level.request for level in self._levels) * self._twice_numerator
        return -(-picos // (2 * self._divisor * MS_PER_HOUR))

    @property
    def prices_requests(self) -> bool:
        """Whether a call has a price of its own, beside what it uses."""
        return any(level.request for level in self._levels)

    def rate_of(self, kind: TokenKind) -> MicrosPerMillion:
        """Return the published price that ``kind`` is charged at below the first tier, with its fall-back."""
        return self._levels[-1].resolved[kind]

    def require_price(self, *kinds: TokenKind) -> None:
        """Refuse a call that asks for what has no price, before it goes upstream; for interfaces that sell units.

        Raises:
            UnknownPrice: One of ``kinds`` has no price of its own.
        """
        for kind in kinds:
            if kind not in self.rates:
                raise UnknownPrice("What this call asks for has no price with this model, so it cannot be made.")

    def charge_for(self, usage: TokenUsage) -> Nanos:
        """Return the charge of a call, rounded once."""
        plain = self._picos_per_token
        if plain is None:
            return self._charge_beyond_plain(usage)
        input_, cache_read, cache_write_5m, cache_write_1h, output = plain
        picos = (
            (usage.input + usage.audio_in + usage.image_in) * input_
            + usage.cache_read * cache_read
            + usage.cache_write_5m * cache_write_5m
            + usage.cache_write_1h * cache_write_1h
            + (usage.output + usage.audio_out + usage.image_out) * output
        )
        divisor = self._divisor
        return (picos * self._twice_numerator + divisor) // (2 * divisor)

    def exceeds(self, other: "PriceSheet") -> bool:
        """Whether some use is charged more by this sheet than by another one of the same currency."""
        mine, theirs = self._twice_numerator * other._divisor, other._twice_numerator * self._divisor  # noqa: SLF001 # of another sheet
        for threshold in {level.from_input_tokens for level in (*self._levels, *other._levels)}:  # noqa: SLF001 # the same
            own, others = self._resolved_at(threshold), other._resolved_at(threshold)  # noqa: SLF001 # the same
            if any(own[kind] * mine > others[kind] * theirs for kind in TokenKind):
                return True
        return False

    def charge_of_units(self, usage: TokenUsage) -> Nanos:
        """Return how much of a call's charge is for what is no token: all of it without that of its tokens alone."""
        if not self.prices_units:
            return 0
        tokens = replace(usage, **dict.fromkeys((kind.value for kind in UNIT_KINDS), 0))
        return self.charge_for(usage) - self.charge_for(tokens)

    def upper_charge(
        self,
        input_tokens_max: int,
        output_tokens_max: int,
        *,
        has_media: bool = True,
        image_count_max: int = 0,
        audio_ms_max: int = 0,
        tool_call_count_max: int = 0,
    ) -> Nanos:
        """Return a charge that no call within these bounds exceeds: each kind at its dearest, in the dearest tier.

        Args:
            input_tokens_max: The most input, cached or not.
            output_tokens_max: The most output, over all choices.
            has_media: Whether the input may hold sounds or pictures.
            image_count_max: The most pictures that are sold by the piece.
            audio_ms_max: The most sound that is sold by its length.
            tool_call_count_max: The most calls of tools that the provider runs.
        """
        plain = self._picos_per_token
        if plain is not None:
            picos, divisor = input_tokens_max * self._dearest_plain_input + output_tokens_max * plain[-1], self._divisor
            return (picos * self._twice_numerator + divisor) // (2 * divisor)
        reached = [level for level in self._levels if level.from_input_tokens <= input_tokens_max]
        scaled_picos = max(
            input_tokens_max * (level.dearest_input if has_media else level.dearest_text_input)
            + output_tokens_max * level.dearest_output
            + level.request
            + image_count_max * level.image
            + audio_ms_max * level.audio_ms
            + tool_call_count_max * level.dearest_tool
            for level in reached
        )
        divisor = self._divisor * MS_PER_HOUR
        return (scaled_picos * self._twice_numerator + divisor) // (2 * divisor)

    def output_tokens_within(
        self, amount_nanos: Nanos, *, input_tokens_max: int, output_tokens_max: int, has_media: bool = True
    ) -> int:
        """Return the most output whose upper charge is within an amount; at most ``output_tokens_max``."""
        enough, too_many = 0, output_tokens_max + 1
        while too_many - enough > 1:
            middle = (enough + too_many) // 2
            if self.upper_charge(input_tokens_max, middle, has_media=has_media) <= amount_nanos:
                enough = middle
            else:
                too_many = middle
        return enough

    def _resolved_at(self, input_tokens: int) -> Rates:
        """Return the prices of all kinds at a length of the input."""
        return next(level.resolved for level in self._levels if level.from_input_tokens <= input_tokens)

    def _charge_beyond_plain(self, usage: TokenUsage) -> Nanos:
        """Return the charge by all kinds, at the level that the input reaches."""
        input_total = usage.input_total
        level = next(level for level in self._levels if level.from_input_tokens <= input_total)
        reasoning = min(usage.reasoning, usage.output)
        counts: tuple[int, ...] = _summed_counts(usage)
        scaled_picos: int = sum(map(mul, counts, level.summed)) + reasoning * level.reasoning_difference
        divisor = self._divisor * MS_PER_HOUR
        return (scaled_picos * self._twice_numerator + divisor) // (2 * divisor)


class _Level:
    """The prices of all kinds from one threshold on. But for ``resolved``, all are in picos × ``MS_PER_HOUR``."""

    __slots__ = (
        "audio_ms", "dearest_input", "dearest_output", "dearest_text_input", "dearest_tool", "from_input_tokens",
        "image", "prices_units", "reasoning_difference", "request", "resolved", "summed",
    )  # fmt: skip

    def __init__(self, from_input_tokens: int, rates: Rates) -> None:
        """Resolve the fall-backs."""
        self.from_input_tokens = from_input_tokens
        self.resolved = {kind: rates.get(kind, _fall_back(kind, rates)) for kind in TokenKind}
        scaled = {kind: picos * MS_PER_HOUR for kind, picos in self.resolved.items()}
        scaled[TokenKind.AUDIO_MS] = self.resolved[TokenKind.AUDIO_MS]
        self.summed = tuple(scaled[kind] for kind in _SUMMED_KINDS)
        self.reasoning_difference = scaled[TokenKind.REASONING] - scaled[TokenKind.OUTPUT]
        self.dearest_text_input = max(scaled[kind] for kind in _TEXT_INPUT_KINDS)
        self.dearest_input = max(scaled[kind] for kind in INPUT_KINDS)
        self.dearest_output = max(scaled[kind] for kind in OUTPUT_KINDS)
        self.dearest_tool = max(scaled[kind] for kind in TOOL_KINDS)
        self.request = scaled[TokenKind.REQUESTS]
        self.image = scaled[TokenKind.IMAGES]
        self.audio_ms = scaled[TokenKind.AUDIO_MS]
        self.prices_units = any(self.resolved[kind] for kind in UNIT_KINDS)


def _fall_back(kind: TokenKind, rates: Rates) -> MicrosPerMillion:
    """Return what a kind without a price of its own is charged at."""
    if kind in UNIT_KINDS:
        return 0
    return rates[TokenKind.INPUT if kind in INPUT_KINDS else TokenKind.OUTPUT]
