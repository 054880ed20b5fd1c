"""Dialogs: the browser's own, opened and closed by the page's script, so that focus and Escape just work."""

from typing import Any

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def dialog(*content: rx.Component, element_id: str, title: Value) -> rx.Component:
    """Hold content until a button with ``opens(element_id)`` is pressed."""
    title_id = f"{element_id}-title"
    return rx.el.dialog(
        rx.el.h2(title, id=title_id, class_name="dialog-title"),
        *content,
        id=element_id,
        class_name="dialog",
        custom_attrs={"aria-labelledby": title_id},
    )


def opens(element_id: str) -> dict[str, str]:
    """Return the attribute of a button that opens a dialog."""
    return {"data-opens": element_id}


def closing_button(label: Value, *, class_name: str = "button quiet", on_click: Any = None) -> rx.Component:
    """Close the dialog that the button stands in."""
    events = {} if on_click is None else {"on_click": on_click}
    return rx.el.button(label, type="button", class_name=class_name, custom_attrs={"data-closes": ""}, **events)


def confirm_dialog(
    *,
    element_id: str,
    title: Value,
    consequence: rx.Component,
    confirm: Value,
    on_confirm: Any,
    keep: Value | None = None,
    takes_away: bool = True,
) -> rx.Component:
    """Ask before something that cannot be taken back; the button says what it does, in red when that is a loss.

    Args:
        element_id: What opens it.
        title: The question.
        consequence: What happens then.
        confirm: Of the button that does it.
        on_confirm: Does it.
        keep: Of the button that does nothing; ``None``: "Cancel", which would be a riddle beside a cancellation.
        takes_away: Whether it is a loss.
    """
    return dialog(
        consequence,
        rx.el.div(
            closing_button(text("dialog.cancel") if keep is None else keep),
            closing_button(
                confirm, class_name="button danger" if takes_away else "button primary", on_click=on_confirm
            ),
            class_name="dialog-actions",
        ),
        element_id=element_id,
        title=title,
    )
