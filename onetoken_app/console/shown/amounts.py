"""Amounts as texts: every digit there is, the whole part grouped, the decimals beyond two apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onetoken_app.money import Currency, Nanos, format_amount

_FIGURE_SPACE = "\N{FIGURE SPACE}"


@dataclass(frozen=True, slots=True)
class ShownAmount:
    """An amount in pieces that belong together; read one after the other they are the exact amount."""

    currency: str = ""
    main: str = ""
    """Sign, grouped whole part and two decimals."""
    rest: str = ""
    """The decimals after those, set more quietly."""
    pad: str = ""
    """Spaces as wide as a figure that put the points of a column one above the other."""


def shown_amount(nanos: Nanos, currency: Currency) -> ShownAmount:
    """Write an amount with all its digits."""
    whole, _, decimals = format_amount(nanos).partition(".")
    sign, digits = ("\N{MINUS SIGN}", whole[1:]) if whole.startswith("-") else ("", whole)
    return ShownAmount(currency=currency.value, main=f"{sign}{int(digits):,}.{decimals[:2]}", rest=decimals[2:])


def aligned(amounts: Sequence[ShownAmount]) -> list[ShownAmount]:
    """Pad the amounts of one column, so that their decimal points stand one above the other."""
    longest = max((len(amount.rest) for amount in amounts), default=0)
    return [replace(amount, pad=_FIGURE_SPACE * (longest - len(amount.rest))) for amount in amounts]


def short_amount(nanos: Nanos) -> str:
    """Write an amount for an axis: no more decimals than it has."""
    return format_amount(nanos, decimals_min=0)


def shown_count(count: int) -> str:
    """Write a count, grouped."""
    return f"{count:,}"
