"""An amount with every digit it has."""

import reflex as rx

from onetoken_app.console.values import Value


def money_text(amount: Value, *, size: str = "") -> rx.Component:
    """Show an amount: the digits beyond two decimals are quieter, none is left out."""
    return rx.el.span(
        rx.el.span(amount.currency, class_name="money-currency"),
        " ",
        rx.el.span(amount.main, class_name="money-main"),
        rx.el.span(amount.rest, class_name="money-rest"),
        rx.el.span(amount.pad, class_name="money-pad", aria_hidden="true"),
        class_name=f"money {size}".strip(),
    )
