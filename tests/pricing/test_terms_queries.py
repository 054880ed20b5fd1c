"""What staff read of plans, exchange rates, offers, contracts and drafts, and when a customer's prices change."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.pricing.models import Scope, TermsKind
from onetoken_app.pricing.service import EVERYBODY, For, assign_plan, publish_exchange_rate, publish_plan
from onetoken_app.pricing.terms import Terms
from onetoken_app.pricing.terms_queries import (
    PlanView,
    coming_moments,
    exchange_versions,
    plans,
    special_versions,
    waiting_terms,
)
from tests.pricing.two_people import (
    HOUR,
    MAKER,
    WEEK,
    Shop,
    a_shop,
    contracted,
    draft_prices,
    priced,
    propose,
    publish,
    publish_drafted,
)

pytestmark = pytest.mark.usefixtures("database")


async def given_plans(shop: Shop) -> None:
    """Make a plan with a ratio to come, which the customer has; and one to come."""
    now = clock.utc_now()
    async with unit_of_work() as session:
        await publish_plan(session, plan_name="partner", ratio_ppm=850_000, effective_at=now)
        await publish_plan(session, plan_name="partner", ratio_ppm=900_000, effective_at=now + WEEK)
        await publish_plan(session, plan_name="later", ratio_ppm=1, effective_at=now + WEEK)
        await assign_plan(session, organization_id=shop.customer_id, plan_name="partner", effective_at=now)


class TestPlans:
    async def test_have_their_ratios_and_how_many_have_them(self) -> None:
        shop = await a_shop()
        await given_plans(shop)
        async with read_session() as session:
            found = await plans(session, now=clock.utc_now())
        assert [(one.name, one.ratio_ppm, one.organization_count) for one in found] == [
            ("later", None, 0),
            ("partner", 850_000, 1),
        ]
        assert [[ratio for ratio, _ in one.coming] for one in found] == [[1], [900_000]]
        assert isinstance(found[0], PlanView)


class TestSpecialVersions:
    async def test_are_those_in_force_and_to_come(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        running = await contracted(shop, 60, until=now + HOUR)
        coming = await contracted(shop, 50, from_=now + HOUR)
        offer = await publish_drafted(await draft_prices(shop, 70, meant_for=For(Scope.OFFER, ends_at=now + HOUR)))
        ended = Terms(TermsKind.END, version_id=coming, effective_at=now + 2 * HOUR)
        await publish(await propose(ended), notice=timedelta(0))
        async with read_session() as session:
            own = await special_versions(session, now=clock.utc_now(), organization_id=shop.customer_id)
            others = await special_versions(session, now=clock.utc_now(), organization_id=shop.other_id)
            offers = await special_versions(session, now=clock.utc_now())
            later = await special_versions(session, now=now + 3 * HOUR, organization_id=shop.customer_id)
        assert [(one.version_id, one.is_ended_early, one.rates) for one in own] == [
            (running, False, ((shop.model_id, priced(60)),)),
            (coming, True, ((shop.model_id, priced(50)),)),
        ]
        assert (others, later, [one.version_id for one in offers]) == ([], [], [offer])


class TestExchangeVersions:
    async def test_say_which_is_in_force(self) -> None:
        now = clock.utc_now()
        async with unit_of_work() as session:
            for rate_nanos, moment in ((7_000_000_000, now), (7_200_000_000, now + WEEK)):
                await publish_exchange_rate(
                    session, from_currency=Currency.USD, to_currency=Currency.CNY, rate_nanos=rate_nanos,
                    effective_at=moment,
                )  # fmt: skip
        async with read_session() as session:
            found = await exchange_versions(session, now=clock.utc_now(), limit=20)
        assert [(one.rate_nanos, one.is_in_force) for one in found] == [(7_200_000_000, False), (7_000_000_000, True)]


class TestWaitingTerms:
    async def test_stand_beside_what_is_in_force_by_their_moment(self) -> None:
        shop = await a_shop()
        await given_plans(shop)
        moment = clock.utc_now() + WEEK + HOUR
        await propose(Terms(TermsKind.RATIO, plan_name="partner", ratio_ppm=800_000, effective_at=moment))
        await propose(Terms(TermsKind.PLAN, plan_name="later", organization_id=shop.customer_id, effective_at=moment))
        async with read_session() as session:
            plan, ratio = await waiting_terms(session)
        assert (ratio.ratio_ppm_before, ratio.ratio_ppm, ratio.created_by) == (900_000, 800_000, MAKER)
        assert (plan.plan_name_before, plan.ratio_ppm_before) == ("partner", 900_000)
        assert (plan.plan_name, plan.ratio_ppm) == ("later", 1)


class TestComingMoments:
    async def test_are_those_of_everybody_and_of_the_customer(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        until = now + 5 * WEEK
        await contracted(shop, 60, until=until)
        other = Shop(shop.model_id, shop.other_id, shop.customer_id)
        await contracted(other, 60, until=until + HOUR)
        await publish_drafted(await draft_prices(shop, 101, meant_for=EVERYBODY, from_=now + 2 * WEEK))
        async with read_session() as session:
            found = await coming_moments(session, organization_id=shop.customer_id, now=clock.utc_now(), limit=9)
        assert found == [now + 2 * WEEK, until]
