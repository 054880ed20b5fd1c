"""What stands before a page, or above it, while a text in force waits for the organization's acceptance."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import note, page_heading
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def texts_first(*, calls_stop_on: Value, address: str, on_put_off: Any) -> rx.Component:
    """Stand in a page's place: who may accept reads first, or puts it off.

    Args:
        calls_stop_on: The day from which calls are refused; empty: they are.
        address: Where the texts are read and accepted.
        on_put_off: Lets the page be seen.
    """
    return rx.fragment(
        page_heading(text("texts.title"), lead=text("texts.first")),
        consequence_for_calls(calls_stop_on),
        rx.el.div(
            rx.el.a(text("texts.read"), href=address, class_name="button primary"),
            rx.el.button(text("texts.later"), type="button", on_click=on_put_off, class_name="button quiet"),
            class_name="ways-on",
        ),
    )


def texts_wait(*, calls_stop_on: Value, address: str, may_accept: Value) -> rx.Component:
    """Stand above a page that is seen nevertheless; whoever may not accept is led to the texts all the same."""
    way = rx.el.a(rx.cond(may_accept, text("texts.read"), text("nav.agreements")), href=address, class_name="button")
    return rx.cond(
        calls_stop_on == "",
        rx.el.div(rx.el.p(text("texts.calls_refused")), way, class_name="note with-action tone-bad"),
        rx.el.div(
            rx.el.p(text("texts.waits_until", day=calls_stop_on)), way, class_name="note with-action tone-warning"
        ),
    )


def consequence_for_calls(calls_stop_on: Value) -> rx.Component:
    """Say what becomes of the calls."""
    return rx.cond(
        calls_stop_on == "",
        note(text("texts.calls_refused"), tone="bad"),
        note(text("texts.calls_until", day=calls_stop_on), tone="warning"),
    )
