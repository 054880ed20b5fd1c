"""Parts of finance's page of what payment providers said and what was ordered at them."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.payment_choice import provider_name
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.payments.models import NewsKind, NewsOutcome, OrderState
from onetoken_app.payments.refused_notifications import REASONS

_WORDS_CHARACTERS_MAX = 128
_OUTCOMES = {
    NewsOutcome.CREDITED: Tone.GOOD,
    NewsOutcome.REPEATED: Tone.NEUTRAL,
    NewsOutcome.REFUND_NOTED: Tone.NEUTRAL,
    NewsOutcome.SURPLUS: Tone.BAD,
    NewsOutcome.WRONG_AMOUNT: Tone.BAD,
    NewsOutcome.WRONG_CURRENCY: Tone.BAD,
    NewsOutcome.WRONG_PROVIDER: Tone.BAD,
    NewsOutcome.UNKNOWN_ORDER: Tone.BAD,
    NewsOutcome.PAYMENT_USED: Tone.BAD,
    NewsOutcome.NOTED: Tone.NEUTRAL,
}
_STATES = {
    OrderState.CREDITED: Tone.GOOD,
    OrderState.CANCELLED: Tone.NEUTRAL,
    OrderState.REPORTED: Tone.NEUTRAL,
    OrderState.REFUSED: Tone.BAD,
    OrderState.OPEN: Tone.WARNING,
}


def search_form(*, on_submit: Any) -> rx.Component:
    """Look for an order or a payment by a whole id; an empty search lists all."""
    sought = rx.el.input(
        type="search", name="sought", max_length=_WORDS_CHARACTERS_MAX, auto_complete="off", class_name="input"
    )
    return rx.el.form(
        field(text("provider_payments.sought"), sought),
        rx.el.button(text("invoice_desk.search"), type="submit", class_name="button"),
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="search-form",
    )


def notification_columns() -> list[Column]:
    """Describe what was believed."""
    kinds = [(one.value, text(f"news_kind.{one}")) for one in NewsKind]
    tones = {one.value: tone for one, tone in _OUTCOMES.items()}
    return [
        Column(text("provider_payments.received"), lambda one: rx.el.span(one.received, class_name="figure")),
        Column(text("top_up.provider"), lambda one: provider_name(one.provider)),
        Column(text("provider_payments.said"), lambda one: rx.match(one.kind, *kinds, "")),
        Column(
            text("provider_payments.outcome"), lambda one: status_badge(one.outcome, prefix="news_outcome", tones=tones)
        ),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("refunds.order"), lambda one: _named(one.order, one.organization)),
        Column(text("provider_payments.payment"), lambda one: _code(one.payment)),
        Column(text("provider_payments.credited_to"), lambda one: _code(one.credited)),
    ]


def refused_columns() -> list[Column]:
    """Describe what was not believed."""
    reasons = [(one, text(f"news_refusal.{one}")) for one in REASONS]
    return [
        Column(text("top_up.provider"), lambda one: provider_name(one.provider)),
        Column(text("adjustments.reason"), lambda one: rx.match(one.reason, *reasons, one.reason)),
        Column(text("provider_payments.how_often"), lambda one: one.count, align=Align.NUMBER),
        Column(text("provider_payments.last"), lambda one: rx.el.span(one.last, class_name="figure")),
    ]


def order_columns() -> list[Column]:
    """Describe the orders at providers."""
    tones = {one.value: tone for one, tone in _STATES.items()}
    return [
        Column(text("refunds.order"), lambda one: _named(one.reference, one.organization)),
        Column(text("top_up.provider"), lambda one: provider_name(one.provider)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("top_up.status"), lambda one: status_badge(one.state, prefix="provider_order", tones=tones)),
        Column(text("top_up.ordered"), lambda one: rx.el.span(one.ordered, class_name="figure")),
        Column(text("provider_payments.started"), lambda one: _moment(one.started)),
        Column(text("provider_payments.asked"), lambda one: _moment(one.asked)),
        Column(text("provider_payments.next_asked"), lambda one: _moment(one.next_asked)),
        Column(text("provider_payments.payment"), lambda one: _code(one.payment)),
    ]


def _named(reference: Value, organization: Value) -> rx.Component:
    """Show an order, and whose it is."""
    return rx.fragment(
        rx.cond(reference == "", "–", rx.el.code(reference)),
        rx.el.span(organization, class_name="quiet-text cell-note"),
    )


def _code(words: Value) -> rx.Component:
    """Show an id, if there is one."""
    return rx.cond(words == "", rx.el.span("–"), rx.el.code(words, class_name="long-id"))


def _moment(words: Value) -> rx.Component:
    """Show a moment, if there is one."""
    return rx.el.span(rx.cond(words == "", "–", words), class_name="figure")
