"""The mark: one stroke through a ring, drawn here so that it takes the text's colour."""

import reflex as rx

from onetoken_app.console.theme import PRODUCT_NAME


def mark(*, size: int = 28) -> rx.Component:
    """Draw the mark alone."""
    return rx.el.svg(
        rx.el.path(d="M16 4.5a11.5 11.5 0 1 1-8.1 3.4", class_name="mark-ring"),
        rx.el.path(d="M11.6 12.4 16.6 9v14", class_name="mark-stroke"),
        rx.el.circle(cx="8.9", cy="6.9", r="2.1", class_name="mark-dot"),
        view_box="0 0 32 32",
        width=str(size),
        height=str(size),
        class_name="mark",
        aria_hidden="true",
    )


def wordmark() -> rx.Component:
    """Draw the mark with the name."""
    return rx.el.span(mark(), rx.el.span(PRODUCT_NAME, class_name="wordmark-name"), class_name="wordmark")
