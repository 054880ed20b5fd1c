"""Charges by day as bars. The exact amount of a bar is a text, for the pointer, the keyboard and the screen reader."""

import reflex as rx

from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def spend_chart(chart: Value, *, label: Value) -> rx.Component:
    """Draw the bars with an axis of three marks."""
    return rx.el.figure(
        rx.el.div(
            rx.el.span(chart.top, class_name="axis-mark"),
            rx.el.span(chart.middle, class_name="axis-mark"),
            rx.el.span("0", class_name="axis-mark"),
            class_name="axis",
            aria_hidden="true",
        ),
        rx.el.ol(rx.foreach(chart.days, _bar), class_name="bars", custom_attrs={"aria-label": label}),
        class_name="chart",
    )


def share_list(shares: Value, *, empty: Value) -> rx.Component:
    """Compare names by what they came to."""
    return rx.cond(
        shares.length() > 0,
        rx.el.ol(rx.foreach(shares, _share), class_name="shares"),
        rx.el.p(empty, class_name="empty-next"),
    )


def _bar(day: Value) -> rx.Component:
    """Draw one day."""
    return rx.el.li(
        rx.el.span(
            rx.el.span(day.day, class_name="tip-title"),
            money_text(day.charge),
            rx.el.span(text("chart.calls", count=day.call_count)),
            class_name="tip",
        ),
        rx.el.span(class_name="bar", style={"height": day.height}, aria_hidden="true"),
        rx.el.span(day.label, class_name="bar-label", aria_hidden="true"),
        class_name="bar-slot",
        tab_index=0,
    )


def _share(share: Value) -> rx.Component:
    """Draw one line."""
    return rx.el.li(
        rx.el.div(rx.el.span(share.name, class_name="share-name"), money_text(share.charge), class_name="share-head"),
        rx.el.div(
            rx.el.div(class_name="share-fill", style={"width": share.width}),
            class_name="share-track",
            aria_hidden="true",
        ),
        rx.el.span(text("chart.calls", count=share.call_count), class_name="share-calls"),
        class_name="share",
    )
