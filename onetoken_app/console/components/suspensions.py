"""Suspensions: what the organization's people read above their pages, and the forms and the list of the staff."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Column, data_table, empty_state
from onetoken_app.console.components.fields import field
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.models import SuspensionCause
from onetoken_app.organizations.words import WORDS_CHARACTERS_MAX

STANDING_STEPS = ("suspended", "resumed")
"""What a person has just done about an organization's standing, as the page says it."""


def suspended_banner(*, since: Value, cause: Value, words: Value, contact: Value) -> rx.Component:
    """Say above every page of an organization what is suspended, why, and what to do next.

    Args:
        since: From when on; empty: it is not suspended, and nothing is said.
        cause: A ``SuspensionCause``; empty: nobody said.
        words: The staff's own.
        contact: Where to write to; empty: nobody said.
    """
    next_steps = [(one.value, text(f"suspension_next.{one}")) for one in SuspensionCause]
    ask = rx.cond(
        contact == "",
        text("suspended.answer_mail"),
        rx.fragment(text("suspended.write_to"), " ", rx.el.a(contact, href="mailto:" + contact)),
    )
    why = rx.el.p(
        rx.el.strong(text("suspended.why"), " "),
        cause_words(cause),
        rx.cond(words != "", rx.fragment(" ", rx.el.q(words, class_name="own-words"))),
    )
    banner = rx.el.section(
        rx.el.p(rx.el.strong(text("suspended.what", since=since)), " ", text("suspended.what_stays")),
        rx.cond(cause != "", why),
        rx.el.p(rx.el.strong(text("suspended.next"), " "), rx.match(cause, *next_steps, ""), " ", ask),
        class_name="note tone-bad suspended",
        aria_label=text("suspended.label"),
    )
    return rx.cond(since != "", banner)


def cause_words(cause: Value) -> rx.Component:
    """Name a cause."""
    causes = [(one.value, text(f"suspension_cause.{one}")) for one in SuspensionCause]
    return rx.el.span(rx.match(cause, *causes, ""))


def done_note(outcome: Value) -> rx.Component:
    """Say what was just done."""
    said = [
        (key, rx.el.p(text(f"suspension_done.{key}"), class_name="note tone-good", role="status"))
        for key in STANDING_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def suspend_form(*, organization_id: Value, on_submit: Any) -> rx.Component:
    """Ask why calls are to be refused."""
    causes = [rx.el.option(text(f"suspension_cause.{one}"), value=one.value) for one in SuspensionCause]
    choice = rx.el.select(
        rx.el.option(text("suspension.choose"), value=""), *causes, name="cause", required=True, class_name="input"
    )
    return _form(
        organization_id,
        "",
        rx.el.p(text("suspension.consequence")),
        field(text("suspension.cause"), choice),
        _words(text("suspension.words"), hint=text("suspension.words_hint")),
        button=rx.el.button(text("suspension.suspend"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def resume_form(*, organization_id: Value, suspension_id: Value, on_submit: Any) -> rx.Component:
    """Ask why calls may be made again; posted with the suspension that was seen."""
    return _form(
        organization_id,
        suspension_id,
        rx.el.p(text("suspension.resume_consequence")),
        _words(text("suspension.resume_words"), hint=text("suspension.resume_words_hint")),
        button=rx.el.button(text("suspension.resume"), type="submit", class_name="button primary"),
        on_submit=on_submit,
    )


def suspension_table(rows: Value, *, is_loaded: Value) -> rx.Component:
    """List when an organization was suspended."""
    columns = [
        Column(text("suspension.since"), lambda one: rx.el.span(one.since, class_name="figure")),
        Column(
            text("suspension.cause"),
            lambda one: rx.fragment(
                rx.el.span(cause_words(one.cause), class_name="strong"),
                rx.el.span(one.words, class_name="own-words cell-below"),
                _who(one.by),
            ),
        ),
        Column(text("suspension.until"), lambda one: rx.el.span(one.until, class_name="figure")),
        Column(
            text("suspension.resume_words"),
            lambda one: rx.cond(
                one.until != "",
                rx.fragment(rx.el.span(one.resume_words, class_name="own-words"), _who(one.resumer)),
            ),
        ),
    ]
    return data_table(
        columns=columns,
        rows=rows,
        caption=text("suspension.history"),
        is_loaded=is_loaded,
        empty=empty_state(text("suspension.none"), text("suspension.none_next")),
    )


def _who(name: Value) -> rx.Component:
    """Name who did it, or the server's operator."""
    return rx.el.span(rx.cond(name == "", text("suspension.by_command"), name), class_name="quiet-text cell-below")


def _words(label: Value, *, hint: Value) -> rx.Component:
    """Ask for words of one's own."""
    control = rx.el.textarea(name="words", rows="3", max_length=WORDS_CHARACTERS_MAX, required=True, class_name="input")
    return field(label, control, hint=hint)


def _form(
    organization_id: Value, suspension_id: Value, *content: rx.Component, button: rx.Component, on_submit: Any
) -> rx.Component:
    """Ask about an organization; posted with which one, since the server may have opened another meanwhile."""
    return rx.el.form(
        rx.el.input(type="hidden", name="organization_id", value=organization_id, read_only=True),
        rx.el.input(type="hidden", name="suspension_id", value=suspension_id, read_only=True),
        *content,
        rx.el.div(button, class_name="dialog-actions"),
        key=f"standing-{organization_id}-{suspension_id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )
