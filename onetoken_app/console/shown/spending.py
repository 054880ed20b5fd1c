"""Charges as bars and shares: proportions are whole percents, amounts are texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from onetoken_app.console.shown.amounts import ShownAmount, short_amount, shown_amount, shown_count
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.usage.charges import DayChargeView, NamedChargeView

_LABELS_MAX = 6


@dataclass(frozen=True, slots=True)
class ShownDay:
    """One bar."""

    day: str = ""
    label: str = ""
    """Under the bar; empty where labels would crowd."""
    height: str = "0%"
    charge: ShownAmount = field(default_factory=ShownAmount)
    call_count: str = ""


@dataclass(frozen=True, slots=True)
class ShownShare:
    """One line of a breakdown."""

    id: str = ""
    name: str = ""
    charge: ShownAmount = field(default_factory=ShownAmount)
    call_count: str = ""
    width: str = "0%"


@dataclass(frozen=True, slots=True)
class ShownChart:
    """Bars and the two marks of their axis."""

    days: list[ShownDay] = field(default_factory=list)
    top: str = ""
    middle: str = ""
    currency: str = ""


def shown_chart(days: Sequence[DayChargeView], currency: Currency) -> ShownChart:
    """Draw one bar a day, on an axis that ends at a round amount."""
    top = round_amount_above(max((day.total.charge_nanos for day in days), default=0) or NANOS_PER_UNIT)
    step = -(-len(days) // _LABELS_MAX) or 1
    bars = [
        ShownDay(
            day=day.day.isoformat(),
            label=day.day.strftime("%m-%d") if number % step == 0 else "",
            height=_percent(day.total.charge_nanos, top),
            charge=shown_amount(day.total.charge_nanos, currency),
            call_count=shown_count(day.total.call_count),
        )
        for number, day in enumerate(days)
    ]
    return ShownChart(days=bars, top=short_amount(top), middle=short_amount(top // 2), currency=currency.value)


def shown_shares(charges: Sequence[NamedChargeView], currency: Currency) -> list[ShownShare]:
    """Compare charges with the largest of them."""
    largest = max((charge.total.charge_nanos for charge in charges), default=0)
    return [
        ShownShare(
            id=charge.id,
            name=charge.name,
            charge=shown_amount(charge.total.charge_nanos, currency),
            call_count=shown_count(charge.total.call_count),
            width=_percent(charge.total.charge_nanos, largest),
        )
        for charge in charges
    ]


def round_amount_above(nanos: Nanos) -> Nanos:
    """Return the next amount of the form 2, 4, 6, 8 or 10 times a power of ten, which can be halved."""
    power = 1
    while True:
        for factor in (2, 4, 6, 8, 10):
            if factor * power >= nanos:
                return factor * power
        power *= 10


def _percent(nanos: Nanos, whole: Nanos) -> str:
    """Return a proportion; what is more than nothing is at least visible."""
    if whole <= 0 or nanos <= 0:
        return "0%"
    return f"{max(1, nanos * 100 // whole)}%"
