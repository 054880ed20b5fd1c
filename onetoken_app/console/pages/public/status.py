"""How the models answer, measured from real calls, for anybody: shares and durations only."""

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.fields import choice
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import FrameState, Page, open_to_all
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.readings import ShownReading, Span, readings
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value

_TONES = {
    "operational": Tone.GOOD,
    "degraded": Tone.WARNING,
    "failing": Tone.BAD,
    "unmeasured": Tone.NEUTRAL,
}


class StatusState(rx.State):
    """The figures on screen."""

    is_loaded: bool = False
    span: str = Span.DAY.value
    rows: rx.Field[list[ShownReading]] = rx.field(default_factory=list)
    overall: str = ""
    read_at: str = ""

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Show what was measured."""
        found = await readings(Span.WEEK if self.span == Span.WEEK else Span.DAY)
        self.rows, self.overall = list(found.rows), found.overall
        self.read_at, self.is_loaded = shown_minute(found.read_at, await reader_zone(self)), True

    @event_for(Role.NOBODY)
    async def choose(self, span: str) -> None:
        """Look at another period; a browser may say anything here."""
        self.span = Span.WEEK.value if span == Span.WEEK else Span.DAY.value
        await self.load()


def status() -> rx.Component:
    """Show the figures."""
    spans = [rx.el.option(text(f"span.{span}"), value=span.value) for span in Span]
    return open_to_all(
        page_heading(
            text("status.title"),
            lead=text("status.lead"),
            side=choice(text("usage.period"), options=spans, value=StatusState.span, on_change=StatusState.choose),
        ),
        rx.cond(StatusState.is_loaded, _overall()),
        card(
            data_table(
                columns=_columns(),
                rows=StatusState.rows,
                caption=text("status.title"),
                is_loaded=StatusState.is_loaded,
                empty=empty_state(text("models.none"), text("models.none_next")),
            )
        ),
        rx.el.p(text("status.how"), class_name="quiet-text"),
        rx.el.p(text("status.read_at", moment=StatusState.read_at, zone=LocaleState.zone), class_name="quiet-text"),
        here="/status",
    )


def _overall() -> rx.Component:
    """Say in one line how it is."""
    lines = [
        (value, rx.el.p(text(f"overall.{value}"), class_name=f"note overall tone-{tone}", role="status"))
        for value, tone in _TONES.items()
    ]
    return rx.match(StatusState.overall, *lines, rx.fragment())


def _columns() -> list[Column]:
    """Describe the table."""
    return [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(text("status.operation"), lambda one: status_badge(one.operation, prefix="operation", tones=_TONES)),
        Column(text("status.answered"), lambda one: _figure(one.answered), align=Align.NUMBER),
        Column(text("status.median"), lambda one: _figure(one.first_byte_median), align=Align.NUMBER),
        Column(text("status.p95"), lambda one: _figure(one.first_byte_p95), align=Align.NUMBER),
    ]


def _figure(figure: Value) -> rx.Component:
    """Show a figure, or that there is none."""
    return rx.cond(figure == "", rx.el.span("–", class_name="faint"), rx.el.span(figure, class_name="figure"))


PAGE = Page(
    route="/status",
    title_key="nav.status",
    body=status,
    on_load=(LocaleState.derive, FrameState.look, StatusState.load),
)
