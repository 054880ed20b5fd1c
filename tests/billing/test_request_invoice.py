"""What an organization can have invoiced: what it paid, once, never grants. On both databases."""

import asyncio

import pytest
from sqlmodel import select

from onetoken_app.audit.models import AuditEntry
from onetoken_app.billing.details import BuyerDetails
from onetoken_app.billing.errors import InvoiceChanged, InvoiceKindRefused, InvoiceTooLarge, OrderNotInvoiceable
from onetoken_app.billing.invoiceable import not_invoiced
from onetoken_app.billing.models import InvoiceKind, InvoiceState
from onetoken_app.billing.queries import invoiceable_orders, invoices_of, waiting_invoices
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.ledger import service as ledger
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.payments.errors import AmountRefused, FormReused, NotVerified
from tests.billing.invoices import (
    CODE_OF_MAINLAND,
    UNIT,
    a_customer,
    an_issued,
    ask,
    available_units,
    execute,
    issue,
    pay,
    refuse,
    reverse,
    standing,
    take,
    the_invoice,
    withdraw,
)

pytestmark = pytest.mark.usefixtures("database")


class TestRequest:
    async def test_takes_the_verified_name_and_code_and_tells_finance(self) -> None:
        customer = await a_customer(is_domestic=True, name="示例科技有限公司", paid_units=100)
        details = BuyerDetails(
            registered_address=" 1 Example Road ", phone="021", bank_name="Bank", bank_account="6222"
        )
        invoice_id = await ask(customer, units=60, kind=InvoiceKind.SPECIAL_FAPIAO, details=details)
        invoice = await the_invoice(invoice_id)
        assert (invoice.title, invoice.tax_id, invoice.state) == (
            "示例科技有限公司",
            CODE_OF_MAINLAND,
            InvoiceState.REQUESTED,
        )
        assert (invoice.registered_address, invoice.bank_account) == ("1 Example Road", "6222")
        assert (invoice.amount_nanos, invoice.delivery_email) == (60 * UNIT, "books@test.example")
        assert await available_units(customer) == 40
        async with read_session() as session:
            kinds = list(await session.exec(select(OutboxLetter.kind)))
            actions = list(await session.exec(select(AuditEntry.action).where(AuditEntry.subject_id == invoice_id)))
            assert [one.id for one in await waiting_invoices(session)] == [invoice_id]
        assert kinds.count(LetterKind.INVOICE_WAITS) == 2
        assert actions == ["invoice_requested"]

    async def test_a_later_name_changes_nothing_about_it(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await execute("UPDATE organizations_organization SET name = 'Other Ltd'")
        assert (await the_invoice(invoice_id)).title == "Test Ltd"

    async def test_grants_are_never_invoiced(self) -> None:
        customer = await a_customer()
        async with unit_of_work() as session:
            await ledger.grant_credit(
                session,
                owner_id=customer.organization_id,
                currency=customer.currency,
                amount_nanos=500 * UNIT,
                reference="gift",
            )
        assert await available_units(customer) == 0
        with pytest.raises(InvoiceTooLarge):
            await ask(customer, units=1)

    async def test_money_of_another_organization_does_not_count(self) -> None:
        await a_customer(paid_units=500)
        customer = await a_customer(paid_units=10)
        assert (await standing(customer)).paid_nanos == 10 * UNIT
        with pytest.raises(InvoiceTooLarge):
            await ask(customer, units=11)

    async def test_all_but_one_cent_and_then_the_cent(self) -> None:
        customer = await a_customer(paid_units=100)
        cent = UNIT // 100
        await ask(customer, amount_nanos=100 * UNIT - cent)
        with pytest.raises(InvoiceTooLarge):
            await ask(customer, amount_nanos=2 * cent, submission_id="form-0002")
        await ask(customer, amount_nanos=cent, submission_id="form-0002")
        assert await available_units(customer) == 0

    async def test_two_at_the_same_moment_get_no_more_than_there_is(self) -> None:
        customer = await a_customer(paid_units=100)
        many = [ask(customer, units=30, submission_id=f"form-{number:04}") for number in range(8)]
        results = await asyncio.gather(*many, return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        assert len(refused) == 5
        assert all(isinstance(one, InvoiceTooLarge) for one in refused), refused
        assert await available_units(customer) == 10

    async def test_the_same_form_is_one_request(self) -> None:
        customer = await a_customer(paid_units=100)
        both = await asyncio.gather(ask(customer, units=60), ask(customer, units=60))
        assert len(set(both)) == 1
        assert await available_units(customer) == 40
        with pytest.raises(FormReused):
            await ask(customer, units=50)

    @pytest.mark.parametrize("amount_nanos", [0, -UNIT, UNIT + 1, 2**70])
    async def test_an_amount_that_no_invoice_has_is_refused(self, amount_nanos: int) -> None:
        customer = await a_customer(paid_units=100)
        with pytest.raises((AmountRefused, InvoiceTooLarge)):
            await ask(customer, amount_nanos=amount_nanos)

    async def test_neither_or_both_of_amount_and_orders_is_refused(self) -> None:
        customer = await a_customer(paid_units=100)
        with pytest.raises(BadRequest):
            await ask(customer)
        with pytest.raises(BadRequest):
            await ask(customer, units=1, order_ids=("ord_x",))

    async def test_is_for_organizations_that_were_verified(self) -> None:
        customer = await a_customer(is_verified=False)
        with pytest.raises(NotVerified):
            await ask(customer, units=1)

    async def test_a_suspended_one_gets_what_it_paid_for(self) -> None:
        customer = await a_customer(paid_units=100)
        await execute("UPDATE organizations_organization SET suspended_at = created_at")
        assert await ask(customer, units=100)

    @pytest.mark.parametrize(
        ("is_domestic", "kind"),
        [
            pytest.param(True, InvoiceKind.COMMERCIAL, id="no commercial invoice in mainland China"),
            pytest.param(False, InvoiceKind.SPECIAL_FAPIAO, id="no fapiao without a tax number of mainland China"),
            pytest.param(False, InvoiceKind.GENERAL_FAPIAO, id="nor a general one"),
        ],
    )
    async def test_a_kind_for_others_is_refused(self, is_domestic: bool, kind: InvoiceKind) -> None:  # noqa: FBT001 # a case's flag
        customer = await a_customer(is_domestic=is_domestic, paid_units=100)
        with pytest.raises(InvoiceKindRefused):
            await ask(customer, units=1, kind=kind)

    @pytest.mark.parametrize("address", ["", "books", "a@b.example, c@d.example", "x\n@test.example"])
    async def test_an_address_that_gets_no_mail_is_refused(self, address: str) -> None:
        customer = await a_customer(paid_units=100)
        with pytest.raises(BadRequest):
            await ask(customer, units=1, delivery_email=address)


class TestRequestForOrders:
    async def test_asks_for_what_the_orders_come_to(self) -> None:
        customer = await a_customer()
        first, second = await pay(customer, units=10), await pay(customer, units=7)
        invoice = await the_invoice(await ask(customer, order_ids=(first, second, first)))
        assert (invoice.amount_nanos, set(invoice.order_ids)) == (17 * UNIT, {first, second})

    async def test_an_order_stands_on_one_invoice(self) -> None:
        customer = await a_customer(paid_units=100)
        order_id = await pay(customer, units=10)
        both = [ask(customer, order_ids=(order_id,), submission_id=f"form-{number:04}") for number in (1, 2)]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["OrderNotInvoiceable", "str"]
        async with read_session() as session:
            offered = await invoiceable_orders(session, customer.organization_id)
        assert order_id not in {order.id for order in offered}
        assert len(offered) == 1

    async def test_a_reversed_invoice_frees_its_orders(self) -> None:
        customer = await a_customer()
        order_id = await pay(customer, units=10)
        invoice_id = await ask(customer, order_ids=(order_id,))
        await issue(customer, invoice_id)
        await reverse(customer, invoice_id, units=10)
        assert await ask(customer, order_ids=(order_id,), submission_id="form-0002")

    async def test_orders_of_others_and_uncredited_ones_are_refused(self) -> None:
        customer, other = await a_customer(paid_units=100), await a_customer()
        foreign = await pay(other, units=10)
        for order_id in (foreign, "ord_unknown"):
            with pytest.raises(OrderNotInvoiceable):
                await ask(customer, order_ids=(order_id,))


class TestWithdraw:
    async def test_gives_the_amount_back_once(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await withdraw(customer, invoice_id)
        await withdraw(customer, invoice_id)
        assert await available_units(customer) == 100
        assert (await the_invoice(invoice_id)).state is InvoiceState.WITHDRAWN

    async def test_is_too_late_once_finance_has_it(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await take(customer, invoice_id)
        with pytest.raises(InvoiceChanged):
            await withdraw(customer, invoice_id)
        assert await available_units(customer) == 40

    async def test_another_organizations_does_not_exist(self) -> None:
        customer, other = await a_customer(paid_units=100), await a_customer()
        invoice_id = await ask(customer, units=60)
        with pytest.raises(NotFound):
            await withdraw(other, invoice_id)
        async with read_session() as session:
            assert await invoices_of(session, other.organization_id) == []


class TestNotInvoiced:
    async def test_a_refund_takes_what_is_not_invoiced_or_reversed(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=70)
        assert await self.refundable(customer.organization_id) == 30
        await reverse(customer, invoice_id, units=20)
        assert await self.refundable(customer.organization_id) == 50

    async def test_a_request_waits_for_a_refund_that_is_under_way(self) -> None:
        customer = await a_customer(paid_units=100)
        async with unit_of_work() as session:
            left = await not_invoiced(session, organization_id=customer.organization_id, currency=customer.currency)
            waiting = asyncio.create_task(ask(customer, units=100))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        assert left == 100 * UNIT
        assert await waiting

    @staticmethod
    async def refundable(organization_id: str) -> int:
        """Return what a refund may take, in units."""
        async with unit_of_work() as session:
            customer_currency = (await invoices_of(session, organization_id))[0].currency
            left = await not_invoiced(session, organization_id=organization_id, currency=customer_currency)
        return left // UNIT


class TestRefuse:
    async def test_gives_the_amount_back(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await refuse(customer, invoice_id)
        assert await available_units(customer) == 100
        assert (await the_invoice(invoice_id)).words == "Ask for the other kind."
