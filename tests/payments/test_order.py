"""What a customer does with an order, on both databases."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.payments import queries
from onetoken_app.payments.errors import AmountRefused, NotVerified, OrderExpired
from onetoken_app.payments.models import OrderState
from onetoken_app.payments.orders import OPEN_ORDERS_MAX
from onetoken_app.payments.statement import current_statement
from tests.payments.orders import AMOUNT, a_cast, an_order_in, cancel, place, report, the_balance, the_order

pytestmark = pytest.mark.usefixtures("database")


class TestPlace:
    async def test_keeps_what_was_consented_to_and_gives_a_reference(self) -> None:
        cast = await a_cast()
        order = await the_order(await place(cast))
        assert (order.state, order.amount_nanos, order.organization_name) == (OrderState.OPEN, AMOUNT, "Test Ltd")
        assert order.reference_code.startswith("OT-")
        assert order.expires_at - order.ordered_at == timedelta(days=30)
        assert (await the_balance(cast)).posted_nanos == 0

    async def test_a_double_submit_is_one_order(self) -> None:
        cast = await a_cast()
        results = await asyncio.gather(*[place(cast) for _ in range(3)], return_exceptions=True)
        ids = {result for result in results if isinstance(result, str)}
        assert len(ids) == 1
        assert all(isinstance(result, str | Conflict) for result in results)
        async with read_session() as session:
            assert len(await queries.orders_of(session, cast.organization_id)) == 1

    async def test_another_amount_in_the_same_form_is_a_conflict(self) -> None:
        cast = await a_cast()
        await place(cast)
        with pytest.raises(Conflict):
            await place(cast, amount_nanos=2 * AMOUNT)

    async def test_the_same_form_id_of_another_organization_is_another_order(self) -> None:
        assert await place(await a_cast()) != await place(await a_cast())

    @pytest.mark.parametrize("amount", [0, -AMOUNT, AMOUNT + 1, 10**18, 2**64, 1.5e12])
    async def test_an_amount_that_is_none_is_refused(self, amount: int) -> None:
        cast = await a_cast()
        with pytest.raises(AmountRefused):
            await place(cast, amount_nanos=amount)

    async def test_an_organization_that_is_not_verified_does_not_top_up(self) -> None:
        cast = await a_cast(is_verified=False)
        with pytest.raises(NotVerified):
            await place(cast)

    async def test_a_statement_that_is_no_longer_in_force_is_not_consented_to(self) -> None:
        cast = await a_cast()
        with pytest.raises(Conflict):
            await place(cast, statement=replace(current_statement("en"), sha256="0" * 64))

    @pytest.mark.parametrize("submission_id", ["", "short", "x" * 65, "with space", "ünïcode-form"])
    async def test_a_form_without_an_id_is_refused(self, submission_id: str) -> None:
        cast = await a_cast()
        with pytest.raises(BadRequest):
            await place(cast, submission_id=submission_id)

    async def test_so_many_are_under_way_and_no_more(self) -> None:
        cast = await a_cast()
        ids = [await place(cast, submission_id=f"form-{number:04}") for number in range(OPEN_ORDERS_MAX)]
        with pytest.raises(Conflict):
            await place(cast, submission_id="form-more")
        await cancel(cast, ids[0])
        assert await place(cast, submission_id="form-more")


class TestReport:
    async def test_puts_it_before_finance(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        async with read_session() as session:
            (order,) = await queries.reported_orders(session)
        assert (order.id, order.bank_reference, order.reported_by) == (order_id, "BANK-1", cast.payer_id)

    async def test_the_same_report_twice_is_one(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        seen = await the_order(order_id)
        await asyncio.gather(report(cast, order_id), report(cast, order_id))
        assert await the_order(order_id) == seen

    async def test_another_report_is_a_conflict(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        with pytest.raises(Conflict):
            await report(cast, order_id, bank_reference="BANK-2")

    @pytest.mark.parametrize("state", [OrderState.CREDITED, OrderState.CANCELLED])
    async def test_an_order_that_is_over_is_a_conflict(self, state: OrderState) -> None:
        cast, order_id = await an_order_in(state)
        with pytest.raises(Conflict):
            await report(cast, order_id)
        assert (await the_order(order_id)).state is state

    async def test_after_a_refusal_it_may_be_reported_again(self) -> None:
        cast, order_id = await an_order_in(OrderState.REFUSED)
        await report(cast, order_id, bank_reference="BANK-2")
        order = await the_order(order_id)
        assert (order.state, order.bank_reference, order.approved_by) == (OrderState.REPORTED, "BANK-2", ())

    async def test_another_organizations_order_is_not_found(self) -> None:
        cast, order_id = await an_order_in(OrderState.OPEN)
        other = await a_cast()
        with pytest.raises(NotFound):
            await report(cast, order_id, organization_id=other.organization_id)
        with pytest.raises(NotFound):
            await cancel(other, order_id)
        async with read_session() as session:
            assert await queries.order(session, other.organization_id, order_id) is None
            assert await queries.orders_of(session, other.organization_id) == []

    async def test_an_order_that_expired_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cast, order_id = await an_order_in(OrderState.OPEN)
        later = (await the_order(order_id)).expires_at + timedelta(seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        assert (await the_order(order_id)).has_expired(later)
        with pytest.raises(OrderExpired):
            await report(cast, order_id)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"payer_name": ""}, id="nobody paid"),
            pytest.param({"payer_name": "x" * 201}, id="a long name"),
            pytest.param({"bank_reference": "a\x00b"}, id="a NUL"),
            pytest.param({"bank_reference": "x" * 65}, id="a long reference"),
        ],
    )
    async def test_what_cannot_be_used_is_refused(self, changes: dict[str, str]) -> None:
        cast, order_id = await an_order_in(OrderState.OPEN)
        with pytest.raises(BadRequest):
            await report(cast, order_id, paid_on=None, **changes)

    @pytest.mark.parametrize("paid_on", [date(1999, 1, 1), date(2999, 1, 1)])
    async def test_a_day_that_cannot_be_is_refused(self, paid_on: date) -> None:
        cast, order_id = await an_order_in(OrderState.OPEN)
        with pytest.raises(BadRequest):
            await report(cast, order_id, paid_on=paid_on)


class TestCancel:
    async def test_twice_is_fine(self) -> None:
        cast, order_id = await an_order_in(OrderState.CANCELLED)
        await cancel(cast, order_id)
        assert (await the_order(order_id)).state is OrderState.CANCELLED

    @pytest.mark.parametrize("state", [OrderState.REPORTED, OrderState.CREDITED])
    async def test_not_once_a_transfer_is_reported(self, state: OrderState) -> None:
        cast, order_id = await an_order_in(state)
        with pytest.raises(Conflict):
            await cancel(cast, order_id)


class TestReceipt:
    async def test_is_there_once_it_is_credited_and_for_its_organization_only(self) -> None:
        cast, order_id = await an_order_in(OrderState.CREDITED)
        other = await a_cast()
        async with read_session() as session:
            receipt = await queries.receipt_of(session, cast.organization_id, order_id)
            assert await queries.receipt_of(session, other.organization_id, order_id) is None
        assert receipt is not None
        assert (receipt.number, receipt.amount_nanos) == (order_id, 1_000 * NANOS_PER_UNIT)
        assert receipt.credited_at <= datetime.now(UTC)

    async def test_is_not_there_before(self) -> None:
        cast, order_id = await an_order_in(OrderState.REPORTED)
        async with read_session() as session:
            assert await queries.receipt_of(session, cast.organization_id, order_id) is None
