"""Prices in words: the kind of use, the price with every digit, and what it is for."""

import reflex as rx

from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.shown.prices import PriceUnit
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.pricing.models import Scope
from onetoken_app.token_usage import TokenKind

_SCOPE_TONES = {
    Scope.OFFER.value: Tone.GOOD,
    Scope.CONTRACT.value: Tone.WARNING,
    Scope.COST.value: Tone.NEUTRAL,
    Scope.LIST.value: Tone.NEUTRAL,
}


def price_lines(prices: Value) -> rx.Component:
    """List the prices of a model."""
    return rx.el.ul(rx.foreach(prices, _line), class_name="price-lines")


def kind_name(kind: Value) -> Value:
    """Name a kind of use."""
    return rx.match(kind, *[(one.value, text(f"price_kind.{one}")) for one in TokenKind], "")


def unit_name(unit: Value) -> Value:
    """Say what a price is for."""
    return rx.match(unit, *[(one.value, text(f"price_unit.{one}")) for one in PriceUnit], "")


def tier_note(from_tokens: Value) -> rx.Component:
    """Say from which length of the input on a price applies; nothing when always."""
    return rx.cond(
        from_tokens != "", rx.el.span(text("prices.from_tokens", count=from_tokens), class_name="quiet-text price-tier")
    )


def scope_badge(scope: Value) -> rx.Component:
    """Say whom prices are for."""
    return status_badge(scope, prefix="price_scope", tones=_SCOPE_TONES)


def _line(line: Value) -> rx.Component:
    """Show one price."""
    return rx.el.li(
        rx.el.span(kind_name(line.kind), " ", tier_note(line.from_tokens), class_name="price-kind"),
        rx.el.span(
            rx.el.span(
                rx.el.span(line.currency, class_name="money-currency"),
                " ",
                rx.el.span(line.price, class_name="strong"),
                class_name="money",
            ),
            " ",
            rx.el.span(unit_name(line.unit), class_name="quiet-text"),
            class_name="price-figure",
        ),
    )
