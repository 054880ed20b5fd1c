"""Parts of a payment by a provider: the choice of one, and an order that is paid on its page or with its code."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.dialogs import opens
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.payments.models import PaymentProvider

CANCEL_DIALOG = "cancel-order"
"""Asks before it calls an order off."""


def provider_name(provider: Value) -> Value:
    """Name a way to pay."""
    names = [(one.value, text(f"payment_provider.{one}")) for one in PaymentProvider]
    return rx.match(provider, *names, "")


def provider_choice(providers: Value) -> rx.Component:
    """Ask how to pay, when there is a choice; without one it is a bank transfer."""
    return rx.cond(
        providers.length() > 1,
        rx.el.fieldset(
            rx.el.legend(text("top_up.provider"), class_name="field-label"),
            rx.foreach(providers, _one_provider),
            class_name="fieldset",
        ),
    )


def _one_provider(provider: Value) -> rx.Component:
    """Offer one way to pay."""
    is_first = provider == PaymentProvider.BANK_TRANSFER.value
    return rx.el.label(
        rx.el.input(type="radio", name="provider", value=provider, default_checked=is_first),
        rx.el.span(provider_name(provider)),
        class_name="tick",
    )


def payment_facts(order: Value, *, code: Value, may_pay: Value, on_pay: Any, on_check: Any) -> rx.Component:
    """Show what is to be paid, the code to scan if there is one, and what can be done.

    Args:
        order: The one that is open.
        code: Address of the picture of a code; empty: it is paid on the provider's page.
        may_pay: Whether the reader is one of those who do.
        on_pay: Leads to the provider.
        on_check: Asks the provider what became of it.
    """
    facts = rx.el.dl(
        _fact(text("top_up.amount"), money_text(order.amount, size="large")),
        _fact(text("top_up.provider"), rx.el.span(provider_name(order.provider))),
        _fact(text("top_up.reference"), rx.el.code(order.reference)),
        rx.cond(order.is_payable, _fact(text("top_up.until"), rx.el.span(order.expires, class_name="figure"))),
        rx.cond(order.credited != "", _fact(text("top_up.credited_at"), rx.el.span(order.credited))),
        class_name="facts",
    )
    ways = rx.cond(order.is_payable & may_pay, _ways_on(code, on_pay, on_check))
    return rx.el.div(facts, ways, class_name="pay-facts")


def _ways_on(code: Value, on_pay: Any, on_check: Any) -> rx.Component:
    """Offer to pay, to ask, and to call it off."""
    picture = rx.el.figure(
        rx.el.img(src=code, alt=text("pay.code"), width="220", height="220", class_name="pay-code"),
        rx.el.figcaption(text("pay.scan"), class_name="quiet-text"),
        class_name="pay-figure",
    )
    return rx.fragment(
        rx.cond(code != "", picture),
        rx.el.div(
            rx.el.button(
                text("top_up.cancel"), type="button", class_name="button quiet warns", custom_attrs=opens(CANCEL_DIALOG)
            ),
            rx.el.button(text("pay.check"), type="button", class_name="button", on_click=on_check),
            rx.el.button(text("pay.go"), type="button", class_name="button primary", on_click=on_pay),
            class_name="dialog-actions",
        ),
    )


def _fact(label: Value, shown: rx.Component) -> rx.Component:
    """Show one fact under its name."""
    return rx.el.div(rx.el.dt(label), rx.el.dd(shown), class_name="fact")
