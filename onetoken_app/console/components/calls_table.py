"""The table of calls, as the overview and the usage page show it."""

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column, data_table
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value

_TONES = {"answered": Tone.GOOD, "refused": Tone.WARNING, "failed": Tone.BAD}


def calls_table(
    calls: Value, *, is_loaded: Value, empty: rx.Component, pager: rx.Component | None = None
) -> rx.Component:
    """Show calls, newest first."""
    columns = [
        Column(text("call.at"), lambda call: rx.el.span(call.at, class_name="figure", title=call.request_id)),
        Column(text("call.model"), lambda call: rx.el.span(call.model, class_name="strong")),
        Column(text("call.key"), lambda call: call.key),
        Column(text("call.input"), lambda call: call.input_tokens, align=Align.NUMBER),
        Column(text("call.output"), lambda call: call.output_tokens, align=Align.NUMBER),
        Column(text("call.charge"), _charge, align=Align.NUMBER),
        Column(text("call.status"), _status),
        Column(text("call.latency"), lambda call: call.latency, align=Align.NUMBER),
    ]
    return data_table(
        columns=columns, rows=calls, caption=text("call.caption"), is_loaded=is_loaded, empty=empty, pager=pager
    )


def _charge(call: Value) -> rx.Component:
    """Show what a call cost, and when its counts are ours because the provider gave none."""
    return rx.fragment(
        rx.cond(call.is_estimated, rx.el.abbr("≈", title=text("call.estimated"), class_name="estimated")),
        money_text(call.charge),
    )


def _status(call: Value) -> rx.Component:
    """Show how a call ended; a code that the relay's documentation explains stands beside."""
    return rx.el.span(
        status_badge(call.outcome, prefix="outcome", tones=_TONES),
        rx.cond(call.error_code != "", rx.el.code(call.error_code, class_name="error-code")),
        class_name="call-status",
    )
