"""What people type for an invoice: checked, trimmed, in one spelling. Pure."""

import re
import unicodedata
from dataclasses import dataclass, replace

from onetoken_app.billing.errors import InvoiceAmountRefused
from onetoken_app.billing.models import InvoiceKind
from onetoken_app.errors import BadRequest
from onetoken_app.money import NANOS_PER_UNIT, Nanos, parse_amount

CHARACTERS_MAX = {"registered_address": 300, "phone": 40, "bank_name": 120, "bank_account": 64}
ORDERS_MAX = 100
"""Orders that one invoice may name."""
NUMBER_CHARACTERS_MAX = 40
WORDS_CHARACTERS_MAX = 1000
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_NANOS_PER_CENT = NANOS_PER_UNIT // 100


@dataclass(frozen=True, slots=True)
class BuyerDetails:
    """What a special fapiao may say of the buyer beside name and tax number; parts may be empty."""

    registered_address: str = ""
    phone: str = ""
    bank_name: str = ""
    bank_account: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceForm:
    """What somebody wants invoiced."""

    submission_id: str
    """Made once per form; 8 to 64 letters, digits, ``-`` or ``_``."""
    kind: InvoiceKind
    delivery_email: str
    """Where finance sends it."""
    amount_nanos: Nanos | None = None
    """Whole cents; or ``None``: what the orders come to."""
    order_ids: tuple[str, ...] = ()
    """Credited top-ups that stand on no invoice yet, 1 to 100; empty with an amount."""
    details: BuyerDetails = BuyerDetails()


def checked_form(form: InvoiceForm) -> InvoiceForm:
    """Return a form in order, each of its orders once.

    Raises:
        BadRequest: A part cannot be used, or it names both an amount and orders, or neither.
    """
    if _SUBMISSION_ID.fullmatch(form.submission_id) is None:
        raise BadRequest("The form is incomplete; nothing was requested. Load it again.", parameter="submission_id")
    chosen = tuple(sorted(set(form.order_ids)))
    if (form.amount_nanos is None) != bool(chosen) or len(chosen) > ORDERS_MAX:
        raise BadRequest(f"Name either an amount or 1 to {ORDERS_MAX} top-ups.", parameter="amount")
    return replace(form, order_ids=chosen, details=checked_details(form.details))


def checked_details(details: BuyerDetails) -> BuyerDetails:
    """Trim every part.

    Raises:
        BadRequest: A part is too long or unprintable; ``parameter`` names it.
    """
    trimmed = {name: getattr(details, name).strip() for name in CHARACTERS_MAX}
    for name, text in trimmed.items():
        if len(text) > CHARACTERS_MAX[name] or not text.isprintable():
            raise BadRequest(f"At most {CHARACTERS_MAX[name]} printable characters on one line.", parameter=name)
    return BuyerDetails(**trimmed)


def checked_invoice_amount(amount_nanos: Nanos) -> Nanos:
    """Return an amount that can stand on an invoice.

    Raises:
        InvoiceAmountRefused: Not more than 0, or no whole number of cents.
    """
    # A bool or a float that slipped through is no amount.
    if type(amount_nanos) is not int or amount_nanos <= 0 or amount_nanos % _NANOS_PER_CENT:
        raise InvoiceAmountRefused("An invoice is for an amount above 0 with at most two decimals.", parameter="amount")
    return amount_nanos


def invoice_amount_from_text(text: str) -> Nanos:
    """Read what somebody typed, such as ``1000`` or ``1000.50``.

    Raises:
        InvoiceAmountRefused: No plain decimal number, or none that can stand on an invoice.
    """
    try:
        return checked_invoice_amount(parse_amount(text.strip()))
    except ValueError as error:
        raise InvoiceAmountRefused(
            "Write the amount as a plain number, such as 1000.00.", parameter="amount"
        ) from error


def whole_cents(amount_nanos: Nanos) -> Nanos:
    """Round an amount of at least 0 down to what can stand on an invoice."""
    return amount_nanos - amount_nanos % _NANOS_PER_CENT


def checked_number(typed: str) -> str:
    """Return the number of an invoice in one spelling: without regard to width, case and white space.

    Raises:
        BadRequest: Empty, too long, or unprintable.
    """
    number = "".join(unicodedata.normalize("NFKC", typed).upper().split())
    if not 0 < len(number) <= NUMBER_CHARACTERS_MAX or not number.isprintable():
        raise BadRequest(f"Write the number in 1 to {NUMBER_CHARACTERS_MAX} characters.", parameter="number")
    return number


def checked_reason(text: str) -> str:
    """Trim the operator's own words to an organization; line breaks are fine.

    Raises:
        BadRequest: Empty, too long, or unprintable.
    """
    text = text.strip()
    if not 0 < len(text) <= WORDS_CHARACTERS_MAX or not all(line.isprintable() for line in text.splitlines()):
        raise BadRequest(f"Say why, in 1 to {WORDS_CHARACTERS_MAX} printable characters.", parameter="words")
    return text
