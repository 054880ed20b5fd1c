"""One figure that matters."""

import reflex as rx

from onetoken_app.console.values import Value


def stat_card(*, label: Value, figure: rx.Component, note: rx.Component | Value | None = None) -> rx.Component:
    """Show a figure with its name above and a remark below."""
    return rx.el.div(
        rx.el.dt(label, class_name="stat-label"),
        rx.el.dd(figure, class_name="stat-figure"),
        rx.el.dd(note, class_name="stat-note") if note is not None else rx.fragment(),
        class_name="stat",
    )


def stat_row(*cards: rx.Component) -> rx.Component:
    """Put figures side by side."""
    return rx.el.dl(*cards, class_name="stats")
