"""A titled part of a page, and the page's own heading."""

import reflex as rx

from onetoken_app.console.values import Value


def card(*content: rx.Component, title: Value | None = None, side: rx.Component | None = None) -> rx.Component:
    """Frame content under a title, with something at its side."""
    heading = (
        rx.el.div(
            rx.el.h2(title, class_name="card-title"),
            side if side is not None else rx.fragment(),
            class_name="card-head",
        )
        if title is not None
        else rx.fragment()
    )
    return rx.el.section(heading, *content, class_name="card")


def page_heading(title: Value, *, lead: Value | None = None, side: rx.Component | None = None) -> rx.Component:
    """Say where the reader is, and what can be done here."""
    return rx.el.div(
        rx.el.div(
            rx.el.h1(title, class_name="page-title"),
            rx.el.p(lead, class_name="page-lead") if lead is not None else rx.fragment(),
        ),
        side if side is not None else rx.fragment(),
        class_name="page-heading",
    )


def note(words: Value, *, tone: str = "neutral") -> rx.Component:
    """Say something that the reader should know here."""
    return rx.el.p(words, class_name=f"note tone-{tone}")
