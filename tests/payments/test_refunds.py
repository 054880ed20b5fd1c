"""Unused credit goes back to whoever paid, decided by others than who asked, and once. On both databases."""

import asyncio

import pytest
from sqlmodel import select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.ledger import service as ledger
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.service import add_member
from onetoken_app.payments.errors import (
    AmountRefused,
    ApproverInvolved,
    BankEntryUsed,
    FormReused,
    RefundBlocked,
    RefundChanged,
    RefundTooMuch,
)
from onetoken_app.payments.models import OrderState, PaymentProvider, RefundRefusal, RefundStage
from onetoken_app.payments.refund_queries import ended_refunds, refunds_of, refunds_under_way
from onetoken_app.payments.refundable import Obstacle, obstacle, refundable_orders
from onetoken_app.verification.models import CaseState
from tests.payments.orders import AMOUNT, a_cast, an_order_in
from tests.payments.refunds import (
    LIMIT,
    a_paid_order,
    approve,
    ask,
    confirm,
    give_up,
    moved,
    refuse,
    spend,
    stage_of,
    the_refund,
    withdraw,
)
from tests.support.builders import a_suspension

pytestmark = pytest.mark.usefixtures("database")
BANK = PaymentProvider.BANK_TRANSFER


async def letters() -> list[LetterKind]:
    """Return the kinds of the mails that were posted."""
    async with read_session() as session:
        return [LetterKind(kind) for kind in await session.exec(select(OutboxLetter.kind))]


class TestAsk:
    async def test_waits_for_finance_who_hear_of_it_and_leaves_the_balance_alone(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        assert await stage_of(refund_id) is RefundStage.REQUESTED
        assert await moved(cast) == (0, 0, AMOUNT)
        assert (await letters()).count(LetterKind.REFUND_WAITS) == 2  # one each of finance
        async with read_session() as session:
            assert [one.id for one in await refunds_of(session, cast.organization_id)] == [refund_id]
            assert [one.id for one in await refunds_under_way(session)] == [refund_id]

    async def test_the_same_form_twice_is_one_refund(self) -> None:
        cast, order_id = await a_paid_order()
        first = await ask(cast, order_id, submission_id="same-form")
        assert await ask(cast, order_id, submission_id="same-form") == first
        with pytest.raises(FormReused):
            await ask(cast, order_id, submission_id="same-form", amount_nanos=NANOS_PER_UNIT)

    async def test_of_another_organization_there_is_no_such_order(self) -> None:
        _cast, order_id = await a_paid_order()
        other = await a_cast()
        with pytest.raises(NotFound):
            await ask(other, order_id)

    async def test_no_more_than_what_no_refund_of_the_order_has(self) -> None:
        cast, order_id = await a_paid_order()
        await a_paid_order(cast=cast)  # the balance would have it
        await ask(cast, order_id, amount_nanos=AMOUNT - NANOS_PER_UNIT)
        with pytest.raises(RefundTooMuch) as refused:
            await ask(cast, order_id, amount_nanos=2 * NANOS_PER_UNIT)
        assert refused.value.metadata == {"refundable_nanos": NANOS_PER_UNIT}
        await ask(cast, order_id, amount_nanos=NANOS_PER_UNIT)

    async def test_used_credit_stays(self) -> None:
        cast, order_id = await a_paid_order()
        await spend(cast, AMOUNT - NANOS_PER_UNIT - 1)
        with pytest.raises(RefundTooMuch):
            await ask(cast, order_id, amount_nanos=NANOS_PER_UNIT + 10_000_000)
        async with read_session() as session:
            (left,) = await refundable_orders(session, cast.organization_id, not_invoiced_nanos=AMOUNT)
        assert left.refundable.amount_nanos == NANOS_PER_UNIT  # a bank pays whole cents
        await ask(cast, order_id, amount_nanos=NANOS_PER_UNIT)

    async def test_granted_credit_makes_no_money(self) -> None:
        cast, order_id = await a_paid_order()
        async with unit_of_work() as session:
            await ledger.grant_credit(
                session,
                owner_id=cast.organization_id,
                currency=Currency.USD,
                amount_nanos=AMOUNT,
                reference="test:grant",
            )
        with pytest.raises(RefundTooMuch):
            await ask(cast, order_id, amount_nanos=AMOUNT + NANOS_PER_UNIT)

    @pytest.mark.parametrize("amount_nanos", [0, -NANOS_PER_UNIT, 1, True])
    async def test_an_amount_that_nobody_can_pay_is_refused(self, amount_nanos: int) -> None:
        cast, order_id = await a_paid_order()
        with pytest.raises(AmountRefused):
            await ask(cast, order_id, amount_nanos=amount_nanos)

    async def test_an_order_that_is_not_credited_has_nothing_to_refund(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        with pytest.raises(RefundChanged):
            await ask(cast, order_id)


class TestBlocked:
    async def test_while_suspended_neither_asked_nor_approved(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        async with unit_of_work() as session:
            await a_suspension(session, cast.organization_id)
        with pytest.raises(RefundBlocked, match="suspended"):
            await ask(cast, order_id)
        with pytest.raises(RefundBlocked, match="suspended"):
            await approve(cast, refund_id)
        assert await stage_of(refund_id) is RefundStage.REQUESTED
        assert await moved(cast) == (0, 0, AMOUNT)

    async def test_while_frozen_neither_asked_nor_approved(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        async with unit_of_work() as session:
            await ledger.freeze_owner(session, owner_id=cast.organization_id, reference="test:freeze")
        for verb in (ask(cast, order_id), approve(cast, refund_id)):
            with pytest.raises(RefundBlocked, match="frozen"):
                await verb
        async with unit_of_work() as session:
            await ledger.unfreeze_owner(session, owner_id=cast.organization_id, reference="test:unfreeze")
        assert await approve(cast, refund_id)

    @pytest.mark.parametrize(
        ("state", "found"),
        [
            (CaseState.IN_REVIEW, Obstacle.CASE_OPEN),
            (CaseState.MORE_WANTED, Obstacle.CASE_OPEN),
            (CaseState.APPROVED, None),
        ],
    )
    async def test_while_it_is_verified_anew(
        self, state: CaseState, found: Obstacle | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast = await a_cast()

        async def as_reviewed(_session: object, _organization_id: str) -> CaseState:
            return state

        monkeypatch.setattr("onetoken_app.payments.refundable.case_state", as_reviewed)
        async with read_session() as session:
            assert await obstacle(session, cast.organization_id) is found


class TestApprove:
    async def test_takes_the_money_from_the_balance_at_once(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        assert await approve(cast, refund_id)
        assert await stage_of(refund_id) is RefundStage.HELD
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)
        assert (await letters()).count(LetterKind.PAYMENT_NEWS) == 2  # of the payment, and of the refund

    async def test_above_the_limit_needs_two_people(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        assert not await approve(cast, refund_id)
        assert await moved(cast) == (0, 0, AMOUNT)
        with pytest.raises(ApproverInvolved):
            await approve(cast, refund_id)
        assert await approve(cast, refund_id, approved_by=cast.colleague_id)
        assert (await the_refund(refund_id)).approved_by == (cast.finance_id, cast.colleague_id)
        assert await moved(cast) == (1, 0, 0)

    async def test_who_asked_ordered_or_belongs_to_the_organization_decides_nothing(self) -> None:
        cast, order_id = await a_paid_order()
        by_finance = await ask(cast, order_id, asked_by=cast.finance_id, organization_id=None)
        for verb in (approve(cast, by_finance), refuse(cast, by_finance)):
            with pytest.raises(ApproverInvolved):
                await verb
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=cast.organization_id,
                person_id=cast.colleague_id,
                role=OrganizationRole.VIEWER,
            )
        for who in (cast.colleague_id, cast.payer_id):
            with pytest.raises(ApproverInvolved):
                await approve(cast, by_finance, approved_by=who)
        assert await moved(cast) == (0, 0, AMOUNT)

    async def test_two_at_once_count_once(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        seen = (await the_refund(refund_id)).revision
        both = [
            approve(cast, refund_id, approved_by=one, expected_revision=seen)
            for one in (cast.finance_id, cast.colleague_id, cast.finance_id)
        ]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert results.count(True) == 1
        assert all(one is True or type(one) in {RefundChanged, Conflict} for one in results), results
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)

    async def test_two_refunds_of_the_last_credit_at_once_are_one(self) -> None:
        cast, order_id = await a_paid_order()
        _cast, other_id = await a_paid_order(cast=cast)
        asked = [await ask(cast, one) for one in (order_id, other_id)]
        await spend(cast, 2 * AMOUNT - LIMIT)
        results = await asyncio.gather(*[approve(cast, one) for one in asked], return_exceptions=True)
        assert [type(one) for one in results if one is not True] == [RefundTooMuch]
        assert await moved(cast) == (1, 0, 0)

    async def test_a_balance_that_was_spent_meanwhile_is_a_clear_refusal_and_nothing_is_lost(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        assert not await approve(cast, refund_id)
        before = await the_refund(refund_id)
        await spend(cast, NANOS_PER_UNIT)
        with pytest.raises(RefundTooMuch) as refused:
            await approve(cast, refund_id, approved_by=cast.colleague_id)
        assert refused.value.metadata == {"refundable_nanos": AMOUNT - NANOS_PER_UNIT}
        assert await the_refund(refund_id) == before
        assert await moved(cast) == (0, 0, AMOUNT - NANOS_PER_UNIT)

    async def test_what_is_invoiced_meanwhile_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)

        async def invoiced(*_session: object, **_whose: object) -> int:
            return LIMIT - 1

        monkeypatch.setattr("tests.payments.refunds.not_invoiced", invoiced)
        with pytest.raises(RefundTooMuch):
            await approve(cast, refund_id)


class TestRefuse:
    async def test_says_why_and_the_order_can_be_asked_for_again(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        await refuse(cast, refund_id)
        refused = await the_refund(refund_id)
        assert (refused.stage, refused.refusal, refused.words) == (
            RefundStage.REFUSED,
            RefundRefusal.OTHER,
            "As agreed by phone.",
        )
        with pytest.raises(RefundChanged):
            await approve(cast, refund_id)
        assert await moved(cast) == (0, 0, AMOUNT)
        await ask(cast, order_id, amount_nanos=AMOUNT)


class TestWithdraw:
    async def test_is_the_end_and_the_order_can_be_asked_for_again(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        for _ in range(2):
            await withdraw(cast, refund_id)
        assert await stage_of(refund_id) is RefundStage.WITHDRAWN
        with pytest.raises(RefundChanged):
            await approve(cast, refund_id)
        assert await moved(cast) == (0, 0, AMOUNT)
        await ask(cast, order_id, amount_nanos=AMOUNT)

    async def test_is_too_late_once_one_of_two_approved(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        assert not await approve(cast, refund_id)
        with pytest.raises(RefundChanged):
            await withdraw(cast, refund_id)
        assert await stage_of(refund_id) is RefundStage.REQUESTED

    async def test_at_the_same_moment_as_an_approval_one_of_them_wins(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=NANOS_PER_UNIT)
        results = await asyncio.gather(
            approve(cast, refund_id, expected_revision=1), withdraw(cast, refund_id), return_exceptions=True
        )
        refused = [result for result in results if isinstance(result, Exception)]
        assert [type(error) for error in refused] == [RefundChanged]
        taken = 1 if await stage_of(refund_id) is RefundStage.HELD else 0
        assert await moved(cast) == (taken, 0, AMOUNT - taken * NANOS_PER_UNIT)

    async def test_is_for_the_organization_only(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id, amount_nanos=AMOUNT)
        other = await a_cast()
        with pytest.raises(NotFound):
            await withdraw(cast, refund_id, organization_id=other.organization_id)


class TestByHand:
    async def test_one_entry_of_the_bank_statement_pays_one_refund(self) -> None:
        cast, order_id = await a_paid_order(provider=BANK)
        first, second = [await ask(cast, order_id, amount_nanos=NANOS_PER_UNIT) for _ in range(2)]
        for one in (first, second):
            assert await approve(cast, one)
        await confirm(cast, first, bank_entry="OUT 7-A")
        with pytest.raises(BankEntryUsed):
            await confirm(cast, second, bank_entry="out 7–a")
        with pytest.raises(RefundChanged):
            await confirm(cast, first, bank_entry="OUT 8")
        await confirm(cast, second, bank_entry="OUT 8")
        assert [await stage_of(one) for one in (first, second)] == [RefundStage.CONFIRMED] * 2
        assert await moved(cast) == (2, 0, AMOUNT - 2 * NANOS_PER_UNIT)
        async with read_session() as session:
            found = await ended_refunds(session, limit=1)
            assert [one.id for one in found] == [second]
            assert [one.id for one in await ended_refunds(session, limit=5, before=second)] == [first]

    async def test_what_cannot_be_transferred_comes_back_once_and_both_sides_hear_of_it(self) -> None:
        cast, order_id = await a_paid_order(provider=BANK)
        refund_id = await ask(cast, order_id)
        await approve(cast, refund_id)
        before = (await letters()).count(LetterKind.REFUND_WAITS)
        await give_up(cast, refund_id)
        with pytest.raises(RefundChanged):
            await give_up(cast, refund_id)
        assert (await the_refund(refund_id)).words == "The account is closed."
        assert await moved(cast) == (1, 1, AMOUNT)
        assert (await letters()).count(LetterKind.REFUND_WAITS) == before + 2
        await ask(cast, order_id, amount_nanos=AMOUNT)  # it can be asked for again

    async def test_a_providers_refund_is_not_confirmed_by_people(self) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)
        with pytest.raises(RefundChanged):
            await confirm(cast, refund_id)  # not even approved
        await approve(cast, refund_id)
        for verb in (confirm(cast, refund_id), give_up(cast, refund_id)):
            with pytest.raises(RefundChanged):
                await verb
        with pytest.raises(BadRequest):
            await confirm(cast, refund_id, bank_entry=" ")
