"""Ratios, organizations' plans, exchange rates and early ends: one proposes, another one publishes, once."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing import terms
from onetoken_app.pricing.errors import NothingChanges, OwnDraft, OwnOrganization
from onetoken_app.pricing.models import DraftState, PlanVersion, TermsDraft, TermsKind
from onetoken_app.pricing.terms import Terms
from tests.pricing.two_people import (
    COLLEAGUE,
    HOUR,
    MAKER,
    WEEK,
    Shop,
    a_shop,
    charge_of,
    contracted,
    propose,
    publish,
)
from tests.support.builders import a_person

pytestmark = pytest.mark.usefixtures("database")


def ratio(ppm: int, *, name: str = "partner") -> Terms:
    """What a plan multiplies by."""
    return Terms(TermsKind.RATIO, plan_name=name, ratio_ppm=ppm)


def rate(nanos: int) -> Terms:
    """What a dollar is sold at in renminbi."""
    return Terms(TermsKind.EXCHANGE, from_currency=Currency.USD, to_currency=Currency.CNY, rate_nanos=nanos)


async def given_plan(shop: Shop, ppm: int) -> None:
    """Give the customer a plan."""
    await publish(await propose(ratio(ppm)))
    await publish(await propose(Terms(TermsKind.PLAN, plan_name="partner", organization_id=shop.customer_id)))


class TestPublishTerms:
    async def test_a_plan_and_who_has_it_are_drafted_and_published_by_two(self) -> None:
        shop = await a_shop()
        async with read_session() as session:
            before = await policy_revision(session)
        ratio_id = await propose(ratio(500_000))
        async with read_session() as session:
            assert await policy_revision(session) == before
        await publish(ratio_id)
        plan_id = await propose(Terms(TermsKind.PLAN, plan_name="partner", organization_id=shop.customer_id))
        assert await charge_of(shop) == 100
        await publish(plan_id)
        assert (await charge_of(shop), await charge_of(shop, organization_id=shop.other_id)) == (50, 100)
        async with read_session() as session:
            entries = (await session.exec(select(AuditEntry).order_by(AuditEntry.sequence_number))).all()  # type: ignore[arg-type] # a column
        assert [(entry.action, entry.actor_id, entry.organization_id) for entry in entries] == [
            ("price_terms_draft_made", MAKER, None),
            ("price_terms_draft_published", COLLEAGUE, None),
            ("price_terms_draft_made", MAKER, shop.customer_id),
            ("price_terms_draft_published", COLLEAGUE, shop.customer_id),
        ]

    async def test_is_not_for_who_made_it_nor_for_members(self) -> None:
        shop = await a_shop()
        async with unit_of_work() as session:
            member = await a_person(session, organization_id=shop.customer_id)
        await publish(await propose(ratio(500_000)))
        wanted = Terms(TermsKind.PLAN, plan_name="partner", organization_id=shop.customer_id)
        with pytest.raises(OwnOrganization):
            await propose(wanted, by=member)
        draft_id = await propose(wanted)
        with pytest.raises(OwnDraft):
            await publish(draft_id, by=MAKER)
        with pytest.raises(OwnOrganization):
            await publish(draft_id, by=member)
        assert await charge_of(shop) == 100

    async def test_an_exchange_rate_is_in_force_from_its_moment_on(self) -> None:
        shop = await a_shop(currency=Currency.CNY)
        moment = clock.utc_now() + HOUR
        await publish(
            await propose(
                Terms(
                    TermsKind.EXCHANGE,
                    from_currency=Currency.USD,
                    to_currency=Currency.CNY,
                    rate_nanos=7_100_000_000,
                    effective_at=moment,
                )
            )
        )
        charges = [await charge_of(shop, at=at, currency=Currency.CNY) for at in (moment - HOUR / 2, moment)]
        assert charges == [None, 710]

    async def test_two_at_once_publish_one(self) -> None:
        await a_shop()
        draft_id = await propose(ratio(500_000))
        outcomes = await asyncio.gather(publish(draft_id), publish(draft_id, by="per_third"), return_exceptions=True)
        assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "int"]
        async with read_session() as session:
            assert len((await session.exec(select(PlanVersion))).all()) == 1

    async def test_what_was_discarded_is_published_by_nobody(self) -> None:
        await a_shop()
        draft_id = await propose(ratio(500_000))
        async with unit_of_work() as session:
            await terms.discard_terms(session, draft_id, discarded_by=MAKER)
        with pytest.raises(Conflict, match="discarded"):
            await publish(draft_id)
        async with read_session() as session:
            (draft,) = (await session.exec(select(TermsDraft))).all()
        assert (draft.state, draft.closed_by, draft.published_as) == (DraftState.DISCARDED, MAKER, None)

    async def test_a_moment_that_is_over_meanwhile_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        await a_shop()
        moment = clock.utc_now() + HOUR
        draft_id = await propose(Terms(TermsKind.RATIO, plan_name="partner", ratio_ppm=1, effective_at=moment))
        monkeypatch.setattr(clock, "utc_now", lambda: moment + HOUR)
        with pytest.raises(BadRequest, match="past"):
            await publish(draft_id)

    async def test_of_two_drafts_of_the_same_the_second_changes_nothing(self) -> None:
        await a_shop()
        first, second = await propose(rate(7_000_000_000)), await propose(rate(7_000_000_000))
        assert await publish(first) is not None
        assert await publish(second) is None


class TestProposeTerms:
    @pytest.mark.parametrize(
        "terms_",
        [
            pytest.param(ratio(0), id="a ratio of nothing"),
            pytest.param(ratio(-1), id="a negative ratio"),
            pytest.param(ratio(10**10), id="a huge ratio"),
            pytest.param(ratio(1, name=""), id="a plan without a name"),
            pytest.param(rate(0), id="a rate of nothing"),
            pytest.param(rate(10**15), id="a huge rate"),
            pytest.param(
                Terms(TermsKind.EXCHANGE, from_currency=Currency.USD, to_currency=Currency.USD, rate_nanos=1),
                id="a rate of one currency",
            ),
            pytest.param(Terms(TermsKind.EXCHANGE), id="nothing at all"),
        ],
    )
    async def test_refuses_what_could_not_be_published(self, terms_: Terms) -> None:
        with pytest.raises(BadRequest):
            await propose(terms_)

    async def test_refuses_the_past_and_what_is_not_there(self) -> None:
        shop = await a_shop()
        with pytest.raises(BadRequest, match="past"):
            await propose(
                Terms(TermsKind.RATIO, plan_name="x", ratio_ppm=1, effective_at=clock.utc_now() - timedelta(days=1))
            )
        with pytest.raises(NotFound, match="plan"):
            await propose(Terms(TermsKind.PLAN, plan_name="x", organization_id=shop.customer_id))
        with pytest.raises(NotFound, match="organization"):
            await propose(Terms(TermsKind.PLAN, organization_id="org_none"))
        with pytest.raises(NotFound, match="version"):
            await propose(Terms(TermsKind.END, version_id=99))

    async def test_refuses_what_is_so_already(self) -> None:
        shop = await a_shop()
        with pytest.raises(NothingChanges):
            await propose(Terms(TermsKind.PLAN, organization_id=shop.customer_id))


class TestEnds:
    async def test_contracted_prices_end_early_with_notice(self) -> None:
        shop = await a_shop()
        version_id = await contracted(shop, 60)
        moment = clock.utc_now() + WEEK + HOUR
        await publish(await propose(Terms(TermsKind.END, version_id=version_id, effective_at=moment)))
        assert [await charge_of(shop, at=at) for at in (moment - HOUR, moment)] == [60, 100]
        with pytest.raises(Conflict, match="ended"):
            await propose(Terms(TermsKind.END, version_id=version_id, effective_at=moment))

    async def test_what_ends_by_then_anyway_does_not_end_later(self) -> None:
        shop = await a_shop()
        until = clock.utc_now() + WEEK
        version_id = await contracted(shop, 60, until=until)
        with pytest.raises(BadRequest, match="anyway"):
            await propose(Terms(TermsKind.END, version_id=version_id, effective_at=until))
