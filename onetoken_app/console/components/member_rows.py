"""Cells of the members page: a person, a role, what may be done."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.dialogs import opens
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.models import OrganizationRole


def member_name(member: Value) -> rx.Component:
    """Name a member, and mark the reader."""
    is_reader = rx.cond(member.is_reader, rx.el.span(" ", text("members.you"), class_name="quiet-text"))
    return rx.el.span(rx.el.span(member.name, class_name="strong"), is_reader)


def role_name(role: Value) -> rx.Component:
    """Name a role."""
    return rx.el.span(rx.match(role, *[(one.value, text(f"role.{one}")) for one in OrganizationRole], ""))


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
