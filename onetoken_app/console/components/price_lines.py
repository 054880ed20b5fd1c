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


def offer_terms(offer: Value) -> rx.Component:
    """List what a model costs its reader, and say why when it is not the list's price as it stands."""
    until = rx.cond(
        offer.until != "", rx.el.span(text("prices.until_moment", moment=offer.until), class_name="quiet-text")
    )
    return rx.el.div(
        rx.cond(offer.scope != Scope.LIST.value, rx.el.p(scope_badge(offer.scope), " ", until)),
        price_lines(offer.prices),
        rx.cond(offer.ratio != "", rx.el.p(text("prices.with_ratio", ratio=offer.ratio), class_name="quiet-text")),
        rx.cond(
            offer.exchange != "",
            rx.el.p(
                text("prices.converted", currency=offer.published_in, rate=offer.exchange, billed_in=offer.currency),
                class_name="quiet-text",
            ),
        ),
        class_name="price-terms",
    )


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
