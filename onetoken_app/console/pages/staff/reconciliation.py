"""Finance's view of what upstreams billed beside our own attempts, by day, channel and the provider's model."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.fields import choice, period_choice
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.margins import ShownBill, ShownCompared, shown_bill, shown_compared
from onetoken_app.console.shown.moments import PeriodName, days_of
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.database import read_session
from onetoken_app.reconciliation.queries import BillStanding, bills, compare

_TONES = {
    "same": Tone.GOOD,
    "differs": Tone.BAD,
    "only_here": Tone.WARNING,
    "only_billed": Tone.BAD,
    "no_bill": Tone.NEUTRAL,
    "no_longer_kept": Tone.NEUTRAL,
}
_SHOWS = {"all": "reconciliation.show_all", "differences": "reconciliation.show_differences"}
_ROWS_MAX = 500


class ReconciliationState(rx.State):
    """The period, and its rows."""

    is_loaded: bool = False
    period: str = PeriodName.DAYS_7.value
    shows: str = "all"
    """``all`` or ``differences``."""
    rows: rx.Field[list[ShownCompared]] = rx.field(default_factory=list)
    left_out: int = 0
    """Rows beyond those that a page shows."""
    bills: rx.Field[list[ShownBill]] = rx.field(default_factory=list)

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the period anew."""
        zone = await reader_zone(self)
        days = days_of(self.period, clock.utc_now(), time_zone=zone)
        async with read_session() as session:
            found = await compare(session, since=days.first, until=days.last)
            imported = await bills(session)
        if self.shows == "differences":
            found = [one for one in found if one.standing is not BillStanding.SAME]
        self.rows = [shown_compared(view) for view in found[:_ROWS_MAX]]
        self.left_out = max(0, len(found) - _ROWS_MAX)
        self.bills = [shown_bill(view, zone) for view in imported]
        self.is_loaded = True

    @event_for(Role.STAFF_FINANCE)
    async def choose_period(self, period: str) -> None:
        """Look at another period."""
        self.period = period
        await self.load()

    @event_for(Role.STAFF_FINANCE)
    async def choose_rows(self, shows: str) -> None:
        """Look at all rows, or at those that are not the same."""
        self.shows = shows
        await self.load()


def reconciliation() -> rx.Component:
    """Show the rows, then the files that they come from."""
    state = ReconciliationState
    return framed(
        page_heading(
            text("reconciliation.title"),
            lead=text("reconciliation.lead"),
            side=period_choice(state.period, state.choose_period),
        ),
        card(
            data_table(
                columns=_columns(),
                rows=state.rows,
                caption=text("reconciliation.compared"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("reconciliation.none"), text("reconciliation.none_next")),
            ),
            rx.cond(
                state.left_out > 0,
                rx.el.p(text("reconciliation.left_out", count=state.left_out), class_name="quiet-text"),
            ),
            title=text("reconciliation.compared"),
            side=_which(),
        ),
        card(
            data_table(
                columns=[
                    Column(text("reconciliation.channel"), lambda one: rx.el.span(one.channel, class_name="strong")),
                    Column(text("reconciliation.days"), lambda one: rx.el.span(one.days, class_name="figure")),
                    Column(text("reconciliation.zone"), lambda one: one.time_zone),
                    Column(text("reconciliation.lines"), lambda one: one.lines, align=Align.NUMBER),
                    Column(text("reconciliation.imported"), lambda one: rx.el.span(one.imported, class_name="figure")),
                ],
                rows=state.bills,
                caption=text("reconciliation.bills"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("reconciliation.no_bills"), text("reconciliation.no_bills_next")),
            ),
            title=text("reconciliation.bills"),
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/reconciliation",
    )


def _which() -> rx.Component:
    """Choose which rows."""
    options = [rx.el.option(text(key), value=name) for name, key in _SHOWS.items()]
    return choice(
        text("reconciliation.show"),
        options=options,
        value=ReconciliationState.shows,
        on_change=ReconciliationState.choose_rows,
        is_label_seen=False,
    )


def _columns() -> list[Column]:
    """Return the columns of a row."""
    return [
        Column(text("reconciliation.day"), lambda one: rx.el.span(one.day, class_name="figure")),
        Column(text("reconciliation.model"), _model),
        Column(
            text("reconciliation.standing"),
            lambda one: status_badge(one.standing, prefix="bill_standing", tones=_TONES),
        ),
        Column(text("reconciliation.ours"), _ours, align=Align.NUMBER),
        Column(text("reconciliation.billed"), lambda one: _side(one.billed), align=Align.NUMBER),
        Column(text("reconciliation.difference"), lambda one: _amount(one.difference), align=Align.NUMBER),
    ]


def _model(one: Value) -> rx.Component:
    """Name the provider's model, and the channel below."""
    name = rx.cond(one.model != "", one.model, text("reconciliation.unknown_model"))
    return rx.el.div(rx.el.div(name, class_name="strong"), rx.el.div(one.channel, class_name="quiet-text"))


def _ours(one: Value) -> rx.Component:
    """Show our side, with what is counted apart."""
    return rx.el.div(
        _side(one.ours),
        rx.cond(
            one.unknown_costs != "",
            rx.el.div(text("reconciliation.unknown_costs", count=one.unknown_costs), class_name="quiet-text"),
        ),
        rx.cond(one.failed != "", rx.el.div(text("reconciliation.failed", count=one.failed), class_name="quiet-text")),
    )


def _side(side: Value) -> rx.Component:
    """Show what one side says: the amount, and what it is for."""
    counts = text("reconciliation.counts", requests=side.requests, input=side.input_tokens, output=side.output_tokens)
    return rx.cond(
        side.is_there,
        rx.el.div(_amount(side.cost), rx.el.div(counts, class_name="quiet-text")),
        rx.el.span("–", class_name="quiet-text"),
    )


def _amount(amount: Value) -> rx.Component:
    """Show an amount, or that there is none."""
    return rx.cond(amount.currency != "", money_text(amount), rx.el.span("–", class_name="quiet-text"))


PAGE = Page(
    route="/staff/reconciliation",
    title_key="reconciliation.title",
    body=reconciliation,
    on_load=(LocaleState.derive, ReconciliationState.load),
)
