"""Refunds, adjustments and reversals, on both databases: once per reference, never below what is there."""

import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.ledger import service
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.errors import (
    AlreadyReversed,
    InsufficientFunds,
    LedgerConflict,
    NoSuchTransaction,
    NotReversible,
)
from onetoken_app.money import Currency
from tests.ledger.credit import USD, give_promotion, sell, the_lots, the_prepaid
from tests.ledger.desks import a_close, a_hold, do, rows, the_report


async def top_up(owner_id: str, amount_nanos: int, *, provider: str = "", reference: str = "top_up:1") -> None:
    async with unit_of_work() as session:
        await service.top_up(
            session,
            owner_id=owner_id,
            currency=USD,
            amount_nanos=amount_nanos,
            reference=reference,
            provider=provider,
        )


async def refund(owner_id: str, amount_nanos: int, *, provider: str = "", reference: str = "refund:1") -> None:
    async with unit_of_work() as session:
        await service.refund(
            session,
            owner_id=owner_id,
            currency=USD,
            amount_nanos=amount_nanos,
            reference=reference,
            provider=provider,
        )


async def return_refund(refund_reference: str = "refund:1", *, reference: str = "return:1") -> None:
    async with unit_of_work() as session:
        await service.return_refund(session, refund_reference=refund_reference, reference=reference)


async def reverse(reversed_reference: str, *, reference: str = "reversal:1") -> None:
    async with unit_of_work() as session:
        await service.reverse(session, reversed_reference=reversed_reference, reference=reference)


async def adjust(owner_id: str, amount_nanos: int, *, reference: str = "adjustment:1") -> None:
    async with unit_of_work() as session:
        await service.adjust(
            session, owner_id=owner_id, currency=USD, amount_nanos=amount_nanos, reference=reference
        )  # fmt: skip


async def an_owner_with_limit(limit_nanos: int) -> str:
    async with unit_of_work() as session:
        await service.open_account(session, owner_id="org_limit", currency=USD, floor_nanos=-limit_nanos)
    return "org_limit"


def clearing(desk: Desk) -> dict[str, int]:
    """Return what is posted to each provider's clearing account."""
    return dict(rows(desk, "SELECT lot_id, posted_nanos FROM ledger_account WHERE kind = 'clearing'"))


class TestTopUpAndRefund:
    async def test_each_provider_has_a_clearing_account(self, desk: Desk, owner_id: str) -> None:
        await top_up(owner_id, 70, provider="stripe")
        await top_up(owner_id, 5, reference="top_up:2")
        await refund(owner_id, 30, provider="stripe")
        assert clearing(desk) == {"stripe": -40, "": -5}
        assert await the_prepaid(owner_id) == (1_045, 0)
        assert (await the_report()).first_wrong_row is None

    async def test_a_repeat_through_another_provider_is_a_conflict(self, owner_id: str) -> None:
        await top_up(owner_id, 70, provider="stripe")
        await top_up(owner_id, 70, provider="stripe")
        with pytest.raises(LedgerConflict):
            await top_up(owner_id, 70, provider="alipay")
        assert await the_prepaid(owner_id) == (1_070, 0)

    @pytest.mark.parametrize("provider", ["Stripe", "a provider", "x" * 16])
    async def test_a_name_that_is_no_part_of_an_id_is_refused(self, owner_id: str, provider: str) -> None:
        with pytest.raises(ValueError, match="small letters"):
            await top_up(owner_id, 1, provider=provider)

    async def test_what_is_held_is_not_refunded(self, desk: Desk, owner_id: str) -> None:
        do(desk, a_hold(owner_id, 400))
        with pytest.raises(InsufficientFunds) as refusal:
            await refund(owner_id, 601)
        assert refusal.value.metadata == {"available_nanos": 600}
        await refund(owner_id, 600)
        assert await the_prepaid(owner_id) == (400, 400)

    @pytest.mark.usefixtures("database")
    async def test_a_credit_limit_is_not_refunded(self) -> None:
        owner_id = await an_owner_with_limit(100)
        with pytest.raises(InsufficientFunds) as refusal:
            await refund(owner_id, 1)
        assert refusal.value.metadata == {"available_nanos": 0}

    async def test_lots_are_not_refunded(self, owner_id: str) -> None:
        await sell(owner_id, 1_000)
        with pytest.raises(InsufficientFunds):
            await refund(owner_id, 1)

    async def test_a_payout_that_failed_comes_back_once(self, desk: Desk, owner_id: str) -> None:
        await refund(owner_id, 30, provider="stripe")
        await return_refund()
        await return_refund()
        with pytest.raises(AlreadyReversed):
            await return_refund(reference="return:2")
        with pytest.raises(AlreadyReversed):
            await reverse("refund:1")
        assert (await the_prepaid(owner_id), clearing(desk)) == ((1_000, 0), {"stripe": 0})
        assert (await the_report()).first_wrong_row is None

    async def test_only_refunds_are_returned(self, owner_id: str) -> None:
        await top_up(owner_id, 5)
        with pytest.raises(NotReversible):
            await return_refund("top_up:1")
        with pytest.raises(NoSuchTransaction):
            await return_refund("refund:none")


class TestAdjust:
    async def test_gives_and_takes_once_per_reference(self, desk: Desk, owner_id: str) -> None:
        for _ in range(2):
            await adjust(owner_id, 30)
            await adjust(owner_id, -50, reference="adjustment:2")
        assert await the_prepaid(owner_id) == (980, 0)
        assert rows(desk, "SELECT posted_nanos FROM ledger_account WHERE kind = 'adjustments'")[0][0] == 20
        assert (await the_report()).first_wrong_row is None

    async def test_the_other_direction_under_the_reference_is_a_conflict(self, owner_id: str) -> None:
        await adjust(owner_id, 30)
        with pytest.raises(LedgerConflict):
            await adjust(owner_id, -30)

    @pytest.mark.usefixtures("database")
    async def test_takes_down_to_the_floor_and_no_further(self) -> None:
        owner_id = await an_owner_with_limit(100)
        with pytest.raises(InsufficientFunds):
            await adjust(owner_id, -101)
        await adjust(owner_id, -100)
        assert await the_prepaid(owner_id) == (-100, 0)

    async def test_nothing_is_no_adjustment(self, owner_id: str) -> None:
        with pytest.raises(ValueError, match="more than 0"):
            await adjust(owner_id, 0)


class TestReverse:
    async def test_undoes_a_transaction_once(self, owner_id: str) -> None:
        await top_up(owner_id, 70)
        await reverse("top_up:1")
        await reverse("top_up:1")
        with pytest.raises(AlreadyReversed):
            await reverse("top_up:1", reference="reversal:2")
        assert await the_prepaid(owner_id) == (1_000, 0)
        assert (await the_report()).first_wrong_row is None

    async def test_undoes_the_opening_of_lots(self, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        await sell(owner_id, 20)
        await reverse("promotion:1")
        await reverse("package:1", reference="reversal:2")
        assert (await the_lots(owner_id), await the_prepaid(owner_id)) == ({}, (1_000, 0))
        assert (await the_report()).first_wrong_row is None

    async def test_what_is_used_is_not_taken_back(self, desk: Desk, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        hold = a_hold(owner_id, 1)
        answer(desk, [hold, a_close(hold.request_id, 1)])
        with pytest.raises(InsufficientFunds) as refusal:
            await reverse("promotion:1")
        assert refusal.value.metadata == {"available_nanos": 9}
        assert await the_lots(owner_id) == {"promotion:1": (9, 0)}

    async def test_closes_reversals_and_terms_stay(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 1)
        answer(desk, [hold, a_close(hold.request_id, 1)])
        await top_up(owner_id, 5)
        await reverse("top_up:1")
        async with unit_of_work() as session:
            await service.freeze_owner(session, owner_id=owner_id, reference="freeze:1")
        for reference in (hold.request_id, "reversal:1", "freeze:1"):
            with pytest.raises(NotReversible):
                await reverse(reference, reference="reversal:2")

    async def test_a_reference_that_is_taken_is_a_conflict(self, owner_id: str) -> None:
        await top_up(owner_id, 5)
        with pytest.raises(LedgerConflict):
            await reverse("top_up:1", reference="top_up:1")

    async def test_is_found_in_any_currency(self, owner_id: str) -> None:
        async with unit_of_work() as session:
            cny = Currency.CNY
            await service.open_account(session, owner_id=owner_id, currency=cny)
            await service.grant_credit(session, owner_id=owner_id, currency=cny, amount_nanos=5, reference="cny")
        await reverse("cny")
        assert (await the_report()).first_wrong_row is None
