"""What pages show: exact texts and whole percents."""

from datetime import UTC, date, datetime

import pytest

from onetoken_app.console.shown.amounts import aligned, shown_amount
from onetoken_app.console.shown.api_keys import KeyStanding, shown_key
from onetoken_app.console.shown.moments import PeriodName, days_of, shown_milliseconds, shown_moment
from onetoken_app.console.shown.snippets import curl_snippet, python_snippet
from onetoken_app.console.shown.spending import round_amount_above, shown_chart, shown_shares
from onetoken_app.keys.queries import ApiKeyView
from onetoken_app.money import Currency
from onetoken_app.settings import PREFIX
from onetoken_app.usage.charges import ChargeTotal, DayChargeView, NamedChargeView

NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
"""Half past one on the 24th in Shanghai."""


class TestShownAmount:
    @pytest.mark.parametrize(
        ("nanos", "main", "rest"),
        [
            (0, "0.00", ""),
            (1, "0.00", "0000001"),
            (1_234_567_890_123_456_789, "1,234,567,890.12", "3456789"),
            (-5_000_000_000, "−5.00", ""),
            (490, "0.00", "000049"),
        ],
    )
    def test_leaves_no_digit_out(self, nanos: int, main: str, rest: str) -> None:
        shown = shown_amount(nanos, Currency.USD)
        assert (shown.main, shown.rest, shown.currency) == (main, rest, "USD")

    def test_points_of_a_column_stand_one_above_the_other(self) -> None:
        amounts = aligned([shown_amount(490, Currency.USD), shown_amount(0, Currency.USD)])
        assert len({len(amount.rest + amount.pad) for amount in amounts}) == 1


class TestShownChart:
    def test_draws_whole_percents_of_a_round_top(self) -> None:
        days = [
            DayChargeView(date(2026, 11, day), _total(nanos)) for day, nanos in ((1, 0), (2, 1), (3, 3_000_000_000))
        ]
        chart = shown_chart(days, Currency.USD)
        assert [day.height for day in chart.days] == ["0%", "1%", "75%"]
        assert (chart.top, chart.middle) == ("4", "2")

    def test_has_an_axis_without_any_charge(self) -> None:
        chart = shown_chart([DayChargeView(date(2026, 11, 1), _total(0))], Currency.USD)
        assert chart.days[0].height == "0%"
        assert (chart.top, chart.middle) == ("1", "0.5")

    @pytest.mark.parametrize(("nanos", "top"), [(0, 2), (3, 4), (9, 10), (10, 10), (11, 20), (850, 1000)])
    def test_the_top_is_the_next_round_amount(self, nanos: int, top: int) -> None:
        assert round_amount_above(nanos) == top

    def test_shares_are_of_the_largest(self) -> None:
        shares = shown_shares(
            [NamedChargeView("a", "a", _total(200)), NamedChargeView("b", "b", _total(50))], Currency.CNY
        )
        assert [share.width for share in shares] == ["100%", "25%"]


class TestDaysOf:
    @pytest.mark.parametrize(
        ("name", "first", "last"),
        [
            (PeriodName.TODAY, date(2026, 11, 24), date(2026, 11, 24)),
            (PeriodName.DAYS_7, date(2026, 11, 18), date(2026, 11, 24)),
            (PeriodName.DAYS_30, date(2026, 10, 26), date(2026, 11, 24)),
            (PeriodName.THIS_MONTH, date(2026, 11, 1), date(2026, 11, 24)),
            (PeriodName.LAST_MONTH, date(2026, 10, 1), date(2026, 10, 31)),
            ("'; drop table", date(2026, 11, 1), date(2026, 11, 24)),
        ],
    )
    def test_cuts_days_where_the_organization_is(self, name: str, first: date, last: date) -> None:
        days = days_of(name, NOW, time_zone="Asia/Shanghai")
        assert (days.first, days.last) == (first, last)


class TestMoments:
    def test_are_in_the_zone(self) -> None:
        assert shown_moment(NOW, "Asia/Shanghai") == "2026-11-24 01:30:00"
        assert shown_moment(None, "UTC") == ""

    def test_durations_are_short(self) -> None:
        shown = [shown_milliseconds(count) for count in (0, 999, 1000, 61_230)]
        assert shown == ["0 ms", "999 ms", "1.00 s", "61.23 s"]


class TestShownKey:
    def test_judges_and_masks(self) -> None:
        view = ApiKeyView(
            id="key_1", organization_id="org_1", project_id="prj_1", name="app", key_prefix="otk_live_abc",
            last_four="wxyz", created_at=NOW,
            created_by=None, expires_at=NOW, revoked_at=None, permitted_model_ids=frozenset({"m1", "gone"}),
        )  # fmt: skip
        shown = shown_key(view, model_names={"m1": "mock"}, project_names={"prj_1": "Mobile"}, now=NOW, time_zone="UTC")
        assert (shown.standing, shown.masked) == (KeyStanding.EXPIRED, "otk_live_abc…wxyz")
        assert shown.project == "Mobile"
        assert (shown.models, shown.is_restricted) == ("?, mock", True)


class TestSnippets:
    def test_name_the_address_and_the_model_and_no_secret(self) -> None:
        for snippet in (curl_snippet("http://h", "mock"), python_snippet("http://h", "mock")):
            assert "http://h/v1" in snippet
            assert '"mock"' in snippet
            assert "otk_live" not in snippet

    def test_the_variable_of_the_key_is_no_setting_of_ours(self) -> None:
        for snippet in (curl_snippet("http://h", "mock"), python_snippet("http://h", "mock")):
            assert "OTK_API_KEY" in snippet
            assert PREFIX not in snippet

    def test_python_is_python(self) -> None:
        compile(python_snippet("http://h", "mock"), "snippet", "exec")


def _total(nanos: int) -> ChargeTotal:
    """A total of which only the charge matters."""
    return ChargeTotal(charge_nanos=nanos, call_count=1, input_tokens=0, output_tokens=0)
