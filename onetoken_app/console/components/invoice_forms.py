"""Parts of invoices on the organization's side: what can be invoiced, the form, one that is open, the list."""

from typing import Any

import reflex as rx

from onetoken_app.billing.details import CHARACTERS_MAX
from onetoken_app.billing.models import InvoiceKind
from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.dialogs import confirm_dialog, opens
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.invoice_files import file_list
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.components.top_up_orders import fact, look_button
from onetoken_app.console.invoice_requests import BY_ORDERS
from onetoken_app.console.shown.invoices import InvoiceStanding
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX

OPEN_INVOICE = "open-invoice"
"""Where the invoice that is open stands on its page."""
WITHDRAW_DIALOG = "withdraw-request"
"""Asks before it takes a request back."""
_TONES = {
    InvoiceStanding.REQUESTED: Tone.NEUTRAL,
    InvoiceStanding.IN_WORK: Tone.NEUTRAL,
    InvoiceStanding.ISSUED: Tone.GOOD,
    InvoiceStanding.PARTLY_REVERSED: Tone.WARNING,
    InvoiceStanding.RED_LETTERED: Tone.WARNING,
    InvoiceStanding.REFUSED: Tone.BAD,
    InvoiceStanding.WITHDRAWN: Tone.NEUTRAL,
}
_DETAILS = ("registered_address", "phone", "bank_name", "bank_account")


def standing_card(standing: Value) -> rx.Component:
    """Show what can be invoiced, and how that comes about."""
    lines = (
        ("invoices.arrived", standing.arrived, ""),
        ("invoices.returned", standing.returned, ""),
        ("invoices.invoiced", standing.invoiced, ""),
        ("invoices.available", standing.available, "balance"),
    )
    rows = [
        rx.el.tr(
            rx.el.th(text(key), scope="row"),
            rx.el.td(money_text(amount), class_name="number"),
            class_name=look,
        )
        for key, amount, look in lines
    ]
    return card(
        rx.el.table(
            rx.el.caption(text("invoices.standing"), class_name="unseen"), rx.el.tbody(*rows), class_name="sums"
        ),
        rx.cond(
            standing.owed.currency != "",
            rx.el.p(text("invoices.owed"), " ", money_text(standing.owed), class_name="note tone-warning"),
        ),
        rx.el.p(text("invoices.no_grants"), class_name="quiet-text"),
        title=text("invoices.standing"),
    )


def request_form(
    *,
    kinds: Value,
    currency: Value,
    choices: Value,
    title: Value,
    tax_id: Value,
    email: Value,
    submission_id: Value,
    follows: Value,
    on_submit: Any,
) -> rx.Component:
    """Ask for an invoice.

    Args:
        kinds: What the organization may ask for.
        currency: Of the amount.
        choices: Top-ups that it may name.
        title: Whose invoice it is, as it was verified.
        tax_id: Its tax number, as it was verified.
        email: Where the invoice is sent, if nothing else is written.
        submission_id: The same one sent twice is one request.
        follows: The reader's latest request; the form is emptied when there is another, and by nothing else.
        on_submit: Called with the form.
    """
    return rx.el.form(
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        rx.el.dl(
            fact(text("invoices.buyer"), rx.el.span(title, class_name="own-words")),
            fact(text("invoices.tax_id"), rx.el.code(tax_id)),
            class_name="facts in-two",
        ),
        rx.el.p(
            text("invoices.verified"), " ", rx.el.a(text("top_up.verify"), href="/verification"),
            class_name="field-hint",
        ),
        rx.el.fieldset(
            rx.el.legend(text("invoices.kind"), class_name="field-label"),
            rx.foreach(kinds, lambda kind: _kind(kind, kinds)),
            class_name="fieldset",
        ),
        _what_for(currency=currency, choices=choices),
        field(
            text("invoices.email"),
            rx.el.input(
                type="email", name="email", default_value=email, required=True, max_length=254, class_name="input"
            ),
            hint=text("invoices.email_hint"),
        ),
        _details(),
        rx.el.div(
            rx.el.button(text("invoices.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=follows,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form order-form invoice-form",
    )  # fmt: skip


def invoice_card(invoice: Value, files: Value) -> rx.Component:
    """Show an invoice: where it stands, what happens next, what was asked for, what was reversed."""
    withdraw = rx.el.button(
        text("invoices.withdraw"),
        type="button",
        class_name="button quiet warns",
        custom_attrs=opens(WITHDRAW_DIALOG),
    )
    return card(
        rx.el.div(_next_step(invoice.standing), class_name="news", aria_live="polite"),
        rx.cond(
            invoice.words != "",
            rx.el.div(
                rx.el.strong(text("invoices.why_refused")),
                rx.el.p(invoice.words, class_name="own-words"),
                class_name="note tone-bad",
            ),
        ),
        invoice_particulars(invoice),
        rx.cond(invoice.red_letters.length() > 0, red_letters(invoice.red_letters)),
        file_list(files),
        rx.el.div(
            rx.cond(invoice.is_withdrawable, withdraw),
            file_link(text("invoices.sheet"), address=invoice.sheet, class_name="button"),
            class_name="dialog-actions",
        ),
        title=rx.cond(invoice.number == "", text("invoices.request"), text("invoices.of", number=invoice.number)),
        side=standing_badge(invoice.standing),
    )


def invoice_particulars(invoice: Value, *more: rx.Component) -> rx.Component:
    """Show what is invoiced to whom; more facts stand behind kind and amount."""
    facts = (
        ("invoices.buyer", invoice.title),
        ("invoices.tax_id", invoice.tax_id),
        ("invoices.orders", invoice.orders),
        ("invoices.email", invoice.delivery_email),
        ("invoices.requested", invoice.requested),
        ("invoices.number", invoice.number),
        ("invoices.issued_on", invoice.issued_on),
        *((f"buyer_detail.{name}", getattr(invoice, name)) for name in _DETAILS),
    )
    return rx.el.dl(
        fact(text("invoices.amount"), money_text(invoice.amount, size="large")),
        fact(text("invoices.kind"), rx.el.span(kind_name(invoice.kind))),
        *more,
        *[rx.cond(value != "", fact(text(key), rx.el.span(value, class_name="own-words"))) for key, value in facts],
        class_name="facts in-two",
    )


def withdraw_dialog(invoice: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before a request is taken back."""
    return confirm_dialog(
        element_id=WITHDRAW_DIALOG,
        title=text("invoices.withdraw_title"),
        consequence=rx.el.p(
            rx.el.strong(money_text(invoice.amount)), rx.el.br(), text("invoices.withdraw_consequence")
        ),
        confirm=text("invoices.withdraw"),
        on_confirm=on_confirm,
    )


def invoice_table(invoices: Value, *, is_loaded: Value, on_look: Any) -> rx.Component:
    """List invoices and requests for some, newest first."""
    return data_table(
        columns=[
            Column(text("invoices.requested"), lambda one: rx.el.span(one.requested, class_name="figure")),
            Column(text("invoices.kind"), lambda one: kind_name(one.kind)),
            Column(text("invoices.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
            Column(text("invoices.status"), lambda one: standing_badge(one.standing)),
            Column(text("invoices.number"), lambda one: rx.cond(one.number == "", "–", rx.el.code(one.number))),
            Column(
                text("invoices.actions"),
                lambda one: look_button(one.id, one.requested, on_look, shows=OPEN_INVOICE),
                align=Align.ACTIONS,
            ),
        ],
        rows=invoices,
        caption=text("invoices.list"),
        is_loaded=is_loaded,
        empty=empty_state(text("invoices.none"), text("invoices.none_next")),
    )


def standing_badge(standing: Value) -> rx.Component:
    """Say how far an invoice is."""
    return status_badge(standing, prefix="invoice", tones={one.value: tone for one, tone in _TONES.items()})


def _next_step(standing: Value) -> rx.Component:
    """Say what happens next, or what to do."""
    return rx.match(
        standing,
        *[(one.value, note(text(f"invoice_next.{one}"), tone=tone.value)) for one, tone in _TONES.items()],
        rx.fragment(),
    )


def kind_name(kind: Value) -> Value:
    """Name a kind."""
    return rx.match(kind, *[(one.value, text(f"invoice_kind.{one}")) for one in InvoiceKind], "")


def _kind(kind: Value, kinds: Value) -> rx.Component:
    """Offer one kind; the first is chosen."""
    return rx.el.label(
        rx.el.input(type="radio", name="kind", value=kind, default_checked=kind == kinds[0]),
        rx.el.span(kind_name(kind)),
        class_name="tick",
    )


def _what_for(*, currency: Value, choices: Value) -> rx.Component:
    """Ask for an amount, or for the top-ups that the invoice names, if there are any."""
    amount = field(
        text("invoices.amount_in", currency=currency),
        rx.el.input(
            name="amount", max_length=AMOUNT_CHARACTERS_MAX, input_mode="decimal", auto_complete="off",
            class_name="input",
        ),
        hint=text("invoices.amount_hint"),
    )  # fmt: skip
    by_orders = rx.fragment(
        rx.el.fieldset(
            rx.el.legend(text("invoices.by"), class_name="field-label"),
            *[
                rx.el.label(
                    rx.el.input(type="radio", name="by", value=value, default_checked=value != BY_ORDERS),
                    rx.el.span(text(f"invoice_by.{value}")),
                    class_name="tick",
                )
                for value in ("amount", BY_ORDERS)
            ],
            class_name="fieldset",
        ),
        rx.el.fieldset(
            rx.el.legend(text("invoices.orders"), class_name="field-label"),
            rx.foreach(choices, _order),
            class_name="fieldset when-orders",
        ),
    )
    return rx.fragment(
        rx.cond(choices.length() > 0, by_orders),
        rx.el.div(amount, class_name="when-amount"),
    )


def _order(choice: Value) -> rx.Component:
    """Offer one top-up."""
    return rx.el.label(
        rx.el.input(type="checkbox", name=choice.field_name),
        rx.el.span(
            rx.el.code(choice.reference), " ", money_text(choice.amount), " ",
            rx.el.span(choice.credited, class_name="quiet-text figure"),
        ),
        key=choice.field_name,
        class_name="tick",
    )  # fmt: skip


def _details() -> rx.Component:
    """Ask for what a special fapiao may say beside name and tax number."""
    fields = [
        field(
            text(f"buyer_detail.{name}"),
            rx.el.input(name=name, max_length=CHARACTERS_MAX[name], auto_complete="off", class_name="input"),
        )
        for name in _DETAILS
    ]
    return rx.el.details(
        rx.el.summary(text("invoices.details")),
        rx.el.div(*fields, class_name="field-columns"),
        class_name="more-fields",
    )


def red_letters(letters: Value) -> rx.Component:
    """List what was reversed, and why."""
    return rx.el.div(
        rx.el.h3(text("invoices.red_letters"), class_name="field-label"),
        rx.el.ul(rx.foreach(letters, _red_letter), class_name="red-letters"),
        class_name="note tone-warning",
    )


def _red_letter(letter: Value) -> rx.Component:
    """Show one reversal."""
    return rx.el.li(
        rx.el.strong(text("invoices.red_letter", number=letter.number)),
        " ",
        money_text(letter.amount),
        " ",
        rx.el.span(letter.issued_on, class_name="figure"),
        rx.el.p(letter.words, class_name="own-words"),
    )
