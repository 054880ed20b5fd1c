"""What finance does with a transfer: whatever runs twice or at once, the balance grows once. On both databases."""

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlmodel import select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.ledger.models import Transaction, TransactionKind
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Nanos
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.service import add_member
from onetoken_app.payments import approvals
from onetoken_app.payments.errors import AmountDiffers, ApproverInvolved, BankEntryDiffers, BankEntryUsed, OrderChanged
from onetoken_app.payments.models import OrderState, TransferRefusal
from onetoken_app.payments.queries import reported_orders
from tests.payments.orders import (
    AMOUNT,
    LIMIT,
    MAIL_ROOM,
    a_cast,
    an_order_in,
    approve,
    place,
    refuse,
    report,
    the_balance,
    the_order,
)

pytestmark = pytest.mark.usefixtures("database")
MUCH: Nanos = LIMIT + AMOUNT


def conflicts_in(results: Sequence[object]) -> int:
    """Count the conflicts; nothing else may have gone wrong."""
    failures = [result for result in results if isinstance(result, BaseException)]
    assert all(type(failure) in {Conflict, OrderChanged} for failure in failures), failures
    return len(failures)


async def top_up_count() -> int:
    """Count the top-ups in the ledger, and see that it adds up."""
    async with read_session() as session:
        query = select(sa.func.count()).select_from(Transaction).where(Transaction.kind == TransactionKind.TOP_UP)
        count: int = (await session.exec(query)).one()
    async with read_session() as session:
        assert (await verify(session)).is_ok
    return count


class TestApprove:
    async def test_credits_the_balance_and_says_so_by_mail(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        assert await approve(cast, order_id)
        order = await the_order(order_id)
        assert (order.state, order.approved_by, order.bank_entry) == (
            OrderState.CREDITED,
            (cast.finance_id,),
            "ENTRY-1",
        )
        assert (await the_balance(cast)).available_nanos == AMOUNT
        assert await top_up_count() == 1
        async with read_session() as session:
            kinds = list(await session.exec(select(OutboxLetter.kind)))
            assert await reported_orders(session) == []
        assert kinds.count(LetterKind.PAYMENT_NEWS) == 1

    async def test_twice_counts_once(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        seen = (await the_order(order_id)).revision
        both = [
            approve(cast, order_id, approved_by=one, expected_revision=seen)
            for one in (cast.finance_id, cast.finance_id, cast.colleague_id)
        ]
        assert conflicts_in(await asyncio.gather(*both, return_exceptions=True)) == 2
        with pytest.raises(Conflict):
            await approve(cast, order_id, approved_by=cast.colleague_id)
        assert (await the_balance(cast)).posted_nanos == AMOUNT
        assert await top_up_count() == 1

    async def test_an_approval_and_a_refusal_at_once_are_one_of_them(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        results = await asyncio.gather(approve(cast, order_id), refuse(cast, order_id), return_exceptions=True)
        assert conflicts_in(results) == 1
        is_credited = (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).posted_nanos == (AMOUNT if is_credited else 0)

    async def test_who_ordered_cannot_even_when_they_left_the_organization(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        async with unit_of_work() as session:
            await (await session.connection()).execute(sa.text("DELETE FROM organizations_membership"))
        with pytest.raises(ApproverInvolved):
            await approve(cast, order_id, approved_by=cast.payer_id)
        assert await top_up_count() == 0

    async def test_a_member_of_the_organization_cannot(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=cast.organization_id,
                person_id=cast.finance_id,
                role=OrganizationRole.VIEWER,
            )
        with pytest.raises(ApproverInvolved):
            await approve(cast, order_id)

    @pytest.mark.parametrize("received_nanos", [AMOUNT - 1, AMOUNT + 1, 0, -AMOUNT, 2**70])
    async def test_another_amount_credits_nothing(self, received_nanos: Nanos) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        with pytest.raises(AmountDiffers):
            await approve(cast, order_id, received_nanos=received_nanos)
        assert (await the_order(order_id)).state is OrderState.REPORTED
        assert await top_up_count() == 0

    async def test_one_entry_of_the_bank_pays_for_one_order(self) -> None:
        cast, order_id = await an_order_in(OrderState.CREDITED)
        second = await place(cast, submission_id="form-0002")
        await report(cast, second)
        with pytest.raises(BankEntryUsed):
            await approve(cast, second)
        assert await approve(cast, second, bank_entry="ENTRY-2")
        assert order_id != second
        assert await top_up_count() == 2

    async def test_one_entry_for_two_orders_at_once_credits_one(self) -> None:
        cast, first = await an_order_in(OrderState.REPORTED)
        second = await place(cast, submission_id="form-0002")
        await report(cast, second)
        results = await asyncio.gather(approve(cast, first), approve(cast, second), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        assert len(failures) == 1
        assert isinstance(failures[0], Conflict)
        assert await top_up_count() == 1

    @pytest.mark.parametrize(
        "spelling",
        [
            pytest.param("entry-1", id="in other letters"),
            pytest.param(" EN TRY\u00a0-\u30001 ", id="with spaces of all kinds"),
            pytest.param("ENTRY\u20111", id="with a hyphen that does not break"),
            pytest.param("ENTRY\u20131", id="with a dash"),
            pytest.param("ENTRY\u22121", id="with a minus sign"),
            pytest.param("\uff25\uff2e\uff34\uff32\uff39\uff0d\uff11", id="in full width"),
        ],
    )
    async def test_one_entry_pays_for_one_order_however_it_is_spelt(self, spelling: str) -> None:
        cast, _ = await an_order_in(OrderState.CREDITED)
        second = await place(cast, submission_id="form-0002")
        await report(cast, second)
        with pytest.raises(BankEntryUsed):
            await approve(cast, second, bank_entry=spelling)
        assert await top_up_count() == 1

    async def test_an_entry_is_shown_as_it_was_typed(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        await approve(cast, order_id, bank_entry=" Entry \u2013  7 ")
        assert (await the_order(order_id)).bank_entry == "Entry \u2013 7"

    @pytest.mark.parametrize("bank_entry", ["", "  ", "\u3000\u00a0", "x" * 65, "a\x00b", "a\u200bb", "\ufdfa" * 5])
    async def test_an_entry_that_cannot_be_used_is_refused(self, bank_entry: str) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        with pytest.raises(BadRequest):
            await approve(cast, order_id, bank_entry=bank_entry)

    @pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.REFUSED, OrderState.CANCELLED])
    async def test_what_is_not_reported_is_not_approved(self, state: OrderState) -> None:
        cast, order_id = await an_order_in(state)
        with pytest.raises(OrderChanged):
            await approve(cast, order_id)
        assert await top_up_count() == 0

    async def test_an_unknown_order_is_not_found(self) -> None:
        cast = await a_cast()
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await approvals.approve_transfer(
                    session,
                    order_id="ord_x",
                    approved_by=cast.finance_id,
                    expected_revision=1,
                    received_nanos=AMOUNT,
                    bank_entry="ENTRY-1",
                    second_person_above_nanos=LIMIT,
                    mail_room=MAIL_ROOM,
                )


class TestSecondPerson:
    async def test_above_the_limit_a_colleague_has_to_approve_too(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=MUCH)
        assert not await approve(cast, order_id)
        assert (await the_balance(cast)).posted_nanos == 0
        assert (await the_order(order_id)).approved_by == (cast.finance_id,)
        assert await approve(cast, order_id, approved_by=cast.colleague_id)
        assert (await the_balance(cast)).posted_nanos == MUCH
        assert await top_up_count() == 1

    async def test_at_the_limit_one_suffices(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=LIMIT)
        assert await approve(cast, order_id)

    async def test_nobody_is_two_people(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=MUCH)
        await approve(cast, order_id)
        with pytest.raises(ApproverInvolved):
            await approve(cast, order_id)
        assert await top_up_count() == 0

    async def test_two_at_once_do_not_count_as_one_after_the_other(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=MUCH)
        seen = (await the_order(order_id)).revision
        both = [
            approve(cast, order_id, approved_by=one, expected_revision=seen)
            for one in (cast.finance_id, cast.colleague_id)
        ]
        assert conflicts_in(await asyncio.gather(*both, return_exceptions=True)) == 1
        assert await top_up_count() == 0

    async def test_both_name_the_same_entry(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=MUCH)
        await approve(cast, order_id)
        with pytest.raises(BankEntryDiffers):
            await approve(cast, order_id, approved_by=cast.colleague_id, bank_entry="ENTRY-2")
        assert await approve(cast, order_id, approved_by=cast.colleague_id, bank_entry="entry \u2013 1")

    async def test_a_refusal_takes_the_first_approval_with_it(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED, amount_nanos=MUCH)
        await approve(cast, order_id)
        await refuse(cast, order_id)
        await report(cast, order_id, bank_reference="BANK-2")
        assert not await approve(cast, order_id, bank_entry="ENTRY-2")
        assert await top_up_count() == 0


class TestRefuse:
    async def test_says_why_to_the_customer(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        await refuse(cast, order_id, words="Nothing arrived\nuntil Monday.")
        order = await the_order(order_id)
        assert (order.state, order.refusal, order.words) == (
            OrderState.REFUSED,
            TransferRefusal.NOT_RECEIVED,
            "Nothing arrived\nuntil Monday.",
        )

    @pytest.mark.parametrize("words", ["", " \n", "x" * 1001, "a\x00b"])
    async def test_another_reason_needs_words_that_can_be_shown(self, words: str) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        with pytest.raises(BadRequest):
            await refuse(cast, order_id, reason=TransferRefusal.OTHER, words=words)
        assert (await the_order(order_id)).state is OrderState.REPORTED

    async def test_what_is_credited_is_not_refused(self) -> None:
        cast, order_id = await an_order_in(OrderState.CREDITED)
        with pytest.raises(Conflict):
            await refuse(cast, order_id)


class TestEvidence:
    @pytest.mark.parametrize(
        "statement", ["UPDATE payments_approval SET bank_entry = 'x'", "DELETE FROM payments_approval"]
    )
    async def test_the_database_refuses_to_change_an_approval(self, statement: str) -> None:
        await an_order_in(OrderState.CREDITED)
        with pytest.raises((sa.exc.DBAPIError, Conflict)):
            async with unit_of_work() as session:
                await (await session.connection()).execute(sa.text(statement))
