"""Charges against an oracle of exact fractions, and the rules of falling back, tiers and rounding."""

import random
from dataclasses import fields, replace
from fractions import Fraction
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.money import Currency, Nanos
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.pricing.quote import Exchange, PriceSheet, RateTier
from onetoken_app.token_usage import COUNT_MAX, INPUT_KINDS, UNIT_KINDS, TokenKind, TokenUsage

NEEDED = (TokenKind.INPUT, TokenKind.OUTPUT)
OTHERS = tuple(kind for kind in TokenKind if kind not in NEEDED)
COUNTERS = tuple(field.name for field in fields(TokenUsage))

counts = st.integers(min_value=0, max_value=4_000_000)
prices = st.integers(min_value=0, max_value=10**14)
usages = st.builds(TokenUsage, **dict.fromkeys(COUNTERS, counts))
rates = st.fixed_dictionaries(dict.fromkeys(NEEDED, prices), optional=dict.fromkeys(OTHERS, prices))
tier_rates = st.fixed_dictionaries({}, optional=dict.fromkeys(TokenKind, prices))
tiers = st.lists(st.integers(min_value=1, max_value=20_000_000), max_size=3, unique=True).flatmap(
    lambda starts: st.tuples(*(st.builds(RateTier, st.just(start), tier_rates) for start in sorted(starts)))
)
ratios = st.integers(min_value=0, max_value=5_000_000)
exchanges = st.none() | st.builds(
    Exchange,
    version=st.just(3),
    from_currency=st.just(Currency.CNY),
    rate_nanos=st.integers(min_value=1, max_value=10**11),
)
sheets = st.builds(
    PriceSheet,
    price_version_id=st.just(1),
    model_id=st.just("mdl_1"),
    currency=st.just(Currency.USD),
    rates=rates,
    tiers=tiers,
    ratio_ppm=ratios,
    exchange=exchanges,
)


def sheet(rates: dict[TokenKind, int], *tiers: RateTier, ratio_ppm: int = 1_000_000) -> PriceSheet:
    """Make a sheet of these rates."""
    return PriceSheet(
        price_version_id=1,
        model_id="mdl_1",
        currency=Currency.USD,
        rates=rates,
        tiers=tiers,
        ratio_ppm=ratio_ppm,
    )


def exact_charge(usage: TokenUsage, sheet: PriceSheet) -> Nanos:
    """Compute a charge the slow way: as a fraction of the currency, rounded half up to nanos at the very end."""
    priced = dict(sheet.rates)
    input_total = sum(getattr(usage, kind.value) for kind in INPUT_KINDS)
    for tier in sheet.tiers:
        if input_total >= tier.from_input_tokens:
            priced |= tier.rates
    picos, sound = 0, Fraction(usage.audio_ms * priced.get(TokenKind.AUDIO_MS, 0), 3_600_000)
    for kind in TokenKind:
        count = getattr(usage, kind.value)
        if kind is TokenKind.OUTPUT:
            count -= min(usage.reasoning, usage.output)
        elif kind is TokenKind.REASONING:
            count = min(usage.reasoning, usage.output)
        elif kind is TokenKind.AUDIO_MS:
            continue
        fall_back = TokenKind.INPUT if kind in INPUT_KINDS else TokenKind.OUTPUT
        picos += count * priced.get(kind, 0 if kind in UNIT_KINDS else priced[fall_back])
    rate_nanos = sheet.exchange.rate_nanos if sheet.exchange else 10**9
    total = (picos + sound) * Fraction(sheet.ratio_ppm * rate_nanos, 10**12 * 10**6 * 10**9)
    return (total * 10**9 + Fraction(1, 2)).__floor__()


@pytest.mark.row("A3")
class TestChargeFor:
    @pytest.mark.parametrize(
        ("token_count", "micros_per_million_tokens", "charge_nanos"),
        [
            pytest.param(0, 150_000, 0, id="no tokens cost nothing"),
            pytest.param(1, 150_000, 150, id="a token of a cheap model is exact in nanos"),
            pytest.param(1, 500, 1, id="half a nano is rounded up"),
            pytest.param(1, 499, 0, id="less than half a nano is rounded down"),
            pytest.param(1_000_000, 12_500, 12_500_000, id="a million at 0.0125 is 0.0125"),
        ],
    )
    def test_charges_one_kind_exactly(
        self, token_count: int, micros_per_million_tokens: int, charge_nanos: int
    ) -> None:
        one_kind = sheet({TokenKind.INPUT: micros_per_million_tokens, TokenKind.OUTPUT: 0})
        assert one_kind.charge_for(TokenUsage(input=token_count)) == charge_nanos

    @given(usages, sheets)
    def test_equals_the_exact_fraction(self, usage: TokenUsage, sheet: PriceSheet) -> None:
        assert sheet.charge_for(usage) == exact_charge(usage, sheet)

    @pytest.mark.long
    @pytest.mark.timeout(600)
    def test_equals_the_exact_fraction_on_a_hundred_thousand_vectors(self) -> None:
        randomness = random.Random(20261127)
        for _ in range(100_000):
            usage, drawn = a_random_usage(randomness), a_random_sheet(randomness)
            assert drawn.charge_for(usage) == exact_charge(usage, drawn), (usage, drawn)

    def test_equals_the_exact_fraction_on_some_of_these_vectors_in_every_run(self) -> None:
        randomness = random.Random(20261128)
        for _ in range(2_000):
            usage, drawn = a_random_usage(randomness), a_random_sheet(randomness)
            assert drawn.charge_for(usage) == exact_charge(usage, drawn), (usage, drawn)

    def test_is_rounded_once_and_not_per_kind(self) -> None:
        usage = TokenUsage(input=1, output=1)
        assert sheet({TokenKind.INPUT: 400, TokenKind.OUTPUT: 400}).charge_for(usage) == 1

    @given(usages, st.fixed_dictionaries(dict.fromkeys(NEEDED, prices)))
    def test_reasoning_without_a_price_is_not_charged_a_second_time(
        self, usage: TokenUsage, rates: dict[TokenKind, int]
    ) -> None:
        assert sheet(rates).charge_for(usage) == sheet(rates).charge_for(replace(usage, reasoning=0))

    def test_reasoning_with_a_price_is_charged_at_it_and_the_rest_as_output(self) -> None:
        priced = sheet({TokenKind.INPUT: 0, TokenKind.OUTPUT: 2_000_000, TokenKind.REASONING: 5_000_000})
        assert priced.charge_for(TokenUsage(output=10, reasoning=4)) == 6 * 2_000 + 4 * 5_000

    @pytest.mark.parametrize(
        "cached",
        [
            pytest.param(TokenUsage(cache_read=7), id="cache reads"),
            pytest.param(TokenUsage(cache_write_5m=7), id="cache writes"),
            pytest.param(TokenUsage(cache_write_1h=7), id="cache writes of an hour"),
            pytest.param(TokenUsage(audio_in=7), id="sounds"),
            pytest.param(TokenUsage(image_in=7), id="pictures"),
        ],
    )
    def test_a_kind_of_input_without_a_price_costs_what_input_costs(self, cached: TokenUsage) -> None:
        for extra in ({}, {TokenKind.REQUESTS: 0}):
            plain = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 0} | extra)
            assert plain.charge_for(cached) == plain.charge_for(TokenUsage(input=7)) == 7_000

    def test_generated_sounds_and_pictures_without_a_price_cost_what_output_costs(self) -> None:
        for extra in ({}, {TokenKind.REQUESTS: 0}):
            plain = sheet({TokenKind.INPUT: 0, TokenKind.OUTPUT: 3_000_000} | extra)
            assert plain.charge_for(TokenUsage(audio_out=2, image_out=5)) == 7 * 3_000

    def test_a_cache_with_a_price_of_nothing_is_free(self) -> None:
        free = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 0, TokenKind.CACHE_READ: 0})
        assert free.charge_for(TokenUsage(cache_read=1_000)) == 0

    def test_units_cost_their_price_each_and_nothing_without_one(self) -> None:
        used = TokenUsage(requests=1, images=2, web_searches=3, file_searches=4, tool_calls=5)
        needed = {TokenKind.INPUT: 0, TokenKind.OUTPUT: 0}
        assert sheet(needed).charge_for(used) == 0
        each = {
            TokenKind.REQUESTS: 10**9, TokenKind.IMAGES: 10**10, TokenKind.WEB_SEARCHES: 10**11,
            TokenKind.FILE_SEARCHES: 10**12, TokenKind.TOOL_CALLS: 10**13,
        }  # fmt: skip
        assert sheet(needed | each).charge_for(used) == 10**6 + 2 * 10**7 + 3 * 10**8 + 4 * 10**9 + 5 * 10**10

    def test_sound_is_exact_at_prices_by_the_second_and_by_the_hour(self) -> None:
        hour_at = {TokenKind.INPUT: 0, TokenKind.OUTPUT: 0, TokenKind.AUDIO_MS: 111 * 10**9}
        assert sheet(hour_at).charge_for(TokenUsage(audio_ms=3_600_000)) == 111_000_000
        # 0.111 an hour is 30 833.33… nanos a second: three of them are 92 500 exactly.
        assert sheet(hour_at).charge_for(TokenUsage(audio_ms=3_000)) == 92_500

    def test_stays_exact_far_beyond_what_any_provider_charges(self) -> None:
        most = TokenUsage(**dict.fromkeys(COUNTERS, COUNT_MAX))
        dearest = sheet(dict.fromkeys(TokenKind, 2**63 - 1))
        assert dearest.charge_for(most) == exact_charge(most, dearest)


class TestTiers:
    LONG = RateTier(200_001, {TokenKind.INPUT: 2_000_000, TokenKind.OUTPUT: 3_000_000})
    BASE: ClassVar = {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_READ: 100_000}

    def test_a_tier_applies_to_the_whole_call(self) -> None:
        priced = sheet(self.BASE, self.LONG)
        assert priced.charge_for(TokenUsage(input=200_000, output=1)) == 200_000 * 1_000 + 2_000
        assert priced.charge_for(TokenUsage(input=200_001, output=1)) == 200_001 * 2_000 + 3_000

    def test_cached_input_counts_towards_the_threshold_and_keeps_its_price_unless_the_tier_has_one(self) -> None:
        usage = TokenUsage(input=1, cache_read=200_000)
        assert sheet(self.BASE, self.LONG).charge_for(usage) == 2_000 + 200_000 * 100

    def test_of_several_tiers_the_highest_reached_applies(self) -> None:
        higher = RateTier(300_000, {TokenKind.INPUT: 5_000_000})
        priced = sheet(self.BASE, self.LONG, higher)
        assert priced.charge_for(TokenUsage(input=300_000, output=1)) == 300_000 * 5_000 + 3_000

    def test_a_hold_takes_the_dearest_tier_that_the_bound_reaches(self) -> None:
        cheaper = RateTier(100, {TokenKind.INPUT: 1, TokenKind.OUTPUT: 1})
        assert sheet(self.BASE, cheaper).upper_charge(1_000, 10) == 1_000 * 1_000 + 10 * 2_000
        assert sheet(self.BASE, self.LONG).upper_charge(200_000, 10) == 200_000 * 1_000 + 10 * 2_000
        assert sheet(self.BASE, self.LONG).upper_charge(200_001, 10) == 200_001 * 2_000 + 10 * 3_000


class TestPriceSheet:
    @pytest.mark.parametrize("kind", NEEDED)
    def test_refuses_to_be_without_an_input_or_output_price(self, kind: TokenKind) -> None:
        with pytest.raises(UnknownPrice):
            sheet({kind: 1})

    def test_says_what_a_kind_is_charged_at(self) -> None:
        priced = sheet({TokenKind.INPUT: 1, TokenKind.OUTPUT: 2, TokenKind.AUDIO_IN: 9}, RateTier(5, {NEEDED[0]: 7}))
        assert [priced.rate_of(kind) for kind in (TokenKind.INPUT, TokenKind.AUDIO_IN, TokenKind.IMAGE_IN)] == [1, 9, 1]
        assert [priced.rate_of(kind) for kind in (TokenKind.REASONING, TokenKind.IMAGES)] == [2, 0]


class TestRequirePrice:
    def test_refuses_a_unit_that_has_no_price(self) -> None:
        priced = sheet(dict.fromkeys(NEEDED, 1) | {TokenKind.IMAGES: 0})
        priced.require_price(TokenKind.IMAGES)
        with pytest.raises(UnknownPrice):
            priced.require_price(TokenKind.IMAGES, TokenKind.WEB_SEARCHES)


class TestUpperCharge:
    @given(usages, sheets)
    def test_no_call_within_the_bounds_costs_more(self, usage: TokenUsage, sheet: PriceSheet) -> None:
        single = replace(usage, requests=1)
        upper = sheet.upper_charge(
            usage.input_total,
            usage.output_total,
            image_count_max=usage.images,
            audio_ms_max=usage.audio_ms,
            tool_call_count_max=usage.tool_call_total,
        )
        assert 0 <= sheet.charge_for(single) <= upper

    @given(usages, sheets)
    def test_no_call_of_text_costs_more_than_is_held_for_text(self, usage: TokenUsage, sheet: PriceSheet) -> None:
        text = replace(
            usage, audio_in=0, image_in=0, requests=1, images=0, audio_ms=0,
            web_searches=0, file_searches=0, tool_calls=0,
        )  # fmt: skip
        assert sheet.charge_for(text) <= sheet.upper_charge(text.input_total, text.output_total, has_media=False)

    def test_takes_the_dearest_kind_of_input(self) -> None:
        dear = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_WRITE_1H: 3_000_000})
        assert dear.upper_charge(10, 5) == 10 * 3_000 + 5 * 2_000

    def test_text_is_not_held_for_at_the_price_of_sound(self) -> None:
        dear = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 0, TokenKind.AUDIO_IN: 9_000_000})
        assert (dear.upper_charge(10, 5, has_media=False), dear.upper_charge(10, 5)) == (10_000, 90_000)

    def test_the_price_of_the_call_itself_is_in_it(self) -> None:
        assert sheet({TokenKind.INPUT: 0, TokenKind.OUTPUT: 0, TokenKind.REQUESTS: 7_000}).upper_charge(0, 0) == 7


class TestOutputTokensWithin:
    @given(sheets, st.integers(0, 10**12), st.integers(0, 100_000), st.integers(1, 100_000))
    def test_is_the_most_that_an_amount_covers(self, sheet: PriceSheet, amount: int, held: int, most: int) -> None:
        covered = sheet.output_tokens_within(amount, input_tokens_max=held, output_tokens_max=most)
        assert 0 <= covered <= most
        if covered:
            assert sheet.upper_charge(held, covered) <= amount
        if covered < most:
            assert sheet.upper_charge(held, covered + 1) > amount


class TestTokenUsage:
    @pytest.mark.parametrize("counter", COUNTERS)
    @pytest.mark.parametrize(
        "figure",
        [
            pytest.param(-1, id="a negative count"),
            pytest.param(COUNT_MAX + 1, id="more than any call uses"),
            pytest.param(True, id="a truth"),
            pytest.param(1.0, id="a float"),
        ],
    )
    def test_refuses_what_cannot_be_a_count(self, counter: str, figure: int) -> None:
        with pytest.raises(ValueError, match=counter):
            TokenUsage(**{counter: figure})


def a_random_usage(randomness: random.Random) -> TokenUsage:
    """Draw counts: often nothing, sometimes one, sometimes many."""
    drawn = {name: randomness.choice((0, 1, randomness.randrange(4_000_000))) for name in COUNTERS}
    return TokenUsage(**drawn)


def a_random_sheet(randomness: random.Random) -> PriceSheet:
    """Draw prices of some kinds, up to two tiers, a ratio, and now and then an exchange rate."""

    def some_prices(needed: tuple[TokenKind, ...]) -> dict[TokenKind, int]:
        kinds = [kind for kind in TokenKind if kind in needed or randomness.random() < 0.4]
        return {kind: randomness.randrange(10 ** randomness.randrange(1, 15)) for kind in kinds}

    starts = sorted({randomness.randrange(1, 10_000_000) for _ in range(randomness.randrange(3))})
    rate_nanos = randomness.randrange(1, 10**11)
    return PriceSheet(
        price_version_id=1,
        model_id="mdl_1",
        currency=Currency.USD,
        rates=some_prices(NEEDED),
        tiers=tuple(RateTier(start, some_prices(())) for start in starts),
        ratio_ppm=randomness.choice((1_000_000, randomness.randrange(5_000_000))),
        exchange=randomness.choice((None, Exchange(1, Currency.CNY, rate_nanos))),
    )
