"""Amounts and references of orders: checked, exact, and in the units that banks and payment providers speak. Pure."""

import secrets

from onetoken_app.money import NANOS_PER_UNIT, Nanos, parse_amount
from onetoken_app.payments.errors import AmountRefused

AMOUNT_NANOS_MIN: Nanos = NANOS_PER_UNIT
AMOUNT_NANOS_MAX: Nanos = 10_000_000 * NANOS_PER_UNIT
AMOUNT_CHARACTERS_MAX = 16
"""More than the largest amount has digits; for the fields of forms."""
_NANOS_PER_CENT = NANOS_PER_UNIT // 100
_CENTS_MAX = 900_000_000_000
"""Of what a column of nanos holds."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what is read for something else: 0 and O, 1, I and L."""
_REFERENCE_CHARACTERS = 8


def amount_from_text(text: str) -> Nanos:
    """Read what somebody typed, such as ``1000`` or ``1000.50``.

    Raises:
        AmountRefused: No plain decimal number, or outside of what an order may be.
    """
    try:
        amount_nanos = parse_amount(text.strip())
    except ValueError as error:
        raise AmountRefused("Write the amount as a plain number, such as 1000.00.", parameter="amount") from error
    return checked_amount(amount_nanos)


def checked_amount(amount_nanos: Nanos) -> Nanos:
    """Return an amount that a bank can transfer and an order may be.

    Raises:
        AmountRefused: No whole number of cents, or too little or too much.
    """
    if type(amount_nanos) is not int:  # a bool or a float that slipped through is no amount
        raise AmountRefused("Write the amount as a plain number, such as 1000.00.", parameter="amount")
    if not AMOUNT_NANOS_MIN <= amount_nanos <= AMOUNT_NANOS_MAX:
        raise AmountRefused("An order is for 1 to 10 000 000 units of the currency.", parameter="amount")
    if amount_nanos % _NANOS_PER_CENT:
        raise AmountRefused("Nobody can pay more than two decimals.", parameter="amount")
    return amount_nanos


def refund_from_text(text: str) -> Nanos:
    """Read what somebody typed as the amount of a refund, which may be less than the smallest order.

    Raises:
        AmountRefused: No plain decimal number of at least a cent and at most the largest order.
    """
    try:
        amount_nanos = parse_amount(text.strip())
    except ValueError as error:
        raise AmountRefused("Write the amount as a plain number, such as 1000.00.", parameter="amount") from error
    if not 0 < amount_nanos <= AMOUNT_NANOS_MAX:
        raise AmountRefused("A refund is of more than nothing, and of no more than was paid.", parameter="amount")
    cents_of(amount_nanos)
    return amount_nanos


def whole_cents(amount_nanos: Nanos) -> Nanos:
    """Return the most of an amount that can be paid in money; of a negative one nothing."""
    return max(0, amount_nanos) // _NANOS_PER_CENT * _NANOS_PER_CENT


def cents_of(amount_nanos: Nanos) -> int:
    """Return an amount in hundredths of its currency: cents, or fen.

    Raises:
        AmountRefused: It is no whole number of them.
    """
    cents, remainder = divmod(amount_nanos, _NANOS_PER_CENT)
    if remainder:
        raise AmountRefused("Nobody can pay more than two decimals.", parameter="amount")
    return cents


def nanos_of_cents(cents: int) -> Nanos:
    """Return hundredths of a currency as an amount.

    Raises:
        ValueError: No whole number of 0 to 9·10¹¹, which a bool and a float are not.
    """
    if type(cents) is not int or not 0 <= cents <= _CENTS_MAX:
        message = "no number of cents"
        raise ValueError(message)
    return cents * _NANOS_PER_CENT


def new_reference_code() -> str:
    """Make a code for the transfer's purpose line, such as ``OT-7K4M2QXB``."""
    return "OT-" + "".join(secrets.choice(_ALPHABET) for _ in range(_REFERENCE_CHARACTERS))
