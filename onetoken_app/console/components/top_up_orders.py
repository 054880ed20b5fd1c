"""Parts of a top-up on the organization's side: the form of an order, where to transfer, the report, the list."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.copying import copy_button
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.dialogs import confirm_dialog, opens
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.payment_choice import CANCEL_DIALOG, provider_choice, provider_name
from onetoken_app.console.components.prose import prose
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.shown.top_ups import OrderStanding
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX
from onetoken_app.payments.models import PaymentProvider, TransferRefusal
from onetoken_app.payments.orders import BANK_REFERENCE_CHARACTERS_MAX, PAYER_CHARACTERS_MAX

OPEN_ORDER = "open-order"
"""Where the order that is open stands on its page."""
_TONES = {
    OrderStanding.OPEN: Tone.WARNING,
    OrderStanding.REPORTED: Tone.NEUTRAL,
    OrderStanding.REFUSED: Tone.BAD,
    OrderStanding.CREDITED: Tone.GOOD,
    OrderStanding.EXPIRED: Tone.WARNING,
    OrderStanding.CANCELLED: Tone.NEUTRAL,
    OrderStanding.PAYABLE: Tone.WARNING,
    OrderStanding.PENDING: Tone.NEUTRAL,
    OrderStanding.LAPSED: Tone.WARNING,
}


def order_badge(standing: Value) -> rx.Component:
    """Say how far an order is."""
    return status_badge(standing, prefix="order", tones={one.value: tone for one, tone in _TONES.items()})


def next_step(standing: Value) -> rx.Component:
    """Say what happens next, or what to do."""
    return rx.match(
        standing,
        *[(one.value, note(text(f"order_next.{one}"), tone=tone.value)) for one, tone in _TONES.items()],
        rx.fragment(),
    )


def refusal_given(refusal: Value, words: Value) -> rx.Component:
    """Show why a transfer was not credited, in finance's words too."""
    reasons = [(one.value, rx.el.strong(text(f"transfer_refusal.{one}"))) for one in TransferRefusal]
    return rx.cond(
        refusal != "",
        rx.el.div(
            rx.match(refusal, *reasons, rx.fragment()),
            rx.cond(words != "", rx.el.p(words, class_name="own-words")),
            class_name="note tone-bad",
        ),
    )


def available(amount: Value) -> rx.Component:
    """Show what there is to spend."""
    return rx.el.p(rx.el.span(text("top_up.available"), " ", class_name="stat-label"), money_text(amount))


def not_in_good_standing(standing: Value) -> rx.Component:
    """Say why this organization does not top up, and what to do about it."""
    unverified = rx.el.div(
        rx.el.p(text("top_up.unverified")),
        rx.el.a(text("top_up.verify"), href="/verification", class_name="button primary"),
        class_name="note tone-warning with-action",
    )
    return rx.match(
        standing,
        ("unverified", unverified),
        ("suspended", note(text("top_up.suspended"), tone="bad")),
        rx.fragment(),
    )


def order_form(
    *, currency: Value, providers: Value, statement: Value, submission_id: Value, follows: Value, on_submit: Any
) -> rx.Component:
    """Ask for an amount and for consent; the box posts the digest of the text above it.

    Args:
        currency: Of the amount.
        providers: The ways to pay that are switched on for it.
        statement: What is consented to.
        submission_id: The same one sent twice is one order.
        follows: The reader's latest order; the form is emptied when there is another, and by nothing else.
        on_submit: Called with the form.
    """
    return rx.el.form(
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        field(
            text("top_up.amount_in", currency=currency),
            rx.el.input(
                name="amount",
                required=True,
                max_length=AMOUNT_CHARACTERS_MAX,
                input_mode="decimal",
                auto_complete="off",
                class_name="input",
            ),
            hint=text("top_up.amount_hint"),
        ),
        provider_choice(providers),
        rx.el.div(
            rx.el.p(text("top_up.statement"), class_name="field-label"),
            prose(statement.blocks),
            class_name="statement",
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="consent", value=statement.sha256, required=True),
            rx.el.span(text("top_up.consent")),
            class_name="tick",
        ),
        rx.el.div(
            rx.el.button(text("top_up.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=follows,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form order-form",
    )


def cancel_dialog(order: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before an order is called off."""
    consequence = rx.cond(
        order.provider == PaymentProvider.BANK_TRANSFER.value,
        text("top_up.cancel_consequence"),
        text("top_up.cancel_hosted_consequence"),
    )
    return confirm_dialog(
        element_id=CANCEL_DIALOG,
        title=text("top_up.cancel_title"),
        consequence=rx.el.p(rx.el.strong(order.reference), rx.el.br(), consequence),
        confirm=text("top_up.cancel"),
        keep=text("top_up.keep"),
        on_confirm=on_confirm,
    )


def order_card(
    order: Value, *, transfer: rx.Component, report: rx.Component, payment: rx.Component, may_see_receipt: Value
) -> rx.Component:
    """Show an order: where it stands, and what belongs to the way that it is paid in."""
    return card(
        rx.el.div(
            next_step(order.standing), refusal_given(order.refusal, order.words), class_name="news", aria_live="polite"
        ),
        rx.cond(
            order.provider == PaymentProvider.BANK_TRANSFER.value,
            rx.el.div(transfer, report, class_name="columns"),
            payment,
        ),
        rx.cond(may_see_receipt, receipt_links(order.receipt)),
        title=text("top_up.order_of", reference=order.reference),
        side=order_badge(order.standing),
    )


def transfer_facts(order: Value, *, bank_account: Value) -> rx.Component:
    """Show what to transfer and where to, each to be copied; an amount that is not to be transferred is only shown."""
    account = rx.cond(
        bank_account == "",
        note(text("top_up.no_account"), tone="warning"),
        _copied(bank_account, element_id="bank-account"),
    )
    return rx.el.dl(
        fact(
            text("top_up.amount"),
            rx.el.div(
                money_text(order.amount, size="large"),
                rx.el.span(order.exact, id="order-amount", class_name="unseen"),
                rx.cond(order.is_reportable, copy_button("order-amount")),
                class_name="copied",
            ),
        ),
        fact(text("top_up.reference"), _copied(order.reference, element_id="order-reference", class_name="reference")),
        rx.cond(order.is_reportable, fact(text("top_up.account"), account)),
        rx.cond(order.is_reportable, fact(text("top_up.until"), rx.el.span(order.expires, class_name="figure"))),
        class_name="facts",
    )


def report_form(order: Value, *, payer_name: Value, today: Value, on_submit: Any) -> rx.Component:
    """Ask who transferred, when, and for the bank's number; after a refusal with what was said before."""
    return rx.el.form(
        rx.el.input(type="hidden", name="order_id", value=order.id, read_only=True),
        rx.el.h3(text("report.title"), class_name="field-label"),
        field(
            text("report.payer"),
            rx.el.input(
                name="payer_name",
                default_value=rx.cond(order.payer_name == "", payer_name, order.payer_name),
                required=True,
                max_length=PAYER_CHARACTERS_MAX,
                auto_complete="off",
                class_name="input",
            ),
            hint=text("report.payer_hint"),
        ),
        field(
            text("report.bank_reference"),
            rx.el.input(
                name="bank_reference",
                default_value=order.bank_reference,
                max_length=BANK_REFERENCE_CHARACTERS_MAX,
                auto_complete="off",
                class_name="input",
            ),
            hint=text("report.bank_reference_hint"),
        ),
        field(
            text("report.paid_on"),
            rx.el.input(
                type="date",
                name="paid_on",
                default_value=rx.cond(order.paid_on == "", today, order.paid_on),
                max=today,
                required=True,
                class_name="input",
            ),
        ),
        rx.el.div(
            rx.el.button(
                text("top_up.cancel"), type="button", class_name="button quiet warns", custom_attrs=opens(CANCEL_DIALOG)
            ),
            rx.el.button(text("report.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"{order.id}-{order.standing}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def report_facts(order: Value) -> rx.Component:
    """Show what was reported and what became of it; nothing of what there is nothing of."""
    facts = (
        ("top_up.ordered", order.ordered),
        ("top_up.reported", order.reported),
        ("report.payer", order.payer_name),
        ("report.bank_reference", order.bank_reference),
        ("report.paid_on", order.paid_on),
        ("top_up.credited_at", order.credited),
    )
    return rx.el.dl(
        *[rx.cond(value != "", fact(text(key), rx.el.span(value))) for key, value in facts], class_name="facts"
    )


def receipt_links(address: Value) -> rx.Component:
    """Lead to a receipt: to read and print, or to keep."""
    return rx.cond(
        address != "",
        rx.el.div(
            file_link(text("receipt.open"), address=address, is_kept=False, class_name="button"),
            file_link(text("receipt.download"), address=address, class_name="button primary"),
            class_name="dialog-actions",
        ),
    )


def order_table(orders: Value, *, is_loaded: Value, on_look: Any) -> rx.Component:
    """List orders, newest first."""
    look = Column(text("top_up.actions"), lambda one: look_button(one.id, one.reference, on_look), align=Align.ACTIONS)
    return data_table(
        columns=[
            Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
            Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
            Column(text("top_up.provider"), lambda one: provider_name(one.provider)),
            Column(text("top_up.status"), lambda one: order_badge(one.standing)),
            Column(text("top_up.ordered"), lambda one: rx.el.span(one.ordered, class_name="figure")),
            look,
        ],
        rows=orders,
        caption=text("top_up.orders"),
        is_loaded=is_loaded,
        empty=empty_state(text("top_up.none"), text("top_up.none_next")),
    )


def look_button(row_id: Value, name: Value, on_look: Any, *, shows: str = OPEN_ORDER) -> rx.Component:
    """Open what a row is about; the page's script brings the place ``shows`` into view."""
    return rx.el.button(
        text("top_up.look"),
        rx.el.span(" ", name, class_name="unseen"),
        type="button",
        class_name="button quiet small",
        on_click=on_look(row_id),
        custom_attrs={"data-shows": shows},
    )


def _copied(words: Value, *, element_id: str, class_name: str = "") -> rx.Component:
    """Show words with a button that copies them."""
    return rx.el.div(
        rx.el.span(words, id=element_id, class_name=f"own-words {class_name}".strip()),
        copy_button(element_id),
        class_name="copied",
    )


def fact(label: Value, shown: rx.Component) -> rx.Component:
    """Show one fact under its name."""
    return rx.el.div(rx.el.dt(label), rx.el.dd(shown), class_name="fact")
