"""Statements and invoices as pages show them: sums by account, what is due, how far an invoice is."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from onetoken_app.billing.contracts import UnpaidView
from onetoken_app.billing.figures import ChargeLine, Figures, Movement, Pot
from onetoken_app.billing.invoiceable import InvoiceableView
from onetoken_app.billing.models import InvoiceKind, InvoiceState
from onetoken_app.billing.queries import InvoiceView, RedLetterView
from onetoken_app.console.shown import statements
from onetoken_app.console.shown.amounts import ShownAmount
from onetoken_app.console.shown.invoices import InvoiceStanding, shown_invoice, shown_standing
from onetoken_app.console.shown.statements import ShownSheet, running_name, shown_dues, shown_sheet
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
UNIT = NANOS_PER_UNIT
FIGURES = Figures(
    organization_id="org_1",
    organization_name="Test Ltd",
    registration_code="91350100M000100Y43",
    currency=Currency.USD,
    month="2026-11",
    time_zone="Asia/Shanghai",
    since="2026-10-31T16:00:00.000000Z",
    until="2026-11-30T16:00:00.000000Z",
    last_number=9,
    pots=[
        Pot(AccountKind.PREPAID, 10 * UNIT, 90 * UNIT, 25 * UNIT, 75 * UNIT),
        Pot(AccountKind.PROMOTIONAL, 0, 5 * UNIT, 5 * UNIT, 0),
    ],
    movements=[
        Movement(1, "2026-11-02T00:00:00.000000Z", TransactionKind.TOP_UP, AccountKind.PREPAID, "a", 60 * UNIT),
        Movement(2, "2026-11-03T00:00:00.000000Z", TransactionKind.TOP_UP, AccountKind.PREPAID, "b", 30 * UNIT),
        Movement(3, "2026-11-03T00:00:00.000000Z", TransactionKind.PROMOTION, AccountKind.PROMOTIONAL, "c", 5 * UNIT),
    ],
    charges=[
        ChargeLine("m1", "large", "k1", "production", "p1", "web", 3, 20 * UNIT),
        ChargeLine("m2", "small", "k1", "production", "p2", "batch", 4, 10 * UNIT),
    ],
    corrections_nanos=0,
    open_hold_count=0,
    open_hold_nanos=0,
    late_charges=[],
)
INVOICE = InvoiceView(
    id="inv_1",
    organization_id="org_1",
    kind=InvoiceKind.COMMERCIAL,
    currency=Currency.USD,
    amount_nanos=10 * UNIT,
    title="Test Ltd",
    tax_id="DE-HRB 1",
    registered_address="",
    phone="",
    bank_name="",
    bank_account="",
    delivery_email="books@test.example",
    requested_by="per_1",
    requested_at=NOW,
    state=InvoiceState.REQUESTED,
    revision=1,
    handled_by=None,
    handled_at=None,
    number=None,
    issued_on=None,
    words="",
    order_ids=("top_1", "top_2"),
    red_letters=(),
)


def a_sheet(figures: Figures = FIGURES, *, locale: str = "en", now: datetime = NOW) -> ShownSheet:
    """Show a month that runs."""
    name = running_name(figures.organization_id, figures.currency)
    return shown_sheet(figures, name=name, locale=locale, now=now, is_closed=False)


def lines_of(sheet: ShownSheet) -> list[tuple[str, ...]]:
    """Return the lines between the balances, as they are read."""
    return [(row.what, *(figure.amount.main for figure in row.figures)) for row in sheet.rows]


def the_invoice(state: InvoiceState, *, reversed_nanos: Nanos = 0) -> InvoiceView:
    """Return an invoice in a state."""
    letter = RedLetterView("red_1", reversed_nanos, "R-1", date(2026, 11, 20), "per_2", NOW, "A slip.")
    return replace(INVOICE, state=state, red_letters=(letter,) if reversed_nanos else ())


class TestShownSheet:
    def test_keeps_kinds_of_account_apart_and_adds_them_up(self) -> None:
        sheet = a_sheet()
        assert sheet.pots == ["Prepaid", "Promotional", "Total"]
        assert lines_of(sheet) == [
            ("Opening balance", "10.00", "0.00", "10.00"),
            ("Top-up", "90.00", "0.00", "90.00"),
            ("Promotional credit", "0.00", "5.00", "5.00"),
            ("Charges for calls", "−25.00", "−5.00", "−30.00"),
            ("Closing balance", "75.00", "0.00", "75.00"),
        ]
        assert [row.is_balance for row in sheet.rows] == [True, False, False, False, True]

    def test_one_kind_of_account_needs_no_total(self) -> None:
        sheet = a_sheet(replaced(pots=FIGURES.pots[:1], movements=FIGURES.movements[:2]))
        assert sheet.pots == ["Prepaid"]
        assert all(len(row.figures) == 1 for row in sheet.rows)

    def test_lists_models_keys_and_projects(self) -> None:
        sheet = a_sheet()
        assert [(one.name, one.charge.main) for one in sheet.by_model] == [("large", "20.00"), ("small", "10.00")]
        assert [(one.name, one.call_count) for one in sheet.by_key] == [("production", "7")]
        assert [one.name for one in sheet.by_project] == ["web", "batch"]

    def test_what_is_beyond_the_page_stands_in_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(statements, "SHARES_MAX", 1)
        shares = a_sheet().by_model
        assert [(one.name, one.charge.main) for one in shares] == [
            ("large", "20.00"),
            ("others, listed in the CSV", "10.00"),
        ]

    def test_says_when_it_is_closed_where_the_organization_is(self) -> None:
        assert (a_sheet().closes, a_sheet().is_over) == ("2026-12-01 06:00", False)
        assert a_sheet(now=datetime(2026, 11, 30, 16, tzinfo=UTC)).is_over

    def test_speaks_the_readers_language_to_the_files(self) -> None:
        sheet = a_sheet(locale="zh-CN")
        assert sheet.rows[0].what == "期初余额"
        assert sheet.pdf == "/account/statements/running-org_1-USD.pdf?locale=zh-CN"


class TestShownDues:
    def test_each_currency_has_what_is_late_and_what_is_not(self) -> None:
        july = UnpaidView(
            "st_1", "org_1", "Test Ltd", date(2026, 7, 1), Currency.USD, 5 * UNIT, 0, 5 * UNIT, date(2026, 8, 30), True
        )
        august = replace(july, month=date(2026, 8, 1), outstanding_nanos=8 * UNIT, due_on=date(2026, 9, 30))
        october = replace(
            july, month=date(2026, 10, 1), outstanding_nanos=9 * UNIT, due_on=date(2026, 12, 5), is_overdue=False
        )
        shown = [
            (one.month, one.amount.main, one.pay_by, one.is_overdue) for one in shown_dues([july, august, october])
        ]
        assert shown == [("2026-08", "8.00", "2026-09-30", True), ("2026-10", "9.00", "2026-12-05", False)]


class TestShownStanding:
    def test_says_how_it_comes_about(self) -> None:
        view = InvoiceableView(arrived_nanos=100 * UNIT, returned_nanos=20 * UNIT, invoiced_nanos=30 * UNIT)
        shown = shown_standing(view, Currency.USD)
        parts = (shown.arrived, shown.returned, shown.invoiced, shown.available)
        assert [one.main for one in parts] == ["100.00", "−20.00", "−30.00", "50.00"]
        assert shown.has_any
        assert shown.owed == ShownAmount()

    def test_less_than_a_cent_is_nothing(self) -> None:
        shown = shown_standing(InvoiceableView(UNIT // 1000, 0, 0), Currency.USD)
        assert (shown.available.main, shown.available.rest, shown.has_any) == ("0.00", "", False)

    def test_names_what_has_to_be_reversed(self) -> None:
        assert shown_standing(InvoiceableView(5 * UNIT, 5 * UNIT, 2 * UNIT), Currency.USD).owed.main == "2.00"


class TestShownInvoice:
    @pytest.mark.parametrize(
        ("view", "standing"),
        [
            (the_invoice(InvoiceState.REQUESTED), InvoiceStanding.REQUESTED),
            (the_invoice(InvoiceState.IN_WORK), InvoiceStanding.IN_WORK),
            (the_invoice(InvoiceState.ISSUED), InvoiceStanding.ISSUED),
            (the_invoice(InvoiceState.ISSUED, reversed_nanos=UNIT), InvoiceStanding.PARTLY_REVERSED),
            (the_invoice(InvoiceState.RED_LETTERED, reversed_nanos=10 * UNIT), InvoiceStanding.RED_LETTERED),
            (the_invoice(InvoiceState.REFUSED), InvoiceStanding.REFUSED),
            (the_invoice(InvoiceState.WITHDRAWN), InvoiceStanding.WITHDRAWN),
        ],
    )
    def test_says_how_far_it_is(self, view: InvoiceView, standing: InvoiceStanding) -> None:
        shown = shown_invoice(view, references={}, locale="en", time_zone="UTC")
        assert shown.standing == standing.value
        assert shown.is_withdrawable is (standing is InvoiceStanding.REQUESTED)

    def test_names_top_ups_by_their_codes_and_red_letters_by_number(self) -> None:
        view = the_invoice(InvoiceState.ISSUED, reversed_nanos=UNIT)
        shown = shown_invoice(view, references={"top_1": "OT-AAAA2222"}, locale="zh-CN", time_zone="Asia/Shanghai")
        assert (shown.orders, shown.requested) == ("OT-AAAA2222, top_2", "2026-11-27 16:00")
        assert [(one.number, one.amount.main, one.words) for one in shown.red_letters] == [("R-1", "1.00", "A slip.")]
        assert shown.sheet == "/account/invoices/inv_1.pdf?locale=zh-CN"


def replaced(**values: object) -> Figures:
    """Return the figures with other parts."""
    return Figures(**({name: getattr(FIGURES, name) for name in FIGURES.__struct_fields__} | values))
