"""What models bring and cost, and what upstreams bill, as pages of the staff show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.console.shown.amounts import ShownAmount, aligned, shown_amount, shown_count
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.money import Currency
from onetoken_app.reconciliation.queries import BillView, ComparedView, SideView
from onetoken_app.usage.margins import MarginView


class MarginStanding(StrEnum):
    """Whether a margin can be said."""

    GAIN = "gain"
    """It can, and is not negative."""
    LOSS = "loss"
    """It can, and is negative."""
    UNKNOWN = "unknown"
    """The cost is not known."""
    OTHER_CURRENCY = "other_currency"
    """The cost is in another currency than the charge."""


@dataclass(frozen=True, slots=True)
class ShownMargin:
    """One row."""

    model: str = ""
    calls: str = ""
    charge: ShownAmount = field(default_factory=ShownAmount)
    cost: ShownAmount = field(default_factory=ShownAmount)
    """Without a currency: not known."""
    margin: ShownAmount = field(default_factory=ShownAmount)
    """Without a currency: none can be said."""
    share: str = ""
    """Of the charge, such as ``12.5 %``; empty: none."""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class ShownSide:
    """What one side says of a day, channel and model."""

    is_there: bool = False
    requests: str = ""
    input_tokens: str = ""
    output_tokens: str = ""
    cost: ShownAmount = field(default_factory=ShownAmount)
    """Without a currency: not known."""


@dataclass(frozen=True, slots=True)
class ShownCompared:
    """One row."""

    day: str = ""
    channel: str = ""
    model: str = ""
    """Empty: not known any more."""
    standing: str = ""
    ours: ShownSide = field(default_factory=ShownSide)
    billed: ShownSide = field(default_factory=ShownSide)
    difference: ShownAmount = field(default_factory=ShownAmount)
    """What is billed above ours; without a currency: none can be said."""
    unknown_costs: str = ""
    """How many of ours have no known cost; empty: none."""
    failed: str = ""
    """How many attempts never answered; empty: none."""


@dataclass(frozen=True, slots=True)
class ShownBill:
    """An imported file."""

    channel: str = ""
    days: str = ""
    lines: str = ""
    time_zone: str = ""
    imported: str = ""


def shown_margins(views: Sequence[MarginView]) -> list[ShownMargin]:
    """Write rows; the decimal points of a column stand one above the other."""
    charges = aligned([shown_amount(view.charge_nanos, view.currency) for view in views])
    costs = aligned(
        [shown_amount(view.cost_nanos, view.cost_currency) if view.cost_currency else ShownAmount() for view in views]
    )
    margins = aligned(
        [
            ShownAmount() if view.margin_nanos is None else shown_amount(view.margin_nanos, view.currency)
            for view in views
        ]
    )
    return [
        ShownMargin(
            model=view.model_name,
            calls=shown_count(view.call_count),
            charge=charge,
            cost=cost,
            margin=margin,
            share=_share(view.margin_permille),
            standing=_standing(view).value,
        )
        for view, charge, cost, margin in zip(views, charges, costs, margins, strict=True)
    ]


def shown_compared(view: ComparedView) -> ShownCompared:
    """Write a row."""
    difference = view.cost_difference_nanos
    return ShownCompared(
        day=view.day.isoformat(),
        channel=view.channel_name,
        model=view.upstream_model,
        standing=view.standing.value,
        ours=_side(view.ours, view.currency),
        billed=_side(view.billed, view.currency),
        difference=shown_amount(difference, view.currency)
        if difference is not None and view.currency
        else ShownAmount(),
        unknown_costs=shown_count(view.unknown_cost_count) if view.unknown_cost_count else "",
        failed=shown_count(view.failed_count) if view.failed_count else "",
    )


def shown_bill(view: BillView, time_zone: str) -> ShownBill:
    """Write a row."""
    days = view.first_on.isoformat() if view.first_on == view.last_on else f"{view.first_on} – {view.last_on}"
    return ShownBill(
        channel=view.channel_name,
        days=days,
        lines=shown_count(view.line_count),
        time_zone=view.time_zone,
        imported=shown_minute(view.imported_at, time_zone),
    )


def _side(side: SideView | None, currency: Currency | None) -> ShownSide:
    """Write one side."""
    if side is None:
        return ShownSide()
    return ShownSide(
        is_there=True,
        requests=shown_count(side.request_count),
        input_tokens=shown_count(side.input_tokens),
        output_tokens=shown_count(side.output_tokens),
        cost=shown_amount(side.cost_nanos, currency) if currency else ShownAmount(),
    )


def _standing(view: MarginView) -> MarginStanding:
    """Say whether a margin can be said."""
    if view.cost_currency is None:
        return MarginStanding.UNKNOWN
    if view.margin_nanos is None:
        return MarginStanding.OTHER_CURRENCY
    return MarginStanding.LOSS if view.margin_nanos < 0 else MarginStanding.GAIN


def _share(permille: int | None) -> str:
    """Write a share with one decimal."""
    if permille is None:
        return ""
    sign, whole = ("\N{MINUS SIGN}", -permille) if permille < 0 else ("", permille)
    return f"{sign}{whole // 10}.{whole % 10}\N{NO-BREAK SPACE}%"
