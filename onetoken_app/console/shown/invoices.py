"""Invoices as their organization reads them: what can be invoiced, what was asked for, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.billing.details import whole_cents
from onetoken_app.billing.invoice_files import InvoiceFileView
from onetoken_app.billing.invoiceable import InvoiceableView
from onetoken_app.billing.models import InvoiceState
from onetoken_app.billing.queries import InvoiceView
from onetoken_app.console.shown.amounts import ShownAmount, aligned, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.money import Currency
from onetoken_app.payments.queries import OrderView

INVOICES = "/account/invoices/"
"""Where data sheets are handed out, by the invoice's id."""
INVOICE_FILES = "/account/invoice-files/"
"""Where files of invoices are handed out, by the file's id."""


class InvoiceStanding(StrEnum):
    """How far an invoice is, as its organization reads it."""

    REQUESTED = "requested"
    """It waits for finance, and can be withdrawn."""
    IN_WORK = "in_work"
    """Finance makes it."""
    ISSUED = "issued"
    """It was sent, with number and date."""
    PARTLY_REVERSED = "partly_reversed"
    """It stands, but for what red letters took from it."""
    RED_LETTERED = "red_lettered"
    """Nothing is left of it."""
    REFUSED = "refused"
    """Finance said why not."""
    WITHDRAWN = "withdrawn"
    """The organization took it back."""


@dataclass(frozen=True, slots=True)
class ShownStanding:
    """What can be invoiced, and why."""

    arrived: ShownAmount = field(default_factory=ShownAmount)
    returned: ShownAmount = field(default_factory=ShownAmount)
    invoiced: ShownAmount = field(default_factory=ShownAmount)
    available: ShownAmount = field(default_factory=ShownAmount)
    has_any: bool = False
    owed: ShownAmount = field(default_factory=ShownAmount)
    """What finance has to reverse; without a currency: nothing."""


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """A top-up that an invoice may name."""

    field_name: str = ""
    reference: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    credited: str = ""


@dataclass(frozen=True, slots=True)
class ShownInvoiceFile:
    """A file of an invoice or of a red letter."""

    name: str = ""
    paper: str = ""
    """The number of what it is a file of."""
    format: str = ""
    size: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ShownRedLetter:
    """A reversal."""

    id: str = ""
    number: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    issued_on: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ShownInvoice:
    """An invoice that was asked for."""

    id: str = ""
    kind: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    standing: str = ""
    is_withdrawable: bool = False
    title: str = ""
    tax_id: str = ""
    delivery_email: str = ""
    registered_address: str = ""
    phone: str = ""
    bank_name: str = ""
    bank_account: str = ""
    orders: str = ""
    """Reference codes of the top-ups that it names; empty: it is for an amount."""
    requested: str = ""
    number: str = ""
    issued_on: str = ""
    words: str = ""
    red_letters: list[ShownRedLetter] = field(default_factory=list)
    sheet: str = ""
    """Where its data sheet is."""


ORDER_FIELD = "order-"
"""What the name of a top-up's box begins with; its id follows."""
_WAITING = frozenset({InvoiceStanding.REQUESTED.value, InvoiceStanding.IN_WORK.value})


def shown_standing(view: InvoiceableView, currency: Currency) -> ShownStanding:
    """Show what can be invoiced; less than a cent cannot."""
    parts = (view.arrived_nanos, -view.returned_nanos, -view.invoiced_nanos, whole_cents(view.available_nanos))
    arrived, returned, invoiced, available = aligned([shown_amount(nanos, currency) for nanos in parts])
    owed = view.owed_red_letters_nanos
    return ShownStanding(
        arrived=arrived,
        returned=returned,
        invoiced=invoiced,
        available=available,
        has_any=whole_cents(view.available_nanos) > 0,
        owed=shown_amount(owed, currency) if owed else ShownAmount(),
    )


def shown_choice(order: OrderView, *, time_zone: str) -> ShownChoice:
    """Show a top-up that an invoice may name."""
    return ShownChoice(
        field_name=f"{ORDER_FIELD}{order.id}",
        reference=order.reference_code,
        amount=shown_amount(order.amount_nanos, order.currency),
        credited=shown_minute(order.credited_at, time_zone),
    )


def shown_invoice(view: InvoiceView, *, references: Mapping[str, str], locale: str, time_zone: str) -> ShownInvoice:
    """Show an invoice to its organization.

    Args:
        view: The invoice.
        references: Reference codes of top-ups, by id.
        locale: The reader's, for the data sheet.
        time_zone: Of every moment.
    """
    return ShownInvoice(
        id=view.id,
        kind=view.kind.value,
        amount=shown_amount(view.amount_nanos, view.currency),
        standing=_standing(view).value,
        is_withdrawable=view.state is InvoiceState.REQUESTED,
        title=view.title,
        tax_id=view.tax_id,
        delivery_email=view.delivery_email,
        registered_address=view.registered_address,
        phone=view.phone,
        bank_name=view.bank_name,
        bank_account=view.bank_account,
        orders=", ".join(references.get(one, one) for one in view.order_ids),
        requested=shown_minute(view.requested_at, time_zone),
        number=view.number or "",
        issued_on=view.issued_on.isoformat() if view.issued_on else "",
        words=view.words,
        red_letters=[
            ShownRedLetter(
                id=letter.id,
                number=letter.number,
                amount=shown_amount(letter.amount_nanos, view.currency),
                issued_on=letter.issued_on.isoformat(),
                words=letter.words,
            )
            for letter in view.red_letters
        ],
        sheet=f"{INVOICES}{view.id}.pdf?locale={locale}",
    )


def shown_invoice_files(view: InvoiceView, files: Sequence[InvoiceFileView]) -> list[ShownInvoiceFile]:
    """Show the files of an invoice and of its red letters."""
    numbers = {view.id: view.number or ""} | {letter.id: letter.number for letter in view.red_letters}
    return [
        ShownInvoiceFile(
            name=one.name,
            paper=numbers.get(one.paper_id, ""),
            format=one.format.name,
            size=f"{max(1, one.byte_count // 1024):,} KiB",
            address=f"{INVOICE_FILES}{one.id}",
        )
        for one in files
        if one.invoice_id == view.id
    ]


def is_with_finance(invoice: ShownInvoice) -> bool:
    """Whether something about it is to be expected."""
    return invoice.standing in _WAITING


def _standing(view: InvoiceView) -> InvoiceStanding:
    """Say how far an invoice is."""
    if view.state is InvoiceState.ISSUED and view.red_letters:
        return InvoiceStanding.PARTLY_REVERSED
    return InvoiceStanding(view.state.value)
