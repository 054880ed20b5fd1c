"""What models bring and cost is exact, whether calls are rolled up yet or not, and nothing is converted."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from onetoken_app.console.shown.margins import MarginStanding, shown_margins
from onetoken_app.database import read_session
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.margins import MarginView, margins_by_model
from tests.usage.books import corrected, recovered, roll_up_all, settled
from tests.usage.drafts import NOON, a_draft

pytestmark = pytest.mark.usefixtures("database")
DAY = date(2026, 11, 23)
COSTS = {"cost_nanos": 700_000_003, "cost_currency": Currency.USD}
USED = {"charge_nanos": 1_000_000_007, "usage_source": UsageSource.UPSTREAM, "channel_id": "chn_1"}


async def the_margins(*, since: date = DAY, until: date = DAY) -> list[MarginView]:
    """Read them, before and after the calls are rolled up: they are the same."""
    async with read_session() as session:
        before = await margins_by_model(session, since=since, until=until, time_zone="UTC")
    await roll_up_all()
    async with read_session() as session:
        assert await margins_by_model(session, since=since, until=until, time_zone="UTC") == before
    return before


class TestMarginsByModel:
    async def test_adds_up_over_all_organizations_to_the_nano(self) -> None:
        draft = a_draft(**USED, **COSTS)
        await settled(draft, replace(draft, request_id="req_b", organization_id="org_2", charge_nanos=5))
        (view,) = await the_margins()
        assert (view.model_name, view.call_count) == ("mock", 2)
        assert (view.charge_nanos, view.cost_nanos) == (1_000_000_012, 1_400_000_006)
        assert (view.margin_nanos, view.margin_permille) == (-399_999_994, -400)

    async def test_other_days_do_not_count(self) -> None:
        draft = a_draft(**USED, **COSTS)
        await settled(draft, closed_at=NOON + timedelta(hours=12))
        assert await the_margins() == []
        assert len(await the_margins(until=DAY + timedelta(days=1))) == 1

    async def test_a_cost_that_is_not_known_or_not_converted_has_no_margin(self) -> None:
        await settled(
            a_draft(**USED), a_draft(**USED | {"charge_nanos": 9}, cost_nanos=1, cost_currency=Currency.CNY),
        )  # fmt: skip
        views = await the_margins()
        assert [(view.cost_currency, view.charge_nanos, view.margin_nanos) for view in views] == [
            (None, 1_000_000_007, None),
            (Currency.CNY, 9, None),
        ]

    async def test_calls_that_came_to_nothing_are_counted_with_their_models_others(self) -> None:
        await settled(a_draft(error_code="upstream_failed"), a_draft(**USED, **COSTS), a_draft(model_id="mdl_2"))
        views = {view.model_id: view for view in await the_margins()}
        assert (views["mdl_1"].call_count, views["mdl_1"].margin_nanos) == (2, 300_000_004)
        assert (views["mdl_2"].call_count, views["mdl_2"].cost_currency) == (1, None)

    async def test_a_correction_brings_both_sides_to_the_truth(self) -> None:
        draft = a_draft(**USED, **COSTS)
        await recovered(replace(draft, charge_nanos=10, cost_nanos=20), closed_at=NOON)
        await roll_up_all()
        await corrected(draft, corrected_at=NOON + timedelta(minutes=20))
        await roll_up_all()
        async with read_session() as session:
            (view,) = await margins_by_model(session, since=DAY, until=DAY, time_zone="UTC")
        assert (view.call_count, view.charge_nanos, view.cost_nanos) == (1, 1_000_000_007, 700_000_003)


class TestShownMargins:
    def test_each_standing_has_its_words(self) -> None:
        view = MarginView("mdl_1", "mock", Currency.USD, Currency.USD, 1_234, 2 * 10**9, 5 * 10**8)
        rows = shown_margins(
            [
                view,
                replace(view, cost_nanos=3 * 10**9),
                replace(view, cost_currency=None, cost_nanos=0),
                replace(view, cost_currency=Currency.CNY),
                replace(view, charge_nanos=0, cost_nanos=0),
            ]
        )
        assert [row.standing for row in rows] == [
            MarginStanding.GAIN, MarginStanding.LOSS, MarginStanding.UNKNOWN, MarginStanding.OTHER_CURRENCY,
            MarginStanding.GAIN,
        ]  # fmt: skip
        assert [row.share for row in rows] == ["75.0\xa0%", "\N{MINUS SIGN}50.0\xa0%", "", "", ""]
        assert [row.margin.currency for row in rows] == ["USD", "USD", "", "", "USD"]
        assert (rows[0].calls, rows[0].margin.main, rows[2].cost.currency) == ("1,234", "1.50", "")
