"""Units of work around requests for invoices: what a form says is read here, and handed to the billing room."""

from collections.abc import Mapping
from typing import Any

from onetoken_app.billing import invoicing
from onetoken_app.billing.details import CHARACTERS_MAX, BuyerDetails, InvoiceForm, invoice_amount_from_text
from onetoken_app.billing.errors import InvoiceKindRefused
from onetoken_app.billing.models import InvoiceKind
from onetoken_app.console.callers import Caller
from onetoken_app.console.shown.invoices import ORDER_FIELD
from onetoken_app.database import unit_of_work
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.settings import Settings

BY_ORDERS = "orders"
"""What the choice of top-ups posts as ``by``; anything else is an amount."""


async def request_invoice(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> str:
    """Ask for an invoice for the organization that the caller acts for; return its id.

    Args:
        caller: Somebody in charge of its money, as the event's role says.
        settings: How mails are sealed.
        form: As the browser sent it; a top-up is chosen by a member that begins with ``ORDER_FIELD``.

    Raises:
        OneTokenError: As ``billing.invoicing.request_invoice``; nothing was requested.
    """
    asked = _read(form)
    async with unit_of_work() as session:
        return await invoicing.request_invoice(
            session,
            organization_id=caller.organization_id,
            form=asked,
            requested_by=caller.person.person_id,
            mail_room=mail_room(settings),
        )


async def withdraw_request(caller: Caller, *, invoice_id: str) -> None:
    """Take a request of the organization back that the caller acts for.

    Raises:
        OneTokenError: As ``billing.invoicing.withdraw_request``.
    """
    async with unit_of_work() as session:
        await invoicing.withdraw_request(
            session,
            organization_id=caller.organization_id,
            invoice_id=invoice_id,
            withdrawn_by=caller.person.person_id,
        )


def _read(form: Mapping[str, Any]) -> InvoiceForm:
    """Read what was filled in.

    Raises:
        BadRequest: It says no kind that there is, or no amount.
    """
    kind = str(form.get("kind", ""))
    if kind not in set(InvoiceKind):
        raise InvoiceKindRefused("Choose the kind of invoice; nothing was requested.", parameter="kind")
    is_by_orders = form.get("by") == BY_ORDERS
    return InvoiceForm(
        submission_id=str(form.get("submission_id", "")),
        kind=InvoiceKind(kind),
        delivery_email=str(form.get("email", "")),
        amount_nanos=None if is_by_orders else invoice_amount_from_text(str(form.get("amount", ""))),
        order_ids=_chosen(form) if is_by_orders else (),
        details=BuyerDetails(**{name: str(form.get(name, "")) for name in CHARACTERS_MAX}),
    )


def _chosen(form: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the top-ups whose boxes are ticked."""
    return tuple(name.removeprefix(ORDER_FIELD) for name in form if name.startswith(ORDER_FIELD) and form[name])
