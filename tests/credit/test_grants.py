"""Promotional and trial credit that finance gives, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.credit.errors import (
    AmountRefused,
    CreditBlocked,
    FormUsed,
    GrantChanged,
    StaffInvolved,
    TrialGiven,
)
from onetoken_app.credit.models import Grant, GrantKind, GrantState
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.ledger.kinds import AccountKind
from onetoken_app.notifications.models import LetterKind
from onetoken_app.organizations.models import Organization
from onetoken_app.usage.periods import period_of_days
from tests.credit.desk import (
    ABOVE,
    UNIT,
    a_customer,
    a_week_from_now,
    approve,
    finance,
    freeze,
    propose,
    refuse,
    the_actions,
    the_balance,
    the_letters,
    the_lots,
)

pytestmark = pytest.mark.usefixtures("database")
TRIAL = GrantKind.TRIAL


class TestProposeGrant:
    async def test_a_small_one_is_given_at_once(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, state = await propose(customer, clerk, ABOVE)
        assert state is GrantState.GRANTED
        (lot,) = await the_lots(customer)
        last_day = a_week_from_now()
        assert (lot.kind, lot.lot_id, lot.posted_nanos) == (AccountKind.PROMOTIONAL, f"grant:{grant_id}", ABOVE)
        assert lot.expires_at == period_of_days(last_day, last_day, time_zone="Asia/Shanghai").until
        assert (await the_balance(customer)).posted_nanos == 0
        assert await the_letters(LetterKind.CREDIT_NEWS) == [f"owner@{customer}.example"]
        assert await the_actions() == ["grant_proposed"]

    async def test_a_large_one_waits_for_a_colleague(self) -> None:
        customer, clerk, colleague = await a_customer(), await finance(), await finance()
        grant_id, state = await propose(customer, clerk, ABOVE + UNIT // 100)
        assert (state, await the_lots(customer)) == (GrantState.PROPOSED, [])
        assert len(await the_letters(LetterKind.GRANT_WAITS)) == 2
        await approve(grant_id, colleague)
        (lot,) = await the_lots(customer)
        assert lot.posted_nanos == ABOVE + UNIT // 100
        with pytest.raises(GrantChanged):
            await approve(grant_id, colleague)
        assert await the_actions() == ["grant_proposed", "grant_approved"]

    async def test_many_small_ones_of_a_day_wait_like_a_large_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clerk, customers = await finance(), [await a_customer() for _ in range(5)]
        forms = [
            propose(one, clerk, ABOVE * 3 // 10, form=f"form-split-{number}") for number, one in enumerate(customers)
        ]
        states = [state for _, state in await asyncio.gather(*forms)]
        assert (states.count(GrantState.GRANTED), states.count(GrantState.PROPOSED)) == (3, 2)
        assert (await propose(customers[0], await finance(), ABOVE))[1] is GrantState.GRANTED
        tomorrow = clock.utc_now() + timedelta(days=1, seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: tomorrow)
        assert (await propose(customers[1], clerk, ABOVE))[1] is GrantState.GRANTED

    async def test_the_same_form_gives_once(self) -> None:
        customer, clerk = await a_customer(), await finance()
        first = await propose(customer, clerk)
        assert await propose(customer, clerk) == first
        with pytest.raises(FormUsed):
            await propose(customer, clerk, 11 * UNIT)
        with pytest.raises(FormUsed):
            await propose(customer, clerk, reason="For the outage of Tuesday.")
        with pytest.raises(FormUsed):
            await propose(customer, clerk, last_day=a_week_from_now() + timedelta(days=1))
        with pytest.raises(FormUsed):
            await propose(customer, clerk, form="short")
        assert [lot.posted_nanos for lot in await the_lots(customer)] == [10 * UNIT]

    async def test_a_trial_is_given_once_however_many_ask_at_once(self) -> None:
        customer, clerk = await a_customer(), await finance()
        outcomes = await asyncio.gather(
            *(propose(customer, clerk, kind=TRIAL, form=f"form-000{number}") for number in range(4)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, TrialGiven | Conflict) for outcome in outcomes) == 3
        assert len(await the_lots(customer)) == 1

    async def test_a_refused_trial_may_be_proposed_again(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT, kind=TRIAL)
        with pytest.raises(TrialGiven):
            await propose(customer, clerk, kind=TRIAL, form="form-0002")
        await refuse(grant_id, clerk)
        assert (await propose(customer, clerk, kind=TRIAL, form="form-0003"))[1] is GrantState.GRANTED

    @pytest.mark.parametrize("amount_nanos", [0, -UNIT, 1, 10_000_001 * UNIT, True])
    async def test_what_is_no_amount_is_refused(self, amount_nanos: int) -> None:
        customer, clerk = await a_customer(), await finance()
        with pytest.raises(AmountRefused):
            await propose(customer, clerk, amount_nanos)

    async def test_no_reason_and_a_day_that_is_over_are_refused(self) -> None:
        customer, clerk = await a_customer(), await finance()
        with pytest.raises(BadRequest):
            await propose(customer, clerk, reason=" ")
        for days in (-8, 5_000):
            with pytest.raises(BadRequest):
                await propose(customer, clerk, last_day=a_week_from_now() + timedelta(days=days))
        assert await the_lots(customer) == []

    async def test_nobody_gives_to_their_own_organization(self) -> None:
        customer = await a_customer()
        member = await finance(organization_id=customer)
        with pytest.raises(StaffInvolved):
            await propose(customer, member)
        grant_id, _ = await propose(customer, await finance(), ABOVE + UNIT)
        for decide in (approve, refuse):
            with pytest.raises(StaffInvolved):
                await decide(grant_id, member)

    async def test_nothing_is_given_to_whoever_may_not_call(self) -> None:
        clerk = await finance()
        with pytest.raises(CreditBlocked):
            await propose(await a_customer(is_verified=False), clerk)
        with pytest.raises(NotFound):
            await propose("org_none", clerk)
        frozen = await a_customer()
        await freeze(frozen, clerk)
        with pytest.raises(CreditBlocked):
            await propose(frozen, clerk)


async def suspend(organization_id: str) -> None:
    async with unit_of_work() as session:
        customer = await session.get(Organization, organization_id)
        assert customer is not None
        customer.suspended_at = clock.utc_now()
        session.add(customer)


async def let_it_expire(grant_id: str) -> None:
    async with unit_of_work() as session:
        grant = await session.get(Grant, grant_id)
        assert grant is not None
        grant.expires_at = clock.utc_now()
        session.add(grant)


class TestApproveGrant:
    async def test_whoever_proposed_it_does_not_approve_it(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        with pytest.raises(StaffInvolved):
            await approve(grant_id, clerk)
        assert await the_lots(customer) == []

    async def test_two_at_once_give_once(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        colleagues = [await finance() for _ in range(3)]
        outcomes = await asyncio.gather(*(approve(grant_id, one) for one in colleagues), return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 1
        assert sum(isinstance(outcome, GrantChanged) for outcome in outcomes) == 2
        assert [lot.posted_nanos for lot in await the_lots(customer)] == [ABOVE + UNIT]

    async def test_an_organization_that_was_suspended_meanwhile_gets_nothing(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        await suspend(customer)
        with pytest.raises(CreditBlocked):
            await approve(grant_id, await finance())
        assert await the_lots(customer) == []

    async def test_what_would_be_over_by_now_is_not_given(self) -> None:
        customer, clerk = await a_customer(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        await let_it_expire(grant_id)
        with pytest.raises(GrantChanged):
            await approve(grant_id, await finance())
        assert await the_lots(customer) == []

    async def test_one_that_is_not_there_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            await approve("grt_none", await finance())


class TestRefuseGrant:
    async def test_nothing_is_given_then(self) -> None:
        customer, clerk, colleague = await a_customer(), await finance(), await finance()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        await refuse(grant_id, colleague)
        with pytest.raises(GrantChanged):
            await approve(grant_id, colleague)
        assert await the_lots(customer) == []
        assert await the_actions() == ["grant_proposed", "grant_refused"]
