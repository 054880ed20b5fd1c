"""Paid top-ups, and invoices in every state, by the verbs that lead there."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from onetoken_app import clock
from onetoken_app.billing import invoicing, issuing
from onetoken_app.billing.details import BuyerDetails, InvoiceForm
from onetoken_app.billing.invoice_files import add_file, prepare_file
from onetoken_app.billing.invoiceable import InvoiceableView, invoiceable
from onetoken_app.billing.models import InvoiceKind
from onetoken_app.billing.queries import InvoiceView, invoice_for_staff
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets
from tests.billing.invoice_papers import XML
from tests.payments.orders import MAIL_ROOM, Cast, approve, place, report
from tests.support.builders import a_person, an_organization

UNIT = NANOS_PER_UNIT
CODE_OF_MAINLAND = "91350100M000100Y43"


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization that paid, somebody in charge of its money, and somebody of finance."""

    cast: Cast
    currency: Currency

    @property
    def organization_id(self) -> str:
        """Whose invoices."""
        return self.cast.organization_id


async def a_customer(
    *, is_domestic: bool = False, is_verified: bool = True, name: str = "Test Ltd", paid_units: int = 0
) -> Customer:
    """Add an organization with what it takes to pay and to be invoiced."""
    currency = Currency.CNY if is_domestic else Currency.USD
    code = CODE_OF_MAINLAND if is_domestic else ""
    async with unit_of_work() as session:
        organization_id = await an_organization(
            session, name=name, registration_code=code, currency=currency, is_verified=is_verified
        )
        cast = Cast(
            organization_id=organization_id,
            payer_id=await a_person(session, organization_id=organization_id, role=OrganizationRole.BILLING),
            finance_id=await a_person(session, staff_role=StaffRole.FINANCE),
            colleague_id=await a_person(session, staff_role=StaffRole.FINANCE),
        )
    customer = Customer(cast, currency)
    if paid_units:
        await pay(customer, units=paid_units)
    return customer


async def pay(customer: Customer, *, units: int) -> str:
    """Order, report and credit a top-up; return the order's id."""
    cast = customer.cast
    label = f"paid-{clock.monotonic_seconds()}".replace(".", "-")
    order_id = await place(cast, amount_nanos=units * UNIT, submission_id=label)
    await report(cast, order_id)
    assert await approve(cast, order_id, bank_entry=label)
    return order_id


async def ask(
    customer: Customer,
    *,
    units: int | None = None,
    amount_nanos: Nanos | None = None,
    order_ids: tuple[str, ...] = (),
    submission_id: str = "form-0001",
    kind: InvoiceKind = InvoiceKind.COMMERCIAL,
    details: BuyerDetails | None = None,
    delivery_email: str = "Books@test.example",
) -> str:
    """Ask for an invoice; return its id."""
    form = InvoiceForm(
        submission_id=submission_id,
        kind=kind,
        amount_nanos=amount_nanos if units is None else units * UNIT,
        order_ids=order_ids,
        details=details or BuyerDetails(),
        delivery_email=delivery_email,
    )
    async with unit_of_work() as session:
        return await invoicing.request_invoice(
            session,
            organization_id=customer.organization_id,
            form=form,
            requested_by=customer.cast.payer_id,
            mail_room=MAIL_ROOM,
        )


async def the_invoice(invoice_id: str) -> InvoiceView:
    """Return an invoice."""
    async with read_session() as session:
        found = await invoice_for_staff(session, invoice_id)
    assert found is not None
    return found


async def take(customer: Customer, invoice_id: str, *, expected_revision: int | None = None) -> None:
    """Take a request as finance does."""
    seen = await the_invoice(invoice_id)
    async with unit_of_work() as session:
        await issuing.take_request(
            session,
            invoice_id=invoice_id,
            taken_by=customer.cast.finance_id,
            expected_revision=expected_revision or seen.revision,
        )


async def issue(
    customer: Customer,
    invoice_id: str,
    *,
    number: str = "F-1",
    issued_on: date | None = None,
    issued_by: str = "",
    expected_revision: int | None = None,
) -> None:
    """Issue an invoice as finance does."""
    seen = await the_invoice(invoice_id)
    async with unit_of_work() as session:
        await issuing.issue_invoice(
            session,
            invoice_id=invoice_id,
            issued_by=issued_by or customer.cast.finance_id,
            expected_revision=expected_revision or seen.revision,
            number=number,
            issued_on=issued_on or clock.utc_now().date(),
            mail_room=MAIL_ROOM,
        )


async def refuse(
    customer: Customer,
    invoice_id: str,
    *,
    words: str = "Ask for the other kind.",
    expected_revision: int | None = None,
) -> None:
    """Refuse a request as finance does."""
    seen = await the_invoice(invoice_id)
    async with unit_of_work() as session:
        await issuing.refuse_request(
            session,
            invoice_id=invoice_id,
            refused_by=customer.cast.finance_id,
            expected_revision=expected_revision or seen.revision,
            words=words,
            mail_room=MAIL_ROOM,
        )


async def reverse(
    customer: Customer,
    invoice_id: str,
    *,
    units: int,
    number: str = "R-1",
    issued_on: date | None = None,
    expected_revision: int | None = None,
) -> str:
    """Reverse an invoice or a part of it as finance does."""
    seen = await the_invoice(invoice_id)
    async with unit_of_work() as session:
        return await issuing.red_letter(
            session,
            invoice_id=invoice_id,
            issued_by=customer.cast.finance_id,
            expected_revision=expected_revision or seen.revision,
            amount_nanos=units * UNIT,
            number=number,
            issued_on=issued_on or clock.utc_now().date(),
            words="The order was cancelled.",
            mail_room=MAIL_ROOM,
        )


async def withdraw(customer: Customer, invoice_id: str) -> None:
    """Take a request back as its organization does."""
    async with unit_of_work() as session:
        await invoicing.withdraw_request(
            session,
            organization_id=customer.organization_id,
            invoice_id=invoice_id,
            withdrawn_by=customer.cast.payer_id,
        )


async def an_issued(customer: Customer, *, units: int) -> str:
    """Lead an invoice to where it is issued; return its id."""
    invoice_id = await ask(customer, units=units)
    await issue(customer, invoice_id)
    return invoice_id


async def standing(customer: Customer) -> InvoiceableView:
    """Return where a customer stands."""
    async with read_session() as session:
        return await invoiceable(session, organization_id=customer.organization_id, currency=customer.currency)


async def available_units(customer: Customer) -> int:
    """Return what can be invoiced, in whole units."""
    return (await standing(customer)).available_nanos // UNIT


async def execute(sql: str, **values: object) -> None:
    """Run a statement as somebody at the database would."""
    async with unit_of_work() as session:
        await (await session.connection()).execute(sa.text(sql), values)


async def put_file(customer: Customer, invoice_id: str, *, paper_id: str, name: str, settings: Settings) -> str:
    """Put a small XML to an issued invoice or to one of its red letters as finance does; return its id."""
    key = load_root_secrets(settings).key_encryption_key
    file = prepare_file(XML, key_encryption_key=key, name=name)
    async with unit_of_work() as session:
        return await add_file(
            session, invoice_id=invoice_id, paper_id=paper_id, file=file, uploaded_by=customer.cast.finance_id
        )
