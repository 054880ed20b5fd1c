"""Amounts and prices: exact in, exact out, rounded once."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.money import NANOS_MAX, format_amount, nanos_from_picos, parse_amount, parse_price

amounts = st.integers(min_value=-NANOS_MAX, max_value=NANOS_MAX)


class TestParseAmount:
    @pytest.mark.parametrize(
        ("text", "nanos"),
        [
            pytest.param("1000.00", 1_000_000_000_000, id="a thousand"),
            pytest.param("0.000000001", 1, id="one nano"),
            pytest.param("-2.5", -2_500_000_000, id="a negative amount"),
            pytest.param("1.100000000000", 1_100_000_000, id="zeros beyond a nano do no harm"),
        ],
    )
    def test_reads_exactly(self, text: str, nanos: int) -> None:
        assert parse_amount(text) == nanos

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1e3",
            "1,000",
            " 1",
            "+1",
            ".5",
            "1.",
            "NaN",
            "1.0000000001",
            "9999999999999",
            "9223372036.854775808",
            "١",
        ],
    )
    def test_refuses_what_is_not_exact(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"decimal|range"):
            parse_amount(text)

    @given(amounts)
    def test_reads_back_what_was_written(self, nanos: int) -> None:
        assert parse_amount(format_amount(nanos)) == nanos


class TestParsePrice:
    def test_is_exact_to_a_millionth(self) -> None:
        assert parse_price("0.0125") == 12_500

    @pytest.mark.parametrize("text", ["-1", "0.0000001"])
    def test_refuses_negative_and_too_fine_prices(self, text: str) -> None:
        with pytest.raises(ValueError, match="price"):
            parse_price(text)


class TestFormatAmount:
    @pytest.mark.parametrize(
        ("nanos", "text"), [(0, "0.00"), (1, "0.000000001"), (-1_500_000_000, "-1.50"), (10**12, "1000.00")]
    )
    def test_keeps_every_digit(self, nanos: int, text: str) -> None:
        assert format_amount(nanos) == text

    def test_may_leave_the_decimals_out(self) -> None:
        assert format_amount(2_000_000_000, decimals_min=0) == "2"


class TestNanosFromPicos:
    @pytest.mark.parametrize(
        ("picos", "nanos"),
        [
            pytest.param(499, 0, id="below a half goes down"),
            pytest.param(500, 1, id="a half goes up"),
            pytest.param(1_499, 1, id="the next below a half goes down"),
        ],
    )
    def test_rounds_half_up(self, picos: int, nanos: int) -> None:
        assert nanos_from_picos(picos) == nanos

    @given(st.integers(min_value=0, max_value=10**24), st.integers(min_value=0, max_value=10**7))
    def test_rounds_once_after_the_ratio(self, picos: int, ratio_ppm: int) -> None:
        exact = Fraction(picos * ratio_ppm, 1_000 * 1_000_000)
        assert nanos_from_picos(picos, ratio_ppm=ratio_ppm) == (exact + Fraction(1, 2)).__floor__()
