"""The price book: versions supersede each other, and nothing is written when nothing differs."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.catalog.service import put_model
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing.models import PriceBookVersion, Rate, VersionSeal
from onetoken_app.pricing.queries import next_price_change_at, price_sheets
from onetoken_app.pricing.quote import PriceSheet, RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import publish_prices
from onetoken_app.token_usage import TokenKind

pytestmark = pytest.mark.usefixtures("database")


def both(micros: int) -> dict[TokenKind, int]:
    """Price input and output alike."""
    return {TokenKind.INPUT: micros, TokenKind.OUTPUT: micros}


@pytest.fixture
async def model_id(database: Database) -> str:
    """A model without a price, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        return await put_model(session, name="mock", context_window_tokens=10, output_tokens_max=5)


async def publish(
    model_id: str, rates: dict[TokenKind, int], *, at: datetime, currency: Currency = Currency.USD
) -> int | None:
    """Publish one model's prices in a unit of its own."""
    async with unit_of_work() as session:
        return await publish_prices(session, currency=currency, rates={model_id: ModelRates(rates)}, effective_at=at)


async def sheets(now: datetime) -> dict[tuple[str, Currency], PriceSheet]:
    """Read what is in force."""
    async with read_session() as session:
        return await price_sheets(session, now=now)


class TestPublishPrices:
    async def test_puts_prices_in_force_from_their_moment_on(self, model_id: str) -> None:
        moment = clock.utc_now() + timedelta(hours=1)
        version_id = await publish(model_id, both(7), at=moment)
        assert await sheets(moment - timedelta(microseconds=1)) == {}
        sheet = (await sheets(moment))[model_id, Currency.USD]
        assert (sheet.price_version_id, dict(sheet.rates)) == (version_id, both(7))

    async def test_the_later_version_supersedes_the_earlier(self, model_id: str) -> None:
        now = clock.utc_now()
        await publish(model_id, both(7), at=now)
        await publish(model_id, both(9), at=now + timedelta(hours=1))
        assert (await sheets(now))[model_id, Currency.USD].rates == both(7)
        assert (await sheets(now + timedelta(hours=2)))[model_id, Currency.USD].rates == both(9)

    async def test_of_two_with_the_same_moment_the_last_published_counts(self, model_id: str) -> None:
        now = clock.utc_now()
        await publish(model_id, both(7), at=now)
        await publish(model_id, both(9), at=now)
        assert (await sheets(now))[model_id, Currency.USD].rates == both(9)

    async def test_a_rate_left_out_of_a_new_version_is_gone(self, model_id: str) -> None:
        now = clock.utc_now()
        await publish(model_id, both(7) | {TokenKind.CACHE_READ: 1}, at=now)
        await publish(model_id, both(7), at=now)
        assert (await sheets(now))[model_id, Currency.USD].rates == both(7)

    async def test_tiers_come_back_as_they_were_published(self, model_id: str) -> None:
        now = clock.utc_now()
        tiers = (RateTier(100, {TokenKind.INPUT: 8}), RateTier(200, {TokenKind.INPUT: 9, TokenKind.OUTPUT: 9}))
        priced = ModelRates(both(7), tiers)
        async with unit_of_work() as session:
            await publish_prices(session, currency=Currency.USD, rates={model_id: priced}, effective_at=now)
        sheet = (await sheets(now))[model_id, Currency.USD]
        assert (sheet.rates, sheet.tiers) == (both(7), tiers)

    @pytest.mark.parametrize(
        "tiers",
        [
            pytest.param((RateTier(0, {TokenKind.INPUT: 1}),), id="a threshold of nothing"),
            pytest.param((RateTier(2, {TokenKind.INPUT: 1}), RateTier(1, {TokenKind.INPUT: 1})), id="falling ones"),
            pytest.param((RateTier(1, {TokenKind.INPUT: 1}), RateTier(1, {TokenKind.INPUT: 1})), id="the same twice"),
            pytest.param((RateTier(1, {}),), id="no price"),
            pytest.param((RateTier(1, {TokenKind.INPUT: -1}),), id="a negative price"),
        ],
    )
    async def test_refuses_tiers_that_cannot_be(self, model_id: str, tiers: tuple[RateTier, ...]) -> None:
        with pytest.raises(BadRequest):
            async with unit_of_work() as session:
                await publish_prices(
                    session,
                    currency=Currency.USD,
                    rates={model_id: ModelRates(both(7), tiers)},
                    effective_at=clock.utc_now(),
                )

    async def test_writes_nothing_when_nothing_differs(self, model_id: str) -> None:
        now = clock.utc_now()
        await publish(model_id, both(7), at=now)
        assert await publish(model_id, both(7), at=now + timedelta(seconds=1)) is None
        async with read_session() as session:
            assert len((await session.exec(select(PriceBookVersion))).all()) == 1

    async def test_names_only_the_models_that_differ(self, model_id: str) -> None:
        now = clock.utc_now()
        first = await publish(model_id, both(7), at=now)
        async with unit_of_work() as session:
            other = await put_model(session, name="other", context_window_tokens=10, output_tokens_max=5)
            second = await publish_prices(
                session,
                currency=Currency.USD,
                rates={model_id: ModelRates(both(7)), other: ModelRates(both(3))},
                effective_at=now,
            )
        in_force = await sheets(now)
        assert in_force[model_id, Currency.USD].price_version_id == first
        assert in_force[other, Currency.USD].price_version_id == second

    async def test_currencies_have_prices_of_their_own(self, model_id: str) -> None:
        now = clock.utc_now()
        await publish(model_id, both(7), at=now)
        await publish(model_id, both(50), at=now, currency=Currency.CNY)
        in_force = await sheets(now)
        assert in_force[model_id, Currency.USD].rates == both(7)
        assert in_force[model_id, Currency.CNY].rates == both(50)

    @pytest.mark.parametrize(
        "rates",
        [
            pytest.param({TokenKind.INPUT: 1}, id="no output price"),
            pytest.param({TokenKind.OUTPUT: 1}, id="no input price"),
            pytest.param({TokenKind.INPUT: -1, TokenKind.OUTPUT: 1}, id="a negative price"),
            pytest.param({TokenKind.INPUT: 2**63, TokenKind.OUTPUT: 1}, id="more than a column holds"),
        ],
    )
    async def test_refuses_what_cannot_price_a_call(self, model_id: str, rates: dict[TokenKind, int]) -> None:
        with pytest.raises(BadRequest):
            await publish(model_id, rates, at=clock.utc_now())

    async def test_refuses_the_past(self, model_id: str) -> None:
        with pytest.raises(BadRequest, match="past"):
            await publish(model_id, both(7), at=clock.utc_now() - timedelta(hours=1))

    async def test_refuses_an_unknown_model(self) -> None:
        with pytest.raises(NotFound):
            await publish("mdl_none", both(7), at=clock.utc_now())


class TestPriceSheets:
    async def test_leaves_out_a_model_whose_output_has_no_price(self, model_id: str) -> None:
        now = clock.utc_now()
        async with unit_of_work() as session:
            session.add(PriceBookVersion(id=1, currency=Currency.USD, effective_at=now))
            await session.flush()
            session.add(Rate(version_id=1, model_id=model_id, kind=TokenKind.INPUT, micros_per_million=1))
            await session.flush()
            session.add(VersionSeal(version_id=1))
        assert await sheets(now) == {}

    async def test_has_nothing_of_a_version_that_is_not_sealed(self, model_id: str) -> None:
        now = clock.utc_now()
        async with unit_of_work() as session:
            session.add(PriceBookVersion(id=1, currency=Currency.USD, effective_at=now))
            await session.flush()
            for kind in (TokenKind.INPUT, TokenKind.OUTPUT):
                session.add(Rate(version_id=1, model_id=model_id, kind=kind, micros_per_million=1))
        assert await sheets(now) == {}


class TestNextPriceChangeAt:
    async def test_is_the_next_moment_only(self, model_id: str) -> None:
        now = clock.utc_now()
        later = now + timedelta(hours=1)
        await publish(model_id, both(7), at=now)
        await publish(model_id, both(8), at=later)
        await publish(model_id, both(9), at=later + timedelta(hours=1))
        async with read_session() as session:
            assert await next_price_change_at(session, now=now) == later
            assert await next_price_change_at(session, now=later + timedelta(hours=1)) is None


class TestRates:
    async def test_a_published_version_is_found_again_by_its_number(self, model_id: str) -> None:
        version_id = await publish(model_id, both(7), at=clock.utc_now())
        async with read_session() as session:
            count = (await session.exec(select(sa.func.count()).where(Rate.version_id == version_id))).one()
        assert count == 2
