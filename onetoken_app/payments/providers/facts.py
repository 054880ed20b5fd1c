"""Facts out of what a payment provider wrote: ids, amounts and currencies, each checked before anybody acts on it."""

import re
from collections.abc import Mapping

from onetoken_app.money import Nanos, parse_amount
from onetoken_app.payments.amounts import cents_of, nanos_of_cents
from onetoken_app.payments.errors import AmountRefused
from onetoken_app.payments.providers.protocol import NotificationRefused

_ID = re.compile(r"[A-Za-z0-9_.:*|-]{1,64}", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


def object_in(facts: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a member that is an object; an empty one when it is absent or something else."""
    found = facts.get(name)
    return found if isinstance(found, dict) else {}


def id_in(facts: Mapping[str, object], name: str) -> str:
    """Return a member that is an id.

    Raises:
        NotificationRefused: It is absent or looks like none.
    """
    found = optional_id_in(facts, name)
    if not found:
        raise NotificationRefused("id_missing")
    return found


def optional_id_in(facts: Mapping[str, object], name: str) -> str:
    """Return a member that is an id, or an empty text when it is absent or looks like none."""
    found = facts.get(name)
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def currency_in(facts: Mapping[str, object], name: str) -> str:
    """Return a currency in capitals.

    Raises:
        NotificationRefused: It is absent or looks like none.
    """
    found = facts.get(name)
    if not isinstance(found, str) or _CURRENCY.fullmatch(found) is None:
        raise NotificationRefused("currency_missing")
    return found.upper()


def cents_in(facts: Mapping[str, object], name: str) -> Nanos:
    """Return a whole number of cents as an amount.

    Raises:
        NotificationRefused: It is no such number.
    """
    try:
        return nanos_of_cents(facts.get(name))  # type: ignore[arg-type] # anything may stand there; it is checked
    except ValueError:
        raise NotificationRefused("amount_unreadable") from None


def decimal_in(facts: Mapping[str, object], name: str) -> Nanos:
    """Return an amount that is written as a decimal text with at most two decimals.

    Raises:
        NotificationRefused: It is no such text, or negative.
    """
    try:
        amount_nanos = parse_amount(str(facts.get(name, "")))
        cents_of(amount_nanos)
    except (ValueError, AmountRefused):
        raise NotificationRefused("amount_unreadable") from None
    if amount_nanos < 0:
        raise NotificationRefused("amount_unreadable")
    return amount_nanos
