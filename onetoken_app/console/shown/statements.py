"""Statements as pages show them, in the words of their documents: the month that runs, closed ones, what is due."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from onetoken_app.billing.contracts import ContractView, UnpaidView
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.months import label_of
from onetoken_app.billing.statement_paper import notices
from onetoken_app.billing.statement_queries import StatementView
from onetoken_app.billing.statement_words import KINDS, POTS, WORDS, language_of
from onetoken_app.billing.statements import CLOSED_AFTER
from onetoken_app.billing.summaries import PlaceOf, by_key, by_model, by_project, charged_by, moved_by_kind
from onetoken_app.clock import parse_instant
from onetoken_app.console.shown.amounts import ShownAmount, aligned, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.spending import ShownShare, shown_shares
from onetoken_app.money import Currency, Nanos
from onetoken_app.usage.charges import ChargeTotal, NamedChargeView

STATEMENTS = "/account/statements/"
"""Where the files are handed out, by the statement's name."""
SHARES_MAX = 25
"""Models, keys or projects of a month that a page lists; the rest stands in one line, and in the CSV."""


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """An amount on one kind of account."""

    pot: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One line between opening and closing balance, or one of these."""

    what: str = ""
    is_balance: bool = False
    figures: list[ShownFigure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A month with everything that it says."""

    id: str = ""
    month: str = ""
    currency: str = ""
    period: str = ""
    time_zone: str = ""
    is_closed: bool = False
    is_over: bool = False
    closes: str = ""
    """When it is closed at the earliest."""
    pots: list[str] = field(default_factory=list)
    """Names of the kinds of account that it has; the last one is their sum, if there are several."""
    rows: list[ShownRow] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    by_model: list[ShownShare] = field(default_factory=list)
    by_key: list[ShownShare] = field(default_factory=list)
    by_project: list[ShownShare] = field(default_factory=list)
    pdf: str = ""
    csv: str = ""


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """A closed month in the list."""

    id: str = ""
    month: str = ""
    opening: ShownAmount = field(default_factory=ShownAmount)
    charged: ShownAmount = field(default_factory=ShownAmount)
    closing: ShownAmount = field(default_factory=ShownAmount)
    closed: str = ""
    pdf: str = ""
    csv: str = ""


@dataclass(frozen=True, slots=True)
class ShownDue:
    """A cycle that is not paid wholly."""

    month: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    pay_by: str = ""
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class ShownContract:
    """What was agreed with an organization that pays afterwards."""

    number: str = ""
    """Empty: it pays beforehand."""
    cycle: str = ""
    payment_days: str = ""
    limit: ShownAmount = field(default_factory=ShownAmount)


def running_name(organization_id: str, currency: Currency) -> str:
    """Name the month that runs, as the route of its files knows it."""
    return f"running-{organization_id}-{currency.value}"


def is_running_name(name: str, organization_id: str) -> bool:
    """Whether a name is that of an organization's month that runs."""
    return name in {running_name(organization_id, currency) for currency in Currency}


def shown_sheet(figures: Figures, *, name: str, locale: str, now: datetime, is_closed: bool) -> ShownSheet:
    """Show a month.

    Args:
        figures: What it says.
        name: Of its files, see ``running_name``; of a closed one the statement's id.
        locale: The reader's.
        now: The present moment.
        is_closed: Whether it is on file.
    """
    reads = language_of(locale)
    since, until = parse_instant(figures.since), parse_instant(figures.until)
    zone = figures.time_zone
    rows = _rows(figures, reads)
    return ShownSheet(
        id=name,
        month=figures.month,
        currency=figures.currency.value,
        period=f"{shown_minute(since, zone)} – {shown_minute(until, zone)}",
        time_zone=zone,
        is_closed=is_closed,
        is_over=until <= now,
        closes=shown_minute(until + CLOSED_AFTER, zone),
        pots=[figure.pot for figure in rows[0].figures],
        rows=rows,
        notices=list(notices(figures, reads, is_closed=is_closed)),
        by_model=_shares(figures, reads, by_model),
        by_key=_shares(figures, reads, by_key),
        by_project=_shares(figures, reads, by_project),
        pdf=_file(name, "pdf", locale),
        csv=_file(name, "csv", locale),
    )


def shown_months(views: Sequence[StatementView], *, locale: str, time_zone: str) -> list[ShownMonth]:
    """Show closed months in a list.

    Args:
        views: Newest first.
        locale: The reader's, for the files.
        time_zone: Of the moments.
    """
    columns = [
        aligned([shown_amount(getattr(view, name), view.currency) for view in views])
        for name in ("opening_nanos", "charged_nanos", "closing_nanos")
    ]
    return [
        ShownMonth(
            id=view.id,
            month=label_of(view.month),
            opening=opening,
            charged=charged,
            closing=closing,
            closed=shown_minute(view.closed_at, time_zone),
            pdf=_file(view.id, "pdf", locale),
            csv=_file(view.id, "csv", locale),
        )
        for view, opening, charged, closing in zip(views, *columns, strict=True)
    ]


def shown_dues(views: Sequence[UnpaidView]) -> list[ShownDue]:
    """Show what is to be paid: the newest cycle that is late and the newest that is not, as each contains the older."""
    newest = {(view.currency, view.is_overdue): view for view in views}
    return [
        ShownDue(
            month=label_of(view.month),
            amount=shown_amount(view.outstanding_nanos, view.currency),
            pay_by=view.due_on.isoformat(),
            is_overdue=view.is_overdue,
        )
        for view in sorted(newest.values(), key=lambda one: (one.due_on, one.currency))
    ]


def shown_contract(view: ContractView | None, currency: Currency) -> ShownContract:
    """Show what was agreed; nothing of an organization that pays beforehand."""
    if view is None:
        return ShownContract()
    terms = view.terms
    return ShownContract(
        number=terms.number,
        cycle=terms.cycle.value,
        payment_days=str(terms.payment_days),
        limit=shown_amount(terms.credit_limit_nanos, currency),
    )


def _rows(figures: Figures, reads: str) -> list[ShownRow]:
    """Show balances and movements, each kind of account in a column of its own."""
    words, pots = WORDS[reads], figures.pots
    moved = [
        (KINDS[reads][kind], [by_pot.get(pot.kind, 0) for pot in pots])
        for kind, by_pot in moved_by_kind(figures).items()
    ]
    lines = [
        (words["opening"], [pot.opening_nanos for pot in pots]),
        *moved,
        (words["charges"], [-pot.charged_nanos for pot in pots]),
        (words["closing"], [pot.closing_nanos for pot in pots]),
    ]
    heads = [*(POTS[reads][pot.kind] for pot in pots), *([words["total"]] if len(pots) > 1 else [])]
    lines = [(what, [*amounts, *([sum(amounts)] if len(pots) > 1 else [])]) for what, amounts in lines]
    columns = [
        aligned([shown_amount(amounts[number], figures.currency) for _, amounts in lines])
        for number in range(len(heads))
    ]
    return [
        ShownRow(
            what=what,
            is_balance=row in {0, len(lines) - 1},
            figures=[ShownFigure(pot=head, amount=columns[number][row]) for number, head in enumerate(heads)],
        )
        for row, (what, _) in enumerate(lines)
    ]


def _shares(figures: Figures, reads: str, place_of: PlaceOf) -> list[ShownShare]:
    """Compare what models, keys or projects came to."""
    words, dearest = WORDS[reads], charged_by(figures, place_of)
    rest = dearest[SHARES_MAX:]
    views = [
        _charge(one.id, one.name or one.id or words["unknown"], one.amount_nanos, one.call_count)
        for one in dearest[:SHARES_MAX]
    ]
    shares = shown_shares(views, figures.currency)
    if rest:
        total = sum(one.amount_nanos for one in rest), sum(one.call_count for one in rest)
        shares += [*shown_shares([_charge("", words["rest"], *total)], figures.currency)]
    return shares


def _charge(identity: str, name: str, nanos: Nanos, call_count: int) -> NamedChargeView:
    """Write a sum as usage has it; statements count no tokens."""
    return NamedChargeView(identity, name, ChargeTotal(nanos, call_count, input_tokens=0, output_tokens=0))


def _file(name: str, kind: str, locale: str) -> str:
    """Return where a statement's file is, in the reader's language."""
    return f"{STATEMENTS}{name}.{kind}?locale={locale}"
