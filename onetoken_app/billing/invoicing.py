"""What an organization does about invoices: asks for one, and takes a request back.

Every verb takes the organization from the caller: nobody reaches another's invoice by its id. Title and tax number are
copied from what was verified, never typed; the same form sent twice is one request.
"""

from collections.abc import Mapping
from dataclasses import asdict

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.billing.details import InvoiceForm, checked_form, checked_invoice_amount
from onetoken_app.billing.errors import InvoiceChanged, InvoiceKindRefused, InvoiceTooLarge, OrderNotInvoiceable
from onetoken_app.billing.invoiceable import invoiceable, lock_invoicing, orders_on_invoices
from onetoken_app.billing.models import Invoice, InvoicedOrder, InvoiceKind, InvoiceState
from onetoken_app.errors import NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.service import normalized_email
from onetoken_app.money import Currency, Nanos, format_amount
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import MailRoom, write_to_staff
from onetoken_app.organizations.queries import OrganizationView, organization
from onetoken_app.organizations.registration_codes import is_of_mainland
from onetoken_app.payments.errors import FormReused, NotVerified
from onetoken_app.payments.models import OrderState, TopUpOrder

CONSOLE_PATH = "/invoices"
"""Where mails send the organization's people."""
STAFF_CONSOLE_PATH = "/staff/invoices"
"""Where mails send finance."""
_FAPIAO = (InvoiceKind.GENERAL_FAPIAO, InvoiceKind.SPECIAL_FAPIAO)


def kinds_for(customer: OrganizationView) -> tuple[InvoiceKind, ...]:
    """Say which kinds an organization may ask for.

    A fapiao names a tax number of mainland China and is in renminbi; everybody else gets a commercial invoice.
    """
    is_domestic = customer.currency is Currency.CNY and is_of_mainland(customer.registration_code)
    return _FAPIAO if is_domestic else (InvoiceKind.COMMERCIAL,)


async def request_invoice(
    session: AsyncSession, *, organization_id: str, form: InvoiceForm, requested_by: str, mail_room: MailRoom
) -> str:
    """Ask for an invoice and return its id; a repeat of the same form returns the first one's.

    Args:
        session: Open unit of work; the caller commits. Others who invoice or refund for this organization wait.
        organization_id: Whose; verified, suspended or not: what was paid is invoiced.
        form: What they want; its kind is one of ``kinds_for``.
        requested_by: Who asks, as the edge found them in charge of money.
        mail_room: Writes to finance.

    Raises:
        BadRequest, FormReused: The form cannot be used.
        InvoiceKindRefused: The kind is not for this organization.
        InvoiceTooLarge: More than is invoiceable.
        NotFound, NotVerified: There is no such organization, or it was never verified.
        OrderNotInvoiceable: An order is not theirs, not credited, or stands on another invoice.
    """
    form = checked_form(form)
    delivery_email = normalized_email(form.delivery_email)
    customer = await _customer(session, organization_id, form.kind)
    await lock_invoicing(session, organization_id)
    known_id = await _invoice_of_form(session, organization_id, form)
    if known_id is not None:
        return known_id
    total = form.amount_nanos
    amount_nanos = checked_invoice_amount(
        await _total_of(session, customer, form.order_ids) if total is None else total
    )
    await _refuse_too_much(session, customer, amount_nanos)
    invoice = Invoice(
        id=new_id(Kind.INVOICE),
        organization_id=organization_id,
        submission_id=form.submission_id,
        kind=form.kind,
        currency=customer.currency,
        amount_nanos=amount_nanos,
        title=customer.name,
        tax_id=customer.registration_code,
        delivery_email=delivery_email,
        requested_by=requested_by,
        requested_at=clock.utc_now(),
        **asdict(form.details),
    )
    await _add(session, invoice, form.order_ids)
    await _tell_finance(session, invoice, mail_room)
    return invoice.id


async def withdraw_request(session: AsyncSession, *, organization_id: str, invoice_id: str, withdrawn_by: str) -> None:
    """Take a request back that nobody of finance took yet; doing it again changes nothing.

    Raises:
        InvoiceChanged: Finance took it, or it is decided.
        NotFound: The organization has no such invoice.
    """
    await lock_invoicing(session, organization_id)
    invoice = await session.get(Invoice, invoice_id, with_for_update=True, populate_existing=True)
    if invoice is None or invoice.organization_id != organization_id:
        raise NotFound("There is no such invoice.")
    if invoice.state is InvoiceState.WITHDRAWN:
        return
    if invoice.state is not InvoiceState.REQUESTED:
        raise InvoiceChanged("Finance has this request in hand already; nothing was changed.")
    invoice.state = InvoiceState.WITHDRAWN
    invoice.revision += 1
    await session.flush()
    await audit_invoice(session, invoice, action="invoice_withdrawn", actor_id=withdrawn_by)


async def audit_invoice(
    session: AsyncSession, invoice: Invoice, *, action: str, actor_id: str, facts: Mapping[str, Fact] | None = None
) -> None:
    """Add a line about an invoice."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action=action,
        subject_id=invoice.id,
        organization_id=invoice.organization_id,
        facts=facts,
    )


async def _customer(session: AsyncSession, organization_id: str, kind: InvoiceKind) -> OrganizationView:
    """Find a verified organization that may have this kind."""
    found = await organization(session, organization_id)
    if found is None:
        raise NotFound("There is no such organization.")
    if found.verified_at is None:
        raise NotVerified("Only a verified organization gets invoices; nothing was requested.")
    if kind not in kinds_for(found):
        raise InvoiceKindRefused(
            "A fapiao is for organizations of mainland China that pay in CNY, a commercial invoice for all others.",
            parameter="kind",
        )
    return found


async def _invoice_of_form(session: AsyncSession, organization_id: str, form: InvoiceForm) -> str | None:
    """Find the request that a form made before, for the very same."""
    query = select(Invoice).where(
        Invoice.organization_id == organization_id, Invoice.submission_id == form.submission_id
    )
    first = (await session.exec(query)).first()
    if first is None:
        return None
    orders = tuple(
        sorted(await session.exec(select(InvoicedOrder.order_id).where(InvoicedOrder.invoice_id == first.id)))
    )
    made = (first.kind, None if orders else first.amount_nanos, orders)
    if made != (form.kind, form.amount_nanos, form.order_ids):
        raise FormReused("This form was sent before for something else; nothing new was requested.")
    return first.id


async def _total_of(session: AsyncSession, customer: OrganizationView, chosen: tuple[str, ...]) -> Nanos:
    """Add up credited orders of an organization that stand on no invoice."""
    query = select(TopUpOrder).where(
        col(TopUpOrder.id).in_(chosen),
        TopUpOrder.organization_id == customer.id,
        TopUpOrder.currency == customer.currency,
        TopUpOrder.state == OrderState.CREDITED,
    )
    found = {order.id: order.amount_nanos for order in await session.exec(query)}
    if len(found) < len(chosen):
        raise OrderNotInvoiceable("A chosen top-up is not credited; nothing was requested.")
    if await orders_on_invoices(session, customer.id) & set(chosen):
        raise OrderNotInvoiceable("A chosen top-up stands on another invoice; nothing was requested.")
    return sum(found.values())


async def _refuse_too_much(session: AsyncSession, customer: OrganizationView, amount_nanos: Nanos) -> None:
    """Refuse a request for more than is invoiceable."""
    standing = await invoiceable(session, organization_id=customer.id, currency=customer.currency)
    if amount_nanos > standing.available_nanos:
        available = format_amount(standing.available_nanos)
        raise InvoiceTooLarge(f"{available} {customer.currency.value} can be invoiced; nothing was requested.")


async def _add(session: AsyncSession, invoice: Invoice, chosen: tuple[str, ...]) -> None:
    """Put a request on file."""
    session.add(invoice)
    await session.flush()
    session.add_all(InvoicedOrder(invoice_id=invoice.id, order_id=order_id) for order_id in chosen)
    await session.flush()
    facts: dict[str, Fact] = {
        "kind": invoice.kind.value,
        "amount": format_amount(invoice.amount_nanos),
        "currency": invoice.currency.value,
        "order_count": len(chosen),
    }
    await audit_invoice(session, invoice, action="invoice_requested", actor_id=invoice.requested_by, facts=facts)


async def _tell_finance(session: AsyncSession, invoice: Invoice, mail_room: MailRoom) -> None:
    """Post a mail to those who make invoices."""

    def letter(locale: str) -> Letter:
        address = f"{mail_room.console_url}{STAFF_CONSOLE_PATH}"
        return letters.invoice_waits(locale, organization_name=invoice.title, address=address)

    await write_to_staff(session, mail_room=mail_room, role=StaffRole.FINANCE, letter=letter)
