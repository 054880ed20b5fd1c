"""What finance does with invoices: issues each once, reverses no more than there is, changes nothing that is issued."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.billing.errors import InvoiceChanged, InvoiceNumberUsed, InvoiceTooLarge, IssuerInvolved
from onetoken_app.billing.models import InvoiceState
from onetoken_app.billing.queries import decided_invoices, owed_red_letters, waiting_invoices
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.verification import verify
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.service import add_member
from tests.billing.invoices import (
    UNIT,
    a_customer,
    an_issued,
    ask,
    available_units,
    execute,
    issue,
    refuse,
    reverse,
    take,
    the_invoice,
)

pytestmark = pytest.mark.usefixtures("database")


class TestIssue:
    async def test_has_number_date_and_who_and_tells_the_organization(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await take(customer, invoice_id)
        await issue(customer, invoice_id, number=" f-１ 7 ")
        invoice = await the_invoice(invoice_id)
        assert (invoice.state, invoice.number, invoice.issued_on, invoice.handled_by) == (
            InvoiceState.ISSUED,
            "F-17",
            clock.utc_now().date(),
            customer.cast.finance_id,
        )
        assert await available_units(customer) == 40
        async with read_session() as session:
            kinds = list(await session.exec(select(OutboxLetter.kind)))
            actions = list(await session.exec(select(AuditEntry.action).where(AuditEntry.subject_id == invoice_id)))
            assert await waiting_invoices(session) == []
            assert [one.id for one in await decided_invoices(session, limit=10)] == [invoice_id]
            assert await decided_invoices(session, limit=10, before=invoice_id) == []
        assert kinds.count(LetterKind.INVOICE_NEWS) == 1
        assert actions == ["invoice_requested", "invoice_taken", "invoice_issued"]

    async def test_once_whoever_comes_first(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        both = [issue(customer, invoice_id, number=f"F-{number}", expected_revision=1) for number in (1, 2)]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["InvoiceChanged", "NoneType"]
        with pytest.raises(InvoiceChanged):
            await refuse(customer, invoice_id)

    async def test_is_done_once_when_the_step_is_sent_twice(self) -> None:
        customer = await a_customer(paid_units=100)
        first, second = await ask(customer, units=60), await ask(customer, units=10, submission_id="form-0002")
        for _ in range(2):
            await take(customer, first, expected_revision=1)
            await refuse(customer, second, expected_revision=1)
        for _ in range(2):
            await issue(customer, first, number="F-1", expected_revision=2)
        letters = {await reverse(customer, first, units=10, expected_revision=3) for _ in range(2)}
        assert len(letters) == 1
        with pytest.raises(InvoiceChanged):
            await issue(customer, first, number="F-2", expected_revision=2)
        with pytest.raises(InvoiceNumberUsed):
            await reverse(customer, first, units=11)
        async with read_session() as session:
            posted = list(await session.exec(select(OutboxLetter.kind)))
        assert posted.count(LetterKind.INVOICE_NEWS) == 3

    async def test_another_person_does_not_repeat_a_step(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        await issue(customer, invoice_id, expected_revision=1)
        with pytest.raises(InvoiceChanged):
            await issue(customer, invoice_id, issued_by=customer.cast.colleague_id, expected_revision=1)

    async def test_is_found_by_number_and_title(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=10)
        await reverse(customer, invoice_id, units=1, number="R-7")
        async with read_session() as session:
            found = {
                words: [one.id for one in await decided_invoices(session, limit=10, words=words)]
                for words in ("f-1", "r-7", "test l", "F-2", "%", "")
            }
        mine = [invoice_id]
        assert found == {"f-1": mine, "r-7": mine, "test l": mine, "F-2": [], "%": [], "": mine}

    async def test_a_number_stands_on_one_invoice_or_red_letter(self) -> None:
        customer = await a_customer(paid_units=100)
        first = await an_issued(customer, units=10)
        second = await ask(customer, units=10, submission_id="form-0002")
        with pytest.raises(InvoiceNumberUsed):
            await issue(customer, second, number="f-1")
        await reverse(customer, first, units=1, number="R-1")
        with pytest.raises(InvoiceNumberUsed):
            await issue(customer, second, number="R-1")
        await issue(customer, second, number="F-2")

    async def test_one_number_for_two_at_once_is_for_one(self) -> None:
        customer, other = await a_customer(paid_units=100), await a_customer(paid_units=100)
        mine, theirs = await ask(customer, units=10), await ask(other, units=10)
        results = await asyncio.gather(issue(customer, mine), issue(other, theirs), return_exceptions=True)
        failures = [result for result in results if result is not None]
        assert len(failures) == 1
        assert isinstance(failures[0], Conflict)

    async def test_whoever_belongs_to_the_organization_or_asked_does_not(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=customer.organization_id,
                person_id=customer.cast.colleague_id,
                role=OrganizationRole.VIEWER,
            )
        for person_id in (customer.cast.colleague_id, customer.cast.payer_id):
            with pytest.raises(IssuerInvolved):
                await issue(customer, invoice_id, issued_by=person_id)

    @pytest.mark.parametrize("days", [-400, 2])
    async def test_a_date_far_off_is_refused(self, days: int) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        with pytest.raises(BadRequest):
            await issue(customer, invoice_id, issued_on=clock.utc_now().date() + timedelta(days=days))

    @pytest.mark.parametrize("number", ["", "  ", "x" * 41, "a\x00b"])
    async def test_a_number_that_is_none_is_refused(self, number: str) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        with pytest.raises(BadRequest):
            await issue(customer, invoice_id, number=number)

    async def test_what_was_requested_and_issued_cannot_be_changed(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=60)
        await reverse(customer, invoice_id, units=10)
        before = await the_invoice(invoice_id)
        for statement in (
            "UPDATE billing_invoice SET amount_nanos = 1",
            "UPDATE billing_invoice SET title = 'Other'",
            "UPDATE billing_invoice SET number = 'F-2'",
            "UPDATE billing_invoice SET issued_on = NULL",
            "DELETE FROM billing_invoice",
            "UPDATE billing_red_letter SET amount_nanos = 1",
            "DELETE FROM billing_red_letter",
        ):
            with pytest.raises((Conflict, DBAPIError)):
                await execute(statement)
        assert await the_invoice(invoice_id) == before


class TestRedLetter:
    async def test_gives_a_part_back_and_then_the_rest(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=60)
        await reverse(customer, invoice_id, units=20)
        invoice = await the_invoice(invoice_id)
        assert (invoice.state, invoice.left_nanos) == (InvoiceState.ISSUED, 40 * UNIT)
        assert await available_units(customer) == 60
        with pytest.raises(InvoiceTooLarge):
            await reverse(customer, invoice_id, units=41, number="R-2")
        await reverse(customer, invoice_id, units=40, number="R-2")
        invoice = await the_invoice(invoice_id)
        assert (invoice.state, invoice.left_nanos) == (InvoiceState.RED_LETTERED, 0)
        assert [one.number for one in invoice.red_letters] == ["R-1", "R-2"]
        assert await available_units(customer) == 100

    async def test_two_at_once_reverse_no_more_than_there_is(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=60)
        seen = (await the_invoice(invoice_id)).revision
        both = [
            reverse(customer, invoice_id, units=60, number=f"R-{number}", expected_revision=seen) for number in (1, 2)
        ]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert sum(isinstance(result, InvoiceChanged) for result in results) == 1
        assert (await the_invoice(invoice_id)).left_nanos == 0
        assert await available_units(customer) == 100

    async def test_is_for_what_is_issued_and_not_older_than_it(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await ask(customer, units=60)
        with pytest.raises(InvoiceChanged):
            await reverse(customer, invoice_id, units=10)
        await issue(customer, invoice_id)
        with pytest.raises(BadRequest):
            await reverse(customer, invoice_id, units=10, issued_on=clock.utc_now().date() - timedelta(days=1))

    async def test_is_owed_when_money_was_taken_back_after_it_was_invoiced(self) -> None:
        customer = await a_customer(paid_units=100)
        invoice_id = await an_issued(customer, units=90)
        waiting = await ask(customer, units=10, submission_id="form-0002")
        async with unit_of_work() as session:
            await ledger.refund(
                session, owner_id=customer.organization_id, currency=customer.currency, amount_nanos=30 * UNIT,
                reference="refund:1",
            )  # fmt: skip
        with pytest.raises(InvoiceTooLarge):
            await issue(customer, waiting, number="F-2")
        async with read_session() as session:
            (owed,) = await owed_red_letters(session)
        assert (owed.organization_id, owed.amount_nanos) == (customer.organization_id, 30 * UNIT)
        await refuse(customer, waiting)
        await reverse(customer, invoice_id, units=20)
        async with read_session() as session:
            assert await owed_red_letters(session) == []

    async def test_nobody_owes_one_while_no_money_was_taken_back(self) -> None:
        customer = await a_customer(paid_units=100)
        await an_issued(customer, units=100)
        async with read_session() as session:
            assert await owed_red_letters(session) == []
        async with read_session() as session:
            assert (await verify(session)).is_ok
