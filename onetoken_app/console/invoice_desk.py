"""Units of work of finance's desk of invoices: what a form says is read here, and handed to the billing room.

A form says which invoice it is about and as which revision it was seen; the billing room refuses what is out of date.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from onetoken_app.billing import issuing
from onetoken_app.billing.details import invoice_amount_from_text
from onetoken_app.billing.errors import InvoiceChanged
from onetoken_app.billing.queries import InvoiceView
from onetoken_app.console.callers import Caller
from onetoken_app.console.shown.invoice_desk import DeskNames, DeskReader, ShownDeskInvoice, shown_desk_invoice
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity.queries import names_of
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.queries import organizations_by_id
from onetoken_app.settings import Settings


async def take_request(caller: Caller, *, form: Mapping[str, Any]) -> None:
    """Say that the caller makes an invoice.

    Raises:
        OneTokenError: As ``billing.issuing.take_request``.
    """
    invoice_id, revision = _which(form)
    async with unit_of_work() as session:
        await issuing.take_request(
            session, invoice_id=invoice_id, taken_by=caller.person.person_id, expected_revision=revision
        )


async def issue_invoice(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> None:
    """Enter number and date of an invoice that was made.

    Raises:
        OneTokenError: As ``billing.issuing.issue_invoice``.
    """
    invoice_id, revision = _which(form)
    issued_on = _day(form)
    async with unit_of_work() as session:
        await issuing.issue_invoice(
            session,
            invoice_id=invoice_id,
            issued_by=caller.person.person_id,
            expected_revision=revision,
            number=str(form.get("number", "")),
            issued_on=issued_on,
            mail_room=mail_room(settings),
        )


async def refuse_request(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> None:
    """Say why there will be no such invoice.

    Raises:
        OneTokenError: As ``billing.issuing.refuse_request``.
    """
    invoice_id, revision = _which(form)
    async with unit_of_work() as session:
        await issuing.refuse_request(
            session,
            invoice_id=invoice_id,
            refused_by=caller.person.person_id,
            expected_revision=revision,
            words=str(form.get("words", "")),
            mail_room=mail_room(settings),
        )


async def red_letter(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> None:
    """Enter the reversal of an invoice, or of a part of it.

    Raises:
        OneTokenError: As ``billing.issuing.red_letter``.
    """
    invoice_id, revision = _which(form)
    amount_nanos, issued_on = invoice_amount_from_text(str(form.get("amount", ""))), _day(form)
    async with unit_of_work() as session:
        await issuing.red_letter(
            session,
            invoice_id=invoice_id,
            issued_by=caller.person.person_id,
            expected_revision=revision,
            amount_nanos=amount_nanos,
            number=str(form.get("number", "")),
            issued_on=issued_on,
            words=str(form.get("words", "")),
            mail_room=mail_room(settings),
        )


async def shown_at_desk(
    found: list[InvoiceView], reader: DeskReader, *, orders: dict[str, str] | None = None
) -> list[ShownDeskInvoice]:
    """Show invoices with the names of whom they are about."""
    async with read_session() as session:
        people = await names_of(session, {one for view in found for one in (view.requested_by, view.handled_by or "")})
        customers = await organizations_by_id(session, {view.organization_id for view in found})
    names = DeskNames(people, {one.id: one.name for one in customers.values()}, orders or {})
    return [shown_desk_invoice(view, names=names, reader=reader) for view in found]


def _which(form: Mapping[str, Any]) -> tuple[str, int]:
    """Read which invoice a form is about, and as what it was seen."""
    revision = whole_number(str(form.get("revision", "")))
    if revision is None:
        raise InvoiceChanged("This form is not complete; nothing was done. Look at the invoice again.")
    return str(form.get("invoice_id", "")), revision


def _day(form: Mapping[str, Any]) -> date:
    """Read the day on an invoice as a browser's field writes it."""
    try:
        return date.fromisoformat(str(form.get("issued_on", "")))
    except ValueError:
        raise BadRequest(
            "Choose the day that stands on the invoice; nothing was entered.", parameter="issued_on"
        ) from None
