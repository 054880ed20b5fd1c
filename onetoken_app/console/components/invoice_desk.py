"""Parts of finance's desk of invoices: lists, one that is open with the forms to decide, what has to be reversed."""

from typing import Any

import reflex as rx

from onetoken_app.billing.details import NUMBER_CHARACTERS_MAX, WORDS_CHARACTERS_MAX
from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.invoice_files import file_list, upload_form
from onetoken_app.console.components.invoice_forms import (
    OPEN_INVOICE,
    invoice_particulars,
    kind_name,
    red_letters,
    standing_badge,
)
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.top_up_orders import fact, look_button
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX

INVOICE_STEPS = ("taken", "issued", "refused", "reversed", "file_added")
"""What a person has just done about an invoice, as the page says it."""
_SEARCH_CHARACTERS_MAX = 100


def done_note(outcome: Value) -> rx.Component:
    """Say what finance just did."""
    said = [
        (key, rx.el.p(text(f"invoice_done.{key}"), class_name="note tone-good", role="status")) for key in INVOICE_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def owed_note(owed: Value) -> rx.Component:
    """Say of whom more is invoiced than is still paid."""
    return rx.cond(
        owed.length() > 0,
        rx.el.div(
            rx.el.p(text("invoice_desk.owed")),
            rx.el.ul(
                rx.foreach(
                    owed,
                    lambda one: rx.el.li(
                        rx.el.span(one.organization, class_name="strong"), " ", money_text(one.amount)
                    ),
                ),
                class_name="plain-list",
            ),
            class_name="note tone-warning",
        ),
    )


def waiting_table(waiting: Value, *, is_loaded: Value, empty: rx.Component, on_look: Any) -> rx.Component:
    """List what finance has to make."""
    columns = [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("invoices.kind"), lambda one: kind_name(one.invoice.kind)),
        Column(text("invoices.amount"), lambda one: money_text(one.invoice.amount), align=Align.NUMBER),
        Column(text("invoices.requested"), lambda one: rx.el.span(one.invoice.requested, class_name="figure")),
        Column(text("invoices.status"), lambda one: standing_badge(one.invoice.standing)),
        Column(text("invoice_desk.taken_by"), lambda one: rx.cond(one.is_taken, one.handled_by, "–")),
        _look(on_look),
    ]
    return data_table(
        columns=columns, rows=waiting, caption=text("invoice_desk.title"), is_loaded=is_loaded, empty=empty
    )


def decided_table(decided: Value, *, is_loaded: Value, pages: rx.Component, on_look: Any) -> rx.Component:
    """List what was decided, a page at a time."""
    columns = [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("invoices.number"), lambda one: _number(one.invoice.number)),
        Column(text("invoices.amount"), lambda one: money_text(one.invoice.amount), align=Align.NUMBER),
        Column(text("invoices.status"), lambda one: standing_badge(one.invoice.standing)),
        Column(text("invoice_desk.handled"), lambda one: rx.el.span(one.handled, class_name="figure")),
        Column(text("invoice_desk.handled_by"), lambda one: one.handled_by),
        _look(on_look),
    ]
    return data_table(
        columns=columns,
        rows=decided,
        caption=text("invoice_desk.decided"),
        is_loaded=is_loaded,
        empty=empty_state(text("invoice_desk.none_decided"), text("invoice_desk.none_decided_next")),
        pager=pages,
    )


def search_form(*, on_submit: Any) -> rx.Component:
    """Look for decided invoices by number or title; an empty search lists all."""
    sought = rx.el.input(
        type="search", name="sought", max_length=_SEARCH_CHARACTERS_MAX, auto_complete="off", class_name="input"
    )
    return rx.el.form(
        field(text("invoice_desk.sought"), sought),
        rx.el.button(text("invoice_desk.search"), type="submit", class_name="button"),
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="search-form",
    )


def particulars(one: Value, *, files: Value, on_uploaded: Any) -> rx.Component:
    """Show what is asked for and by whom, with the sheet that the invoice is made from."""
    handled = rx.cond(one.handled_by != "", fact(text("invoice_desk.handled_by"), rx.el.span(one.handled_by)))
    return card(
        invoice_particulars(
            one.invoice,
            fact(text("frame.organization"), rx.el.span(one.organization)),
            fact(text("invoice_desk.requested_by"), rx.el.span(one.requested_by)),
            handled,
        ),
        rx.cond(
            one.invoice.words != "",
            rx.el.div(
                rx.el.strong(text("invoices.why_refused")),
                rx.el.p(one.invoice.words, class_name="own-words"),
                class_name="note tone-bad",
            ),
        ),
        rx.cond(one.invoice.red_letters.length() > 0, red_letters(one.invoice.red_letters)),
        file_list(files),
        rx.cond(one.may_take_files, upload_form(one.invoice, on_uploaded=on_uploaded)),
        rx.el.div(
            file_link(text("invoices.sheet"), address=one.invoice.sheet, class_name="button"),
            class_name="dialog-actions",
        ),
        title=rx.cond(
            one.invoice.number == "", text("invoices.request"), text("invoices.of", number=one.invoice.number)
        ),
        side=standing_badge(one.invoice.standing),
    )


def take_form(one: Value, *, on_submit: Any) -> rx.Component:
    """Say that one makes it; the organization can no longer withdraw it then."""
    taken = rx.cond(
        one.is_own,
        note(text("invoice_desk.taken_by_you")),
        note(text("invoice_desk.taken_by_another", name=one.handled_by), tone="warning"),
    )
    return _form(
        one,
        "take",
        rx.cond(one.is_taken, taken, rx.el.p(text("invoice_desk.take_consequence"))),
        title=text("invoice_desk.take_title"),
        button=rx.cond(
            one.is_own & one.is_taken,
            rx.fragment(),
            rx.el.button(text("invoice_desk.take"), type="submit", class_name="button"),
        ),
        on_submit=on_submit,
    )


def issue_form(one: Value, *, today: Value, on_submit: Any) -> rx.Component:
    """Ask for number and date of what the invoicing system made."""
    return _form(
        one,
        "issue",
        _number_field(text("invoices.number"), hint=text("invoice_desk.number_hint")),
        _day_field(today),
        title=text("invoice_desk.issue_title"),
        button=rx.el.button(text("invoice_desk.issue"), type="submit", class_name="button primary"),
        on_submit=on_submit,
    )


def refuse_form(one: Value, *, on_submit: Any) -> rx.Component:
    """Ask why there will be no such invoice."""
    return _form(
        one,
        "refuse",
        _words_field(text("invoices.why_refused")),
        title=text("invoice_desk.refuse_title"),
        button=rx.el.button(text("invoice_desk.refuse"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def reverse_form(one: Value, *, today: Value, on_submit: Any) -> rx.Component:
    """Ask for a red letter: how much of the invoice, its own number and date, and why."""
    amount = rx.el.input(
        name="amount",
        default_value=one.left_typed,
        required=True,
        max_length=AMOUNT_CHARACTERS_MAX,
        input_mode="decimal",
        auto_complete="off",
        class_name="input",
    )
    return _form(
        one,
        "reverse",
        rx.el.p(text("invoice_desk.left"), " ", money_text(one.left)),
        rx.el.p(text("invoice_desk.reverse_consequence"), class_name="quiet-text"),
        field(text("invoices.amount_in", currency=one.left.currency), amount),
        _number_field(text("invoice_desk.letter_number"), hint=text("invoice_desk.number_hint")),
        _day_field(today),
        _words_field(text("invoice_desk.why_reversed")),
        title=text("invoice_desk.reverse_title"),
        button=rx.el.button(text("invoice_desk.reverse"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def _look(on_look: Any) -> Column:
    """Open a row; named so that two of one organization differ for who hears the page."""
    return Column(
        text("invoices.actions"),
        lambda one: look_button(one.id, one.organization + " " + one.invoice.requested, on_look, shows=OPEN_INVOICE),
        align=Align.ACTIONS,
    )


def _number(number: Value) -> rx.Component:
    """Show a number, if there is one."""
    return rx.cond(number == "", rx.el.span("–"), rx.el.code(number))


def _number_field(label: Value, *, hint: Value) -> rx.Component:
    """Ask for a number that the invoicing system gave."""
    control = rx.el.input(
        name="number", required=True, max_length=NUMBER_CHARACTERS_MAX, auto_complete="off", class_name="input"
    )
    return field(label, control, hint=hint)


def _day_field(today: Value) -> rx.Component:
    """Ask for the day that stands on it."""
    return field(
        text("invoices.issued_on"),
        rx.el.input(type="date", name="issued_on", default_value=today, required=True, class_name="input"),
    )


def _words_field(label: Value) -> rx.Component:
    """Ask why, in words that the organization reads."""
    control = rx.el.textarea(name="words", rows="3", required=True, max_length=WORDS_CHARACTERS_MAX, class_name="input")
    return field(label, control, hint=text("invoice_desk.words_hint"))


def _form(
    one: Value, verb: str, *content: rx.Component, title: Value, button: rx.Component, on_submit: Any
) -> rx.Component:
    """Decide on an invoice; posted with which one, as it was seen."""
    return rx.el.form(
        rx.el.input(type="hidden", name="invoice_id", value=one.id, read_only=True),
        rx.el.input(type="hidden", name="revision", value=one.revision, read_only=True),
        rx.el.h3(title, class_name="field-label"),
        *content,
        rx.el.div(button, class_name="dialog-actions"),
        key=f"{verb}-{one.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )
