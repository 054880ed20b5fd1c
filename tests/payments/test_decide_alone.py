"""What one person of finance decides alone: one sum over transfers, refunds, grants and adjustments."""

import asyncio
from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.credit.models import GrantState
from onetoken_app.database import unit_of_work
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.alone import Decision, decide_alone, decided_alone
from onetoken_app.payments.alone_models import AloneKind
from onetoken_app.payments.errors import ApproverInvolved
from onetoken_app.payments.models import PaymentProvider
from tests.credit import desk as credit_desk
from tests.payments import refunds
from tests.payments.orders import Cast, a_cast, approve, place, report
from tests.payments.test_adjustments import a_form, make, propose

pytestmark = pytest.mark.usefixtures("database")
UNIT = NANOS_PER_UNIT


async def a_reported_transfer(cast: Cast, units: int) -> str:
    """Make an order whose transfer is reported."""
    order_id = await place(cast, amount_nanos=units * UNIT, submission_id=f"transfer-{units:05}")
    await report(cast, order_id)
    return order_id


async def decide(
    person_id: str, units: int, *, subject: str, currency: Currency = Currency.USD, kind: AloneKind = AloneKind.GRANT
) -> bool:
    """Decide something alone, up to 100 units."""
    async with unit_of_work() as session:
        decision = Decision(person_id, kind, subject, currency, units * UNIT)
        return await decide_alone(session, decision, above_nanos=100 * UNIT)


class TestOneSum:
    async def test_a_transfer_that_one_person_approved_counts_against_their_refunds(self) -> None:
        cast, order_id = await refunds.a_paid_order(provider=PaymentProvider.STRIPE)
        assert await approve(cast, await a_reported_transfer(cast, 1))
        refund_id = await refunds.ask(cast, order_id, amount_nanos=refunds.LIMIT)
        assert not await refunds.approve(cast, refund_id)
        assert await refunds.approve(cast, refund_id, approved_by=cast.colleague_id)

    async def test_refunds_in_small_steps_need_a_colleague(self) -> None:
        cast, order_id = await refunds.a_paid_order(provider=PaymentProvider.STRIPE)
        first, second = [await refunds.ask(cast, order_id, amount_nanos=300 * UNIT) for _ in range(2)]
        assert await refunds.approve(cast, first)
        assert not await refunds.approve(cast, second)
        assert await refunds.approve(cast, second, approved_by=cast.colleague_id)

    async def test_transfers_in_small_steps_need_a_colleague(self) -> None:
        cast = await a_cast()
        first, second = [await a_reported_transfer(cast, units) for units in (6_000, 4_001)]
        assert await approve(cast, first, bank_entry="IN-1")
        assert not await approve(cast, second, bank_entry="IN-2")
        assert await approve(cast, second, bank_entry="IN-2", approved_by=cast.colleague_id)

    async def test_a_grant_counts_against_adjustments_and_the_other_way_about(self) -> None:
        cast = await a_cast()
        _, state = await credit_desk.propose(cast.organization_id, cast.finance_id, 60 * UNIT)
        assert state is GrantState.GRANTED
        adjustment_id = await propose(cast, a_form(cast, 41))
        with pytest.raises(ApproverInvolved):
            await make(cast, adjustment_id)
        small = await propose(cast, a_form(cast, 40, submission_id="form-0002"))
        await make(cast, small)
        _, state = await credit_desk.propose(cast.organization_id, cast.finance_id, UNIT, form="form-0002")
        assert state is GrantState.PROPOSED

    async def test_what_a_colleague_shared_counts_for_nobody(self) -> None:
        cast = await a_cast()
        order_id = await a_reported_transfer(cast, 10_001)
        assert not await approve(cast, order_id)
        assert await approve(cast, order_id, approved_by=cast.colleague_id)
        async with unit_of_work() as session:
            for person_id in (cast.finance_id, cast.colleague_id):
                assert await decided_alone(session, person_id=person_id, currency=Currency.USD) == 0


class TestDecideAlone:
    async def test_counts_for_24_hours_per_person_and_currency(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cast = await a_cast()
        assert await decide(cast.finance_id, 100, subject="a")
        assert not await decide(cast.finance_id, 1, subject="b")
        assert await decide(cast.finance_id, 100, subject="c", currency=Currency.CNY)
        assert await decide(cast.colleague_id, 100, subject="d")
        began = clock.utc_now()
        monkeypatch.setattr(clock, "utc_now", lambda: began + timedelta(hours=23, minutes=59))
        assert not await decide(cast.finance_id, 1, subject="b")
        monkeypatch.setattr(clock, "utc_now", lambda: began + timedelta(hours=24, seconds=1))
        assert await decide(cast.finance_id, 100, subject="b")

    async def test_two_at_once_stay_within_the_limit(self) -> None:
        cast = await a_cast()
        results = await asyncio.gather(
            *(decide(cast.finance_id, 60, subject=f"at-once-{number}", kind=kind)
              for number, kind in enumerate(AloneKind))
        )  # fmt: skip
        assert sorted(results) == [False, False, False, False, True]
