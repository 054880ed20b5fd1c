"""What a customer reads of prices to come: the next moment at which it is charged otherwise, and by what."""

from datetime import datetime, timedelta

import pytest

from onetoken_app import clock
from onetoken_app.console.shown.callable_models import coming_offers
from onetoken_app.console.shown.offers import ShownOffer
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.organizations.queries import organization
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import EVERYBODY, For, assign_plan, end_version, publish_plan, publish_prices
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from tests.support.builders import BuiltModel, a_model, an_organization

pytestmark = pytest.mark.usefixtures("database")
WEEK = timedelta(days=7)


async def a_customer(settings: Settings) -> tuple[str, BuiltModel]:
    """Make a customer and a model for sale."""
    async with unit_of_work() as session:
        return await an_organization(session), await a_model(session, settings)


async def publish(model: BuiltModel, micros: int, *, at: datetime, meant_for: For = EVERYBODY) -> int:
    """Publish prices of the model."""
    rates = ModelRates({TokenKind.INPUT: micros, TokenKind.OUTPUT: micros})
    async with unit_of_work() as session:
        version_id = await publish_prices(
            session, currency=Currency.USD, rates={model.id: rates}, effective_at=at, meant_for=meant_for
        )
    assert version_id is not None
    return version_id


async def coming(organization_id: str) -> tuple[datetime, list[ShownOffer]] | None:
    """Read what the customer's page reads."""
    async with read_session() as session:
        customer = await organization(session, organization_id)
        assert customer is not None
        return await coming_offers(session, customer, now=clock.utc_now())


class TestComingOffers:
    async def test_nothing_is_to_come(self, database_settings: Settings) -> None:
        customer, _ = await a_customer(database_settings)
        assert await coming(customer) is None

    async def test_what_does_not_concern_them_is_passed_over(self, database_settings: Settings) -> None:
        customer, model = await a_customer(database_settings)
        now = clock.utc_now()
        await publish(model, 9, at=now, meant_for=For(Scope.CONTRACT, customer, ends_at=now + 3 * WEEK))
        await publish(model, 5, at=now + WEEK)
        async with unit_of_work() as session:
            await publish_plan(session, plan_name="partner", ratio_ppm=500_000, effective_at=now)
            await assign_plan(session, organization_id=customer, plan_name="partner", effective_at=now + 2 * WEEK)
        found = await coming(customer)
        assert found is not None
        moment, (offer,) = found
        assert (moment, offer.model, offer.scope, offer.ratio) == (now + 3 * WEEK, "mock", "list", "0.5")
        assert [price.price for price in offer.prices] == ["0.0000025", "0.0000025"]

    async def test_a_model_without_a_price_any_more_has_none(self, database_settings: Settings) -> None:
        async with unit_of_work() as session:
            customer = await an_organization(session, currency=Currency.CNY)
            model = await a_model(session, database_settings)
        now = clock.utc_now()
        rates = ModelRates({TokenKind.INPUT: 1, TokenKind.OUTPUT: 1})
        async with unit_of_work() as session:
            version_id = await publish_prices(
                session, currency=Currency.CNY, rates={model.id: rates}, effective_at=now,
                meant_for=For(Scope.CONTRACT, customer),
            )  # fmt: skip
            assert version_id is not None
            await end_version(session, version_id=version_id, ends_at=now + WEEK)
        found = await coming(customer)
        assert found is not None
        assert [(offer.model, offer.prices) for offer in found[1]] == [("mock", [])]
