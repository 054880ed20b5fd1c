"""Charges against an oracle of exact fractions, and the rules of falling back and rounding."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.money import Currency, Nanos
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.token_usage import TokenKind, TokenUsage

counts = st.integers(min_value=0, max_value=4_000_000)
prices = st.integers(min_value=0, max_value=10**12)
usages = st.builds(
    TokenUsage,
    input=counts,
    cache_read=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    output=counts,
    reasoning=counts,
)
rates = st.fixed_dictionaries(
    {TokenKind.INPUT: prices, TokenKind.OUTPUT: prices},
    optional={TokenKind.CACHE_READ: prices, TokenKind.CACHE_WRITE_5M: prices, TokenKind.CACHE_WRITE_1H: prices},
)
ratios = st.integers(min_value=0, max_value=5_000_000)


def sheet(rates: dict[TokenKind, int]) -> PriceSheet:
    """Make a sheet of these rates."""
    return PriceSheet(price_version_id=1, model_id="mdl_1", currency=Currency.USD, rates=rates)


def exact_charge(usage: TokenUsage, rates: dict[TokenKind, int], ratio_ppm: int) -> Nanos:
    """Compute a charge the slow way: in whole currency, as a fraction, rounded half up to nanos at the very end."""
    total = Fraction(0)
    for kind in TokenKind:
        per_million = Fraction(rates.get(kind, rates[TokenKind.INPUT]), 1_000_000)
        total += getattr(usage, kind.value) * per_million / 1_000_000
    nanos = total * Fraction(ratio_ppm, 1_000_000) * 1_000_000_000
    return (nanos + Fraction(1, 2)).__floor__()


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

    @given(usages, rates, ratios)
    def test_equals_the_exact_fraction(self, usage: TokenUsage, rates: dict[TokenKind, int], ratio_ppm: int) -> None:
        assert sheet(rates).charge_for(usage, ratio_ppm=ratio_ppm) == exact_charge(usage, rates, ratio_ppm)

    @pytest.mark.long
    def test_equals_the_exact_fraction_on_a_hundred_thousand_vectors(self) -> None:
        randomness = random.Random(20261123)
        for _ in range(100_000):
            usage = TokenUsage(*(randomness.choice((0, 1, randomness.randrange(4_000_000))) for _ in range(6)))
            rates = {kind: randomness.randrange(10 ** randomness.randrange(1, 13)) for kind in TokenKind}
            for kind in (TokenKind.CACHE_READ, TokenKind.CACHE_WRITE_5M, TokenKind.CACHE_WRITE_1H):
                if randomness.random() < 0.5:
                    del rates[kind]
            ratio_ppm = randomness.choice((1_000_000, randomness.randrange(5_000_000)))
            assert sheet(rates).charge_for(usage, ratio_ppm=ratio_ppm) == exact_charge(usage, rates, ratio_ppm)

    def test_is_rounded_once_and_not_per_kind(self) -> None:
        usage = TokenUsage(input=1, output=1)
        assert sheet({TokenKind.INPUT: 400, TokenKind.OUTPUT: 400}).charge_for(usage) == 1

    @given(usages, rates)
    def test_reasoning_is_not_charged_a_second_time(self, usage: TokenUsage, rates: dict[TokenKind, int]) -> None:
        assert sheet(rates).charge_for(usage) == sheet(rates).charge_for(replace(usage, reasoning=0))

    def test_a_cache_without_a_price_costs_what_input_costs(self) -> None:
        plain = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 0})
        for cached in (TokenUsage(cache_read=7), TokenUsage(cache_write_5m=7), TokenUsage(cache_write_1h=7)):
            assert plain.charge_for(cached) == plain.charge_for(TokenUsage(input=7)) == 7_000

    def test_a_cache_with_a_price_of_nothing_is_free(self) -> None:
        free = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 0, TokenKind.CACHE_READ: 0})
        assert free.charge_for(TokenUsage(cache_read=1_000)) == 0


class TestPriceSheet:
    @pytest.mark.parametrize("kind", [TokenKind.INPUT, TokenKind.OUTPUT])
    def test_refuses_to_be_without_an_input_or_output_price(self, kind: TokenKind) -> None:
        with pytest.raises(UnknownPrice):
            sheet({kind: 1})


class TestUpperCharge:
    @given(usages, rates, ratios)
    def test_no_call_within_the_bounds_costs_more(
        self, usage: TokenUsage, rates: dict[TokenKind, int], ratio_ppm: int
    ) -> None:
        upper = sheet(rates).upper_charge(usage.input_total, usage.output, ratio_ppm=ratio_ppm)
        assert sheet(rates).charge_for(usage, ratio_ppm=ratio_ppm) <= upper

    def test_takes_the_dearest_kind_of_input(self) -> None:
        dear = sheet({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_000_000, TokenKind.CACHE_WRITE_1H: 3_000_000})
        assert dear.upper_charge(10, 5) == 10 * 3_000 + 5 * 2_000
