"""Labelled fields."""

from typing import Any

import reflex as rx

from onetoken_app.console.shown.moments import PeriodName
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def field(label: Value, control: rx.Component, *, hint: Value | None = None) -> rx.Component:
    """Put a label over a control that stands inside it."""
    return rx.el.label(
        rx.el.span(label, class_name="field-label"),
        control,
        rx.el.span(hint, class_name="field-hint") if hint is not None else rx.fragment(),
        class_name="field",
    )


def choice(
    label: Value,
    *,
    options: rx.Component | list[rx.Component],
    value: Value,
    on_change: Any,
    is_label_seen: bool = True,
) -> rx.Component:
    """Choose one of a list; the State holds the choice."""
    choices = options if isinstance(options, list) else [options]
    control = rx.el.select(*choices, value=value, on_change=on_change, class_name="input")
    if is_label_seen:
        return field(label, control)
    return rx.el.label(rx.el.span(label, class_name="unseen"), control, class_name="field")


def period_choice(value: Value, on_change: Any) -> rx.Component:
    """Choose the period that a page is about."""
    options = [rx.el.option(text(f"period.{name}"), value=name.value) for name in PeriodName]
    return choice(text("usage.period"), options=options, value=value, on_change=on_change)
