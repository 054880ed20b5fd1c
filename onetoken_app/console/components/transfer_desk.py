"""Parts of finance's desk: a reported transfer with its particulars, and the two ways to decide on it."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import note
from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.top_up_orders import fact, look_button, order_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX
from onetoken_app.payments.bank_entries import BANK_ENTRY_CHARACTERS_MAX
from onetoken_app.payments.models import TransferRefusal
from onetoken_app.payments.words import WORDS_CHARACTERS_MAX


def transfer_columns(on_look: Any) -> list[Column]:
    """Describe the list of what waits."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("top_up.reported"), lambda one: rx.el.span(one.reported, class_name="figure")),
        Column(text("transfers.approvals"), lambda one: rx.el.span(one.approvals, class_name="figure")),
        Column(text("top_up.actions"), lambda one: look_button(one.id, _spoken(one), on_look), align=Align.ACTIONS),
    ]


def decision_columns() -> list[Column]:
    """Describe the list of what was decided."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("top_up.reported"), lambda one: rx.el.span(one.reported, class_name="figure")),
        Column(text("top_up.status"), _decision),
        Column(text("transfers.bank_entry"), lambda one: rx.el.span(one.bank_entry, class_name="figure")),
        Column(text("transfers.approvers"), lambda one: one.approvers),
    ]


def _spoken(one: Value) -> Value:
    """Name a transfer so that two of one organization differ for who hears the page."""
    return one.organization + " " + one.reference


def _decision(one: Value) -> rx.Component:
    """Say what was decided, and why it was not credited."""
    reasons = [(reason.value, text(f"transfer_refusal.{reason}")) for reason in TransferRefusal]
    return rx.fragment(
        order_badge(one.standing),
        rx.cond(
            one.refusal != "",
            rx.el.span(
                rx.match(one.refusal, *reasons, ""),
                rx.cond(one.words != "", rx.el.span(" · ", one.words)),
                class_name="quiet-text cell-note",
            ),
        ),
    )


def transfer_particulars(transfer: Value) -> rx.Component:
    """Show what was reported, and by whom."""
    payer = rx.el.span(
        transfer.payer_name,
        rx.cond(transfer.is_payer_another, rx.el.span(" ", text("transfers.payer_differs"), class_name="fact-warning")),
    )
    facts = (
        ("frame.organization", transfer.organization),
        ("organizations.code", transfer.code),
        ("transfers.bank_reference", transfer.bank_reference),
        ("report.paid_on", transfer.paid_on),
        ("top_up.reported", transfer.reported),
        ("transfers.reported_by", transfer.reported_by),
        ("top_up.ordered", transfer.ordered),
        ("transfers.ordered_by", transfer.ordered_by),
        ("transfers.approvers", transfer.approvers),
        ("transfers.bank_entry", transfer.bank_entry),
    )
    return rx.el.dl(
        fact(text("top_up.amount"), money_text(transfer.amount, size="large")),
        fact(text("top_up.reference"), rx.el.code(transfer.reference, class_name="reference")),
        fact(text("report.payer"), payer),
        *[rx.cond(value != "", fact(text(key), rx.el.span(value))) for key, value in facts],
        class_name="facts in-two",
    )


def approve_form(transfer: Value, *, on_submit: Any) -> rx.Component:
    """Ask what the bank statement says; a second person names the same entry as the first."""
    return rx.el.form(
        _which(transfer),
        rx.el.h3(text("transfers.approve_title"), class_name="field-label"),
        rx.cond(transfer.needs_second, note(text("transfers.needs_second"))),
        field(
            text("transfers.received", currency=transfer.amount.currency),
            rx.el.input(
                name="received",
                required=True,
                max_length=AMOUNT_CHARACTERS_MAX,
                input_mode="decimal",
                auto_complete="off",
                class_name="input",
            ),
            hint=text("transfers.received_hint"),
        ),
        field(
            text("transfers.bank_entry"),
            rx.el.input(
                name="bank_entry",
                required=True,
                max_length=BANK_ENTRY_CHARACTERS_MAX,
                auto_complete="off",
                class_name="input",
            ),
            hint=text("transfers.bank_entry_hint"),
        ),
        rx.el.div(
            rx.el.button(text("transfers.approve"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"approve-{transfer.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def refuse_form(transfer: Value, *, on_submit: Any) -> rx.Component:
    """Ask for a reason of the list, and words of one's own."""
    reasons = [rx.el.option(text(f"transfer_refusal.{one}"), value=one.value) for one in TransferRefusal]
    return rx.el.form(
        _which(transfer),
        rx.el.h3(text("transfers.refuse_title"), class_name="field-label"),
        field(text("reviews.reason"), rx.el.select(*reasons, name="reason", class_name="input")),
        field(
            text("reviews.words"),
            rx.el.textarea(name="words", rows="3", max_length=WORDS_CHARACTERS_MAX, class_name="input"),
            hint=text("reviews.words_hint"),
        ),
        rx.el.div(
            rx.el.button(text("transfers.refuse"), type="submit", class_name="button warns"),
            class_name="dialog-actions",
        ),
        key=f"refuse-{transfer.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _which(transfer: Value) -> rx.Component:
    """Post for which transfer, as it was, a form is filled in; the server may have opened another meanwhile."""
    return rx.fragment(
        rx.el.input(type="hidden", name="order_id", value=transfer.id, read_only=True),
        rx.el.input(type="hidden", name="revision", value=transfer.revision, read_only=True),
    )
