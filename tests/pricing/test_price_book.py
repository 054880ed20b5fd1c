"""Which prices a customer is charged by: contract, offer, list; plans, currencies, and the moments they change at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from onetoken_app import clock
from onetoken_app.catalog.service import put_model
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing import service
from onetoken_app.pricing.models import Rate, Scope
from onetoken_app.pricing.queries import next_price_change_at, price_book, price_sheets, published_versions
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import EVERYBODY, For
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind, TokenUsage
from tests.support.builders import a_channel, an_organization

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Installed:
    """A model without a price, two organizations and a channel."""

    model_id: str
    organization_id: str
    other_id: str
    channel_id: str


@pytest.fixture
async def installed(database: Database, settings: Settings) -> Installed:
    """Add them, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        return Installed(
            model_id=await put_model(session, name="mock", context_window_tokens=10, output_tokens_max=5),
            organization_id=await an_organization(session),
            other_id=await an_organization(session),
            channel_id=await a_channel(session, settings),
        )


def priced(micros: int) -> ModelRates:
    """Price input and output alike."""
    return ModelRates({TokenKind.INPUT: micros, TokenKind.OUTPUT: micros})


async def publish(
    installed: Installed,
    micros: int,
    *,
    at: datetime | None = None,
    meant_for: For = EVERYBODY,
    currency: Currency = Currency.USD,
) -> int | None:
    """Publish prices of the model in a unit of their own."""
    async with unit_of_work() as session:
        return await service.publish_prices(
            session,
            currency=currency,
            rates={installed.model_id: priced(micros)},
            effective_at=at or clock.utc_now(),
            meant_for=meant_for,
        )


async def give_plan(organization_id: str, ratio_ppm: int, *, at: datetime | None = None) -> None:
    """Give an organization a plan of its own ratio."""
    moment = at or clock.utc_now()
    async with unit_of_work() as session:
        await service.publish_plan(session, plan_name=f"at {ratio_ppm}", ratio_ppm=ratio_ppm, effective_at=moment)
        await service.assign_plan(
            session, organization_id=organization_id, plan_name=f"at {ratio_ppm}", effective_at=moment
        )


async def give_rate(rate_nanos: int, *, at: datetime | None = None) -> int | None:
    """Publish what a dollar is sold at in renminbi."""
    async with unit_of_work() as session:
        return await service.publish_exchange_rate(
            session,
            from_currency=Currency.USD,
            to_currency=Currency.CNY,
            rate_nanos=rate_nanos,
            effective_at=at or clock.utc_now(),
        )


async def sheet_of(
    installed: Installed,
    *,
    at: datetime | None = None,
    organization_id: str = "",
    currency: Currency = Currency.USD,
) -> PriceSheet | None:
    """Return what an organization is charged by at a moment."""
    async with read_session() as session:
        book = await price_book(session, now=at or clock.utc_now())
    return book.sheet_for(
        model_id=installed.model_id,
        organization_id=organization_id or installed.organization_id,
        currency=currency,
    )


async def charge_of(installed: Installed, **options: object) -> int | None:
    """Return what a million input tokens are charged, in micros."""
    sheet = await sheet_of(installed, **options)  # type: ignore[arg-type] # handed through
    return None if sheet is None else sheet.charge_for(TokenUsage(input=1_000_000)) // 1_000


class TestPrecedence:
    async def test_an_offer_replaces_the_list_while_it_lasts(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100, at=now)
        offer = await publish(installed, 60, at=now + HOUR, meant_for=For(Scope.OFFER, ends_at=now + 2 * HOUR))
        moments = (now, now + HOUR, now + 2 * HOUR - timedelta(microseconds=1), now + 2 * HOUR)
        assert [await charge_of(installed, at=moment) for moment in moments] == [100, 60, 60, 100]
        sheet = await sheet_of(installed, at=now + HOUR)
        assert sheet is not None
        assert sheet.price_version_id == offer

    async def test_a_contract_goes_before_an_offer_for_its_organization_alone(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100)
        await publish(installed, 60, meant_for=For(Scope.OFFER, ends_at=now + HOUR))
        await publish(installed, 80, meant_for=For(Scope.CONTRACT, installed.organization_id))
        assert await charge_of(installed) == 80
        assert await charge_of(installed, organization_id=installed.other_id) == 60

    async def test_the_list_applies_again_when_a_contract_is_over(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100, at=now)
        contract = For(Scope.CONTRACT, installed.organization_id, ends_at=now + HOUR)
        await publish(installed, 80, at=now, meant_for=contract)
        assert [await charge_of(installed, at=moment) for moment in (now, now + HOUR)] == [80, 100]

    async def test_what_a_channel_costs_is_nobodys_price(self, installed: Installed) -> None:
        await publish(installed, 7, meant_for=For(Scope.COST, channel_id=installed.channel_id))
        assert await sheet_of(installed) is None
        async with read_session() as session:
            assert await price_sheets(session, now=clock.utc_now()) == {}
            book = await price_book(session, now=clock.utc_now())
        cost = book.cost_sheet_for(model_id=installed.model_id, channel_id=installed.channel_id)
        assert cost is not None
        assert (cost.currency, cost.rates[TokenKind.INPUT]) == (Currency.USD, 7)
        assert book.cost_sheet_for(model_id=installed.model_id, channel_id="chn_other") is None

    async def test_strangers_see_the_list_and_offers_only(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100)
        await publish(installed, 60, meant_for=For(Scope.OFFER, ends_at=now + HOUR))
        await publish(installed, 1, meant_for=For(Scope.CONTRACT, installed.organization_id))
        async with read_session() as session:
            (sheet,) = (await price_sheets(session, now=clock.utc_now())).values()
        assert sheet.rates[TokenKind.INPUT] == 60


class TestPlans:
    async def test_the_ratio_applies_to_the_list_and_to_offers_but_not_to_a_contract(
        self, installed: Installed
    ) -> None:
        now = clock.utc_now()
        await give_plan(installed.organization_id, 500_000)
        await publish(installed, 100)
        assert await charge_of(installed) == 50
        assert await charge_of(installed, organization_id=installed.other_id) == 100
        await publish(installed, 60, meant_for=For(Scope.OFFER, ends_at=now + HOUR))
        assert await charge_of(installed) == 30
        await publish(installed, 80, meant_for=For(Scope.CONTRACT, installed.organization_id))
        sheet = await sheet_of(installed)
        assert sheet is not None
        assert (await charge_of(installed), sheet.ratio_ppm) == (80, 1_000_000)

    async def test_a_plan_applies_from_its_moment_on_until_another_or_none(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100, at=now)
        await give_plan(installed.organization_id, 500_000, at=now + HOUR)
        await give_plan(installed.organization_id, 250_000, at=now + 2 * HOUR)
        async with unit_of_work() as session:
            await service.assign_plan(
                session, organization_id=installed.organization_id, plan_name="", effective_at=now + 3 * HOUR
            )
        charges = [await charge_of(installed, at=now + hours * HOUR) for hours in range(4)]
        assert charges == [100, 50, 25, 100]

    async def test_a_plan_that_is_repriced_reprices_whoever_has_it(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100)
        await give_plan(installed.organization_id, 500_000)
        async with unit_of_work() as session:
            await service.publish_plan(session, plan_name="at 500000", ratio_ppm=700_000, effective_at=now + HOUR)
        assert await charge_of(installed, at=now + HOUR) == 70

    async def test_nothing_is_written_when_it_is_so_already(self, installed: Installed) -> None:
        await give_plan(installed.organization_id, 500_000)
        async with unit_of_work() as session:
            now = clock.utc_now()
            plan: dict[str, Any] = {"plan_name": "at 500000", "effective_at": now}
            assert await service.publish_plan(session, ratio_ppm=500_000, **plan) is None
            assert await service.assign_plan(session, organization_id=installed.organization_id, **plan) is None

    async def test_refuses_plans_and_organizations_that_are_not_there(self, installed: Installed) -> None:
        async with unit_of_work() as session:
            now = clock.utc_now()
            with pytest.raises(NotFound, match="plan"):
                await service.assign_plan(
                    session, organization_id=installed.organization_id, plan_name="none", effective_at=now
                )
            with pytest.raises(NotFound, match="organization"):
                await service.assign_plan(session, organization_id="org_none", plan_name="", effective_at=now)
            for ratio_ppm in (0, -1, service.RATIO_PPM_MAX + 1):
                with pytest.raises(BadRequest, match="ratio"):
                    await service.publish_plan(session, plan_name="x", ratio_ppm=ratio_ppm, effective_at=now)


class TestCurrencies:
    async def test_a_price_in_the_other_currency_is_converted_and_names_the_rate(self, installed: Installed) -> None:
        await publish(installed, 100)
        version = await give_rate(7_100_000_000)
        sheet = await sheet_of(installed, currency=Currency.CNY)
        assert sheet is not None
        assert (sheet.currency, sheet.price_currency, sheet.exchange_version) == (Currency.CNY, Currency.USD, version)
        assert await charge_of(installed, currency=Currency.CNY) == 710

    async def test_without_a_rate_there_is_no_price(self, installed: Installed) -> None:
        await publish(installed, 100)
        assert await sheet_of(installed, currency=Currency.CNY) is None
        await give_rate(7_000_000_000, at=clock.utc_now() + HOUR)
        assert await sheet_of(installed, currency=Currency.CNY) is None
        assert await charge_of(installed, currency=Currency.CNY, at=clock.utc_now() + 2 * HOUR) == 700

    async def test_a_price_in_the_billed_currency_goes_before_one_that_would_be_converted(
        self, installed: Installed
    ) -> None:
        await give_rate(7_000_000_000)
        await publish(installed, 100, meant_for=For(Scope.OFFER, ends_at=clock.utc_now() + HOUR))
        await publish(installed, 650, currency=Currency.CNY)
        assert await charge_of(installed, currency=Currency.CNY) == 650

    async def test_a_contract_that_cannot_be_converted_is_not_replaced_by_the_list(self, installed: Installed) -> None:
        await publish(installed, 650, currency=Currency.CNY)
        await publish(installed, 80, meant_for=For(Scope.CONTRACT, installed.organization_id))
        assert await sheet_of(installed, currency=Currency.CNY) is None

    async def test_ratio_and_rate_are_rounded_together_once(self, installed: Installed) -> None:
        await publish(installed, 499)
        await give_rate(7_000_000_000)
        await give_plan(installed.organization_id, 300_000)
        sheet = await sheet_of(installed, currency=Currency.CNY)
        assert sheet is not None
        # 0.499 nanos × 0.3 × 7 = 1.0479; rounded in between it would be 0.
        assert sheet.charge_for(TokenUsage(input=1)) == 1

    @pytest.mark.parametrize("rate_nanos", [0, -1, service.EXCHANGE_RATE_NANOS_MAX + 1])
    async def test_refuses_rates_that_cannot_be(self, installed: Installed, rate_nanos: int) -> None:
        assert installed.model_id
        with pytest.raises(BadRequest, match="exchange rate"):
            await give_rate(rate_nanos)


class TestEndVersion:
    async def test_an_offer_ends_early_once(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 100)
        offer = await publish(installed, 60, meant_for=For(Scope.OFFER, ends_at=now + 5 * HOUR))
        assert offer is not None
        async with unit_of_work() as session:
            await service.end_version(session, version_id=offer, ends_at=now + HOUR)
        assert [await charge_of(installed, at=moment) for moment in (now + HOUR / 2, now + HOUR)] == [60, 100]
        with pytest.raises(Conflict):
            async with unit_of_work() as session:
                await service.end_version(session, version_id=offer, ends_at=now + 2 * HOUR)

    async def test_the_list_does_not_end(self, installed: Installed) -> None:
        version = await publish(installed, 100)
        assert version is not None
        async with unit_of_work() as session:
            with pytest.raises(BadRequest):
                await service.end_version(session, version_id=version, ends_at=clock.utc_now())
            with pytest.raises(NotFound):
                await service.end_version(session, version_id=version + 1, ends_at=clock.utc_now())


class TestScopes:
    @pytest.mark.parametrize(
        "meant_for",
        [
            pytest.param(For(Scope.OFFER), id="an offer without an end"),
            pytest.param(For(Scope.CONTRACT), id="a contract with nobody"),
            pytest.param(For(Scope.LIST, organization_id="org_1"), id="a list for one"),
            pytest.param(For(Scope.COST), id="costs of no channel"),
            pytest.param(For(Scope.LIST, channel_id="chn_1"), id="a list of a channel"),
            pytest.param(For(Scope.LIST, ends_at=clock.utc_now() + HOUR), id="a list that ends"),
            pytest.param(For(Scope.OFFER, ends_at=clock.utc_now() - HOUR), id="an end before the beginning"),
        ],
    )
    async def test_refuses_a_scope_without_what_belongs_to_it(self, installed: Installed, meant_for: For) -> None:
        with pytest.raises(BadRequest):
            await publish(installed, 1, meant_for=meant_for)

    async def test_refuses_contracts_and_costs_of_what_is_not_there(self, installed: Installed) -> None:
        with pytest.raises(NotFound):
            await publish(installed, 1, meant_for=For(Scope.CONTRACT, "org_none"))
        with pytest.raises(NotFound):
            await publish(installed, 1, meant_for=For(Scope.COST, channel_id="chn_none"))

    async def test_an_offer_is_published_anew_when_only_its_end_differs(self, installed: Installed) -> None:
        now = clock.utc_now()
        offer = For(Scope.OFFER, ends_at=now + HOUR)
        assert await publish(installed, 60, meant_for=offer) is not None
        assert await publish(installed, 60, meant_for=offer) is None
        assert await publish(installed, 60, meant_for=For(Scope.OFFER, ends_at=now + 2 * HOUR)) is not None


class TestNextPriceChangeAt:
    async def test_offers_plans_and_rates_count(self, installed: Installed) -> None:
        now = clock.utc_now()
        await publish(installed, 60, at=now + 2 * HOUR, meant_for=For(Scope.OFFER, ends_at=now + 3 * HOUR))
        await give_rate(1, at=now + HOUR)
        await give_plan(installed.organization_id, 5, at=now + 4 * HOUR)
        moment, found = now, []
        async with read_session() as session:
            while (coming := await next_price_change_at(session, now=moment)) is not None:
                found.append((coming - now) // HOUR)
                moment = coming
        assert found == [1, 2, 3, 4]


class TestImmutability:
    async def test_nothing_published_changes(self, installed: Installed) -> None:
        version = await publish(installed, 100, meant_for=For(Scope.OFFER, ends_at=clock.utc_now() + HOUR))
        assert version is not None
        await give_plan(installed.organization_id, 500_000)
        await give_rate(7)
        async with unit_of_work() as session:
            await service.end_version(session, version_id=version, ends_at=clock.utc_now())
        for table in (
            "pricing_version", "pricing_rate", "pricing_version_end", "pricing_plan", "pricing_plan_assignment",
            "pricing_exchange_rate", "pricing_version_seal",
        ):  # fmt: skip
            columns = {"pricing_rate": "kind", "pricing_version_end": "ends_at", "pricing_version_seal": "version_id"}
            column = columns.get(table, "id")
            for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
                with pytest.raises((sa.exc.DBAPIError, Conflict)):
                    async with unit_of_work() as session:
                        await (await session.connection()).exec_driver_sql(statement)

    @pytest.mark.parametrize("kind", [TokenKind.CACHE_READ, TokenKind.INPUT])
    async def test_nothing_is_added_to_what_is_published(self, installed: Installed, kind: TokenKind) -> None:
        version_id = await publish(installed, 100)
        assert version_id is not None
        with pytest.raises((sa.exc.DBAPIError, Conflict)):
            async with unit_of_work() as session:
                session.add(
                    Rate(
                        version_id=version_id,
                        model_id=installed.model_id,
                        kind=kind,
                        from_input_tokens=9,
                        micros_per_million=1,
                    )
                )
        async with read_session() as session:
            count = sa.select(sa.func.count()).select_from(Rate)
            assert (await session.exec(count)).all() == [(2,)]  # type: ignore[call-overload] # SQLModel types its own


class TestPublishedVersions:
    async def test_say_for_whom_since_when_and_how_long(self, installed: Installed) -> None:
        now = clock.utc_now()
        of_the_list = await publish(installed, 100, at=now)
        contract = For(Scope.CONTRACT, installed.organization_id, ends_at=now + 3 * HOUR)
        contracted = await publish(installed, 90, at=now + HOUR, meant_for=contract)
        costs = await publish(
            installed, 70, meant_for=For(Scope.COST, channel_id=installed.channel_id), currency=Currency.CNY
        )
        assert contracted is not None
        async with unit_of_work() as session:
            await service.end_version(session, version_id=contracted, ends_at=now + 2 * HOUR)
        async with read_session() as session:
            found = await published_versions(session, limit=9)
            older = await published_versions(session, limit=1, before=contracted)
        assert [(one.id, one.scope, one.currency) for one in found] == [
            (costs, Scope.COST, Currency.CNY),
            (contracted, Scope.CONTRACT, Currency.USD),
            (of_the_list, Scope.LIST, Currency.USD),
        ]
        assert [bool(one.organization_name) for one in found] == [False, True, False]
        assert [bool(one.channel_name) for one in found] == [True, False, False]
        assert (found[1].effective_at, found[1].ends_at) == (now + HOUR, now + 2 * HOUR)
        assert ([one.model_count for one in found], [one.id for one in older]) == ([1, 1, 1], [of_the_list])
