"""Finance's view of margins: what each model's calls brought and cost in a period."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.fields import period_choice
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.margins import ShownMargin, shown_margins
from onetoken_app.console.shown.moments import PeriodName, days_of
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.database import read_session
from onetoken_app.usage.margins import margins_by_model

_TONES = {"gain": Tone.GOOD, "loss": Tone.BAD, "other_currency": Tone.WARNING, "unknown": Tone.WARNING}


class MarginsState(rx.State):
    """The period, and its rows."""

    is_loaded: bool = False
    period: str = PeriodName.THIS_MONTH.value
    days: str = ""
    margins: rx.Field[list[ShownMargin]] = rx.field(default_factory=list)

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the period anew."""
        zone = await reader_zone(self)
        days = days_of(self.period, clock.utc_now(), time_zone=zone)
        async with read_session() as session:
            found = await margins_by_model(session, since=days.first, until=days.last, time_zone=zone)
        self.margins = shown_margins(found)
        self.days = days.first.isoformat() if days.first == days.last else f"{days.first} – {days.last}"
        self.is_loaded = True

    @event_for(Role.STAFF_FINANCE)
    async def choose_period(self, period: str) -> None:
        """Look at another period."""
        self.period = period
        await self.load()


def margins() -> rx.Component:
    """Show the rows."""
    state = MarginsState
    return framed(
        page_heading(
            text("margins.title"), lead=text("margins.lead"), side=period_choice(state.period, state.choose_period)
        ),
        card(
            data_table(
                columns=[
                    Column(text("margins.model"), lambda one: rx.el.span(one.model, class_name="strong")),
                    Column(text("margins.calls"), lambda one: one.calls, align=Align.NUMBER),
                    Column(text("margins.charge"), lambda one: money_text(one.charge), align=Align.NUMBER),
                    Column(text("margins.cost"), lambda one: _amount(one.cost), align=Align.NUMBER),
                    Column(text("margins.margin"), lambda one: _amount(one.margin), align=Align.NUMBER),
                    Column(text("margins.share"), lambda one: one.share, align=Align.NUMBER),
                    Column(
                        text("margins.standing"),
                        lambda one: status_badge(one.standing, prefix="margin", tones=_TONES),
                    ),
                ],
                rows=state.margins,
                caption=text("margins.by_model"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("margins.none"), text("margins.none_next")),
            ),
            title=text("margins.by_model"),
            side=rx.el.span(state.days, class_name="quiet-text figure"),
        ),
        rx.el.p(text("margins.how"), class_name="quiet-text"),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/margins",
    )


def _amount(amount: Value) -> rx.Component:
    """Show an amount, or that there is none."""
    return rx.cond(amount.currency != "", money_text(amount), rx.el.span("–", class_name="quiet-text"))


PAGE = Page(
    route="/staff/margins",
    title_key="margins.title",
    body=margins,
    on_load=(LocaleState.derive, MarginsState.load),
)
