"""Buttons at the end of a row."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.dialogs import opens
from onetoken_app.console.values import Value


def row_action(label: Value, about: Value, dialog_id: str, on_click: Any, *, class_name: str = "") -> rx.Component:
    """Open a dialog about a row.

    Args:
        label: What is done.
        about: To what; read out after the label.
        dialog_id: Which dialog.
        on_click: Tells the State which row.
        class_name: Besides that of a small button.
    """
    return rx.el.button(
        label,
        rx.el.span(" ", about, class_name="unseen"),
        type="button",
        class_name=f"button quiet small {class_name}",
        on_click=on_click,
        custom_attrs=opens(dialog_id),
    )
