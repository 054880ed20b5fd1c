"""Contracted prices and offers of people: whose they are, when they hold, who may make them, who is told."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.catalog.service import put_model
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.jobs import tell_price_changes
from onetoken_app.money import Currency
from onetoken_app.notifications.models import LetterKind
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.pricing.errors import OwnOrganization, PricesOverlap, RiseTooSoon
from onetoken_app.pricing.models import PriceBookVersion, PriceNotice, Scope, TermsKind
from onetoken_app.pricing.quote import PriceSheet, RateTier
from onetoken_app.pricing.service import EVERYBODY, For
from onetoken_app.pricing.terms import Terms
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from tests.credit.desk import the_letters
from tests.pricing.two_people import (
    HOUR,
    WEEK,
    Shop,
    a_shop,
    charge_of,
    contracted,
    draft_prices,
    propose,
    publish,
    publish_drafted,
)
from tests.support.builders import a_person

pytestmark = pytest.mark.usefixtures("database")


async def notices() -> set[tuple[str, bool]]:
    """Return whom there is to tell, and whether they pay more."""
    async with read_session() as session:
        return {(one.organization_id, one.is_dearer) for one in (await session.exec(select(PriceNotice))).all()}


class TestContractedPrices:
    async def test_hold_from_their_moment_to_their_end_for_one_customer(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        await contracted(shop, 60, from_=now + HOUR, until=now + 2 * HOUR)
        assert [await charge_of(shop, at=now + hours * HOUR) for hours in range(3)] == [100, 60, 100]
        assert await charge_of(shop, at=now + HOUR, organization_id=shop.other_id) == 100

    async def test_are_for_nobody_of_the_organization_to_make(self) -> None:
        shop = await a_shop()
        async with unit_of_work() as session:
            member = await a_person(session, organization_id=shop.customer_id)
        with pytest.raises(OwnOrganization):
            await draft_prices(shop, 60, meant_for=For(Scope.CONTRACT, shop.customer_id), by=member)
        draft_id = await draft_prices(shop, 60, meant_for=For(Scope.CONTRACT, shop.customer_id))
        with pytest.raises(OwnOrganization):
            await publish_drafted(draft_id, by=member)

    async def test_need_an_exchange_rate_in_the_other_currency(self) -> None:
        shop = await a_shop(currency=Currency.CNY)
        with pytest.raises(BadRequest, match="CNY"):
            await draft_prices(shop, 60, meant_for=For(Scope.CONTRACT, shop.customer_id))
        assert await draft_prices(shop, 60, meant_for=For(Scope.CONTRACT, shop.customer_id), currency=Currency.CNY)

    async def test_do_not_begin_in_the_past(self) -> None:
        shop = await a_shop()
        with pytest.raises(BadRequest, match="past"):
            await draft_prices(shop, 60, meant_for=EVERYBODY, from_=clock.utc_now() - HOUR)


class TestRefuseOverlap:
    @pytest.mark.parametrize(
        ("hours", "is_refused"),
        [
            pytest.param((0, 1), False, id="over before the others begin"),
            pytest.param((2, 6), True, id="the others would begin in the middle"),
            pytest.param((2, None), True, id="and without an end"),
            pytest.param((4, 5), True, id="the others would come back"),
            pytest.param((4, 9), False, id="takes their place for the rest"),
            pytest.param((3, 9), False, id="takes their place altogether"),
            pytest.param((9, None), False, id="begins when they end"),
        ],
    )
    async def test_of_two_periods_one_holds_at_a_time(self, hours: tuple[int, int | None], *, is_refused: bool) -> None:
        shop, now = await a_shop(), clock.utc_now()
        await contracted(shop, 60, from_=now + 3 * HOUR, until=now + 9 * HOUR)
        begins, ends = hours
        meant_for = For(Scope.CONTRACT, shop.customer_id, ends_at=None if ends is None else now + ends * HOUR)
        if is_refused:
            with pytest.raises(PricesOverlap, match="Version 2"):
                await draft_prices(shop, 50, meant_for=meant_for, from_=now + begins * HOUR)
            return
        draft_id = await draft_prices(shop, 50, meant_for=meant_for, from_=now + begins * HOUR)
        assert await publish_drafted(draft_id) is not None

    async def test_another_customer_another_model_and_what_was_ended_do_not_matter(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        version_id = await contracted(shop, 60, from_=now + WEEK, until=now + 2 * WEEK)
        within: tuple[datetime, datetime] = (now + WEEK + HOUR, now + WEEK + 2 * HOUR)
        other = For(Scope.CONTRACT, shop.other_id, ends_at=within[1])
        assert await draft_prices(shop, 50, meant_for=other, from_=within[0])
        async with unit_of_work() as session:
            model_id = await put_model(session, name="another", context_window_tokens=10, output_tokens_max=5)
        same = For(Scope.CONTRACT, shop.customer_id, ends_at=within[1])
        another = Shop(model_id, shop.customer_id, shop.other_id)
        assert await draft_prices(another, 50, meant_for=same, from_=within[0])
        with pytest.raises(PricesOverlap):
            await draft_prices(shop, 50, meant_for=same, from_=within[0])
        await publish(
            await propose(Terms(TermsKind.END, version_id=version_id, effective_at=now + WEEK)), notice=timedelta(0)
        )
        assert await draft_prices(shop, 50, meant_for=same, from_=within[0])

    async def test_of_two_drafts_that_are_published_at_once_one_is_refused(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        meant_for = For(Scope.CONTRACT, shop.customer_id, ends_at=now + 2 * HOUR)
        first = await draft_prices(shop, 60, meant_for=meant_for)
        later = For(Scope.CONTRACT, shop.customer_id, ends_at=now + 3 * HOUR)
        second = await draft_prices(shop, 50, meant_for=later, from_=now + HOUR)
        # Whichever is first: the earlier one would be cut off, the later one takes its place for good, or is a rise.
        third = await draft_prices(
            shop, 40, meant_for=For(Scope.CONTRACT, shop.customer_id, ends_at=now + HOUR * 5 / 2)
        )
        outcomes = await asyncio.gather(*map(publish_drafted, (first, second, third)), return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, PricesOverlap | RiseTooSoon)]
        published = [one for one in outcomes if isinstance(one, int)]
        assert len(refused) + len(published) == 3, outcomes
        async with read_session() as session:
            versions = (await session.exec(select(PriceBookVersion).where(PriceBookVersion.scope == "contract"))).all()
        ordered = sorted(versions, key=lambda one: one.id or 0)
        assert len(ordered) == len(published)
        for number, one in enumerate(ordered):
            for after in ordered[number + 1 :]:
                assert one.ends_at is not None
                assert after.ends_at is not None
                assert after.effective_at >= one.effective_at
                assert after.ends_at >= one.ends_at


class TestNotice:
    async def test_a_rise_is_published_a_week_ahead_and_a_fall_at_once(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        rise = await draft_prices(shop, 101, meant_for=EVERYBODY, from_=now + timedelta(days=6))
        with pytest.raises(RiseTooSoon, match="7 days"):
            await publish_drafted(rise)
        assert await notices() == set()
        fall = await draft_prices(shop, 99, meant_for=EVERYBODY)
        assert await publish_drafted(fall) is not None
        assert await notices() == {(shop.customer_id, False), (shop.other_id, False)}
        assert await publish_drafted(await draft_prices(shop, 101, meant_for=EVERYBODY, from_=now + WEEK + HOUR))

    async def test_who_has_contracted_prices_does_not_care_about_the_list(self) -> None:
        shop, now = await a_shop(), clock.utc_now()
        await contracted(shop, 60)
        assert await notices() == {(shop.customer_id, False)}
        await publish_drafted(await draft_prices(shop, 101, meant_for=EVERYBODY, from_=now + WEEK + HOUR))
        assert await notices() == {(shop.customer_id, False), (shop.other_id, True)}

    async def test_a_dearer_plan_and_the_end_of_a_contract_are_rises(self) -> None:
        shop = await a_shop()
        await publish(await propose(Terms(TermsKind.RATIO, plan_name="dear", ratio_ppm=1_000_001)))
        assert await notices() == set()
        dear = Terms(TermsKind.PLAN, plan_name="dear", organization_id=shop.customer_id)
        with pytest.raises(RiseTooSoon):
            await publish(await propose(dear))
        version_id = await contracted(shop, 60)
        with pytest.raises(RiseTooSoon):
            await publish(await propose(Terms(TermsKind.END, version_id=version_id)))
        assert await publish(await propose(Terms(TermsKind.END, version_id=version_id)), notice=timedelta(0))
        assert await notices() == {(shop.customer_id, False), (shop.customer_id, True)}

    async def test_those_in_charge_of_money_get_one_mail_each(self, database_settings: Settings) -> None:
        shop = await a_shop()
        async with unit_of_work() as session:
            for role in OrganizationRole:
                await a_person(session, email=f"{role}@test.example", organization_id=shop.customer_id, role=role)
        await contracted(shop, 60)
        for _ in range(2):
            step = await tell_price_changes.JOB.look(database_settings)
            if step is not None:
                async with unit_of_work() as session:
                    await step(session, database_settings)
        told = await the_letters(LetterKind.PRICES_CHANGE)
        assert sorted(told) == ["administrator@test.example", "billing@test.example", "owner@test.example"]
        assert await notices() == set()


class TestExceeds:
    @pytest.mark.parametrize(
        ("other", "expected"),
        [
            pytest.param({}, (False, False), id="the same"),
            pytest.param({"ratio_ppm": 999_999}, (True, False), id="a ratio below 1"),
            pytest.param({"tiers": (RateTier(9, {TokenKind.INPUT: 4}),)}, (False, True), id="dearer in a tier only"),
            pytest.param(
                {"rates": {TokenKind.INPUT: 1, TokenKind.OUTPUT: 2, TokenKind.CACHE_READ: 2}},
                (False, True),
                id="dearer than the fall-back",
            ),
            pytest.param({"rates": {TokenKind.INPUT: 0, TokenKind.OUTPUT: 3}}, (True, True), id="both"),
        ],
    )
    def test_compares_every_use_exactly(self, other: dict[str, object], expected: tuple[bool, bool]) -> None:
        plain = {
            "price_version_id": 1, "model_id": "mdl_1", "currency": Currency.USD,
            "rates": {TokenKind.INPUT: 1, TokenKind.OUTPUT: 2},
        }  # fmt: skip
        one, another = PriceSheet(**plain), PriceSheet(**{**plain, **other})  # type: ignore[arg-type] # by name
        assert (one.exceeds(another), another.exceeds(one)) == expected
