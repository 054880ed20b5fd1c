"""Sums by day, month, model, key and project, cut in the organization's own time zone, rolled up or not yet."""

from datetime import UTC, date, datetime, timedelta

import pytest

from onetoken_app.catalog.service import put_model
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.keys.projects import create_project
from onetoken_app.keys.service import mint_key
from onetoken_app.money import Currency
from onetoken_app.organizations.service import register_organization
from onetoken_app.usage.charges import (
    ChargeTotal,
    DayChargeView,
    charge_of_month,
    charges_by_day,
    charges_by_key,
    charges_by_model,
    charges_by_project,
)
from onetoken_app.usage.periods import days_between, month_of, period_of_days, today
from onetoken_app.usage.recording import UsageDraft
from tests.usage import books
from tests.usage.drafts import ORGANIZATION, a_draft

SHANGHAI = "Asia/Shanghai"


def at(text: str) -> datetime:
    """Read a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(autouse=True, params=["not yet rolled up", "rolled up"])
def _rolls_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each sum from what the journal says, and from roll-ups: they have to be the same."""
    monkeypatch.setattr(_Rolling, "is_wanted", request.param == "rolled up")


class _Rolling:
    is_wanted = False


async def settled(*drafts: UsageDraft) -> None:
    """Settle calls when they arrived, and roll them up where that is asked for."""
    await books.settled(*drafts)
    if _Rolling.is_wanted:
        await books.roll_up_all()
        await books.assert_sums_are_right()


async def by_day(since: date, until: date, *, time_zone: str = SHANGHAI) -> list[DayChargeView]:
    """Read the days of the organization."""
    async with read_session() as session:
        return await charges_by_day(
            session, organization_id=ORGANIZATION, since=since, until=until, time_zone=time_zone
        )


@pytest.mark.usefixtures("database")
class TestChargesByDay:
    async def test_a_day_is_cut_where_the_organization_is(self) -> None:
        await settled(
            a_draft(requested_at=at("2026-11-22T15:59:59.999999"), charge_nanos=1),
            a_draft(requested_at=at("2026-11-22T16:00:00"), charge_nanos=10),
            a_draft(requested_at=at("2026-11-23T15:59:59.999999"), charge_nanos=100),
            a_draft(requested_at=at("2026-11-23T16:00:00"), charge_nanos=1000),
        )
        days = await by_day(date(2026, 11, 22), date(2026, 11, 24))
        assert [day.total.charge_nanos for day in days] == [1, 110, 1000]
        assert [day.total.call_count for day in days] == [1, 2, 1]

    async def test_days_without_calls_are_there_with_nothing(self) -> None:
        days = await by_day(date(2026, 11, 1), date(2026, 11, 3))
        assert [day.day for day in days] == [date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)]
        assert {day.total for day in days} == {ChargeTotal(0, 0, 0, 0)}

    async def test_a_day_of_a_clock_change_is_counted_once(self) -> None:
        berlin = "Europe/Berlin"
        await settled(*(a_draft(requested_at=at("2026-10-24T20:00") + timedelta(hours=number)) for number in range(36)))
        days = await by_day(date(2026, 10, 24), date(2026, 10, 26), time_zone=berlin)
        assert [day.total.call_count for day in days] == [2, 25, 9]

    async def test_reaches_92_days(self) -> None:
        assert len(await by_day(date(2026, 9, 1), date(2026, 12, 1))) == 92
        with pytest.raises(BadRequest):
            await by_day(date(2026, 9, 1), date(2026, 12, 2))

    async def test_sums_stay_exact_beyond_what_a_float_holds(self) -> None:
        await settled(*(a_draft(charge_nanos=2**53 + 1, output_tokens=3) for _ in range(3)))
        (day,) = await by_day(date(2026, 11, 23), date(2026, 11, 23))
        assert day.total == ChargeTotal(charge_nanos=3 * 2**53 + 3, call_count=3, input_tokens=0, output_tokens=9)

    async def test_shows_nothing_of_another_organization(self) -> None:
        await settled(a_draft(organization_id="org_2", charge_nanos=5))
        (day,) = await by_day(date(2026, 11, 23), date(2026, 11, 23))
        assert day.total.call_count == 0


@pytest.mark.usefixtures("database")
class TestChargesByModelAndKey:
    async def test_models_come_dearest_first(self) -> None:
        await settled(
            a_draft(model_id="mdl_1", model_name="cheap", charge_nanos=1, input_tokens=2, cache_read_tokens=3),
            a_draft(model_id="mdl_2", model_name="dear", charge_nanos=5),
            a_draft(model_id="mdl_1", model_name="cheap", charge_nanos=1),
            a_draft(model_id="mdl_1", requested_at=at("2026-11-24T16:00:00"), charge_nanos=100),
        )
        async with read_session() as session:
            found = await charges_by_model(
                session, organization_id=ORGANIZATION, since=date(2026, 11, 23), until=date(2026, 11, 24),
                time_zone=SHANGHAI,
            )  # fmt: skip
        assert [(view.name, view.total.charge_nanos, view.total.call_count) for view in found] == [
            ("dear", 5, 1),
            ("cheap", 2, 2),
        ]
        assert found[1].total.input_tokens == 5

    async def test_keys_have_their_names(self) -> None:
        async with unit_of_work() as session:
            organization_id = await register_organization(
                session, name="Bench", registration_code="91350100M000100Y43", currency=Currency.USD
            )
            await put_model(session, name="mock", context_window_tokens=10, output_tokens_max=5)
            key = await mint_key(
                session, key_pepper=bytes(32), organization_id=organization_id, name="bench", created_by=None
            )
        await settled(a_draft(api_key_id=key.id, charge_nanos=1), a_draft(api_key_id="key_gone", charge_nanos=2))
        async with read_session() as session:
            found = await charges_by_key(
                session, organization_id=ORGANIZATION, since=date(2026, 11, 23), until=date(2026, 11, 23),
                time_zone=SHANGHAI,
            )  # fmt: skip
        assert [(view.id, view.name) for view in found] == [("key_gone", ""), (key.id, "bench")]

    async def test_projects_have_their_names(self) -> None:
        async with unit_of_work() as session:
            organization_id = await register_organization(
                session, name="Bench", registration_code="91350100M000100Y43", currency=Currency.USD
            )
            project_id = await create_project(session, organization_id=organization_id, name="Mobile")
        await settled(a_draft(project_id=project_id, charge_nanos=2), a_draft(charge_nanos=1))
        async with read_session() as session:
            found = await charges_by_project(
                session, organization_id=ORGANIZATION, since=date(2026, 11, 23), until=date(2026, 11, 23),
                time_zone=SHANGHAI,
            )  # fmt: skip
        assert [(view.id, view.name) for view in found] == [(project_id, "Mobile"), ("", "")]


@pytest.mark.usefixtures("database")
class TestChargeOfMonth:
    async def test_begins_where_the_organization_is(self) -> None:
        await settled(
            a_draft(requested_at=at("2026-10-31T15:59:59"), charge_nanos=1),
            a_draft(requested_at=at("2026-10-31T16:00:00"), charge_nanos=10),
            a_draft(requested_at=at("2026-11-30T16:00:00"), charge_nanos=100),
        )
        async with read_session() as session:
            total = await charge_of_month(
                session, organization_id=ORGANIZATION, time_zone=SHANGHAI, now=at("2026-11-23T00:00:00")
            )
        assert (total.charge_nanos, total.call_count) == (10, 1)


class TestPeriods:
    def test_december_is_followed_by_january(self) -> None:
        period = month_of(at("2026-12-31T12:00:00"), time_zone="UTC")
        assert (period.since, period.until) == (at("2026-12-01"), at("2027-01-01"))

    def test_today_is_the_date_on_the_wall(self) -> None:
        assert today(at("2026-11-23T16:00:00"), time_zone=SHANGHAI) == date(2026, 11, 24)

    def test_refuses_a_last_day_before_the_first(self) -> None:
        with pytest.raises(BadRequest):
            period_of_days(date(2026, 11, 2), date(2026, 11, 1), time_zone="UTC")
        with pytest.raises(BadRequest):
            days_between(date(2026, 11, 2), date(2026, 11, 1))

    @pytest.mark.parametrize("name", ["", "Nowhere/At_All", "../../etc/passwd", "x" * 300, "\0"])
    def test_refuses_an_unknown_time_zone(self, name: str) -> None:
        with pytest.raises(BadRequest, match="time zone"):
            today(at("2026-11-23"), time_zone=name)
