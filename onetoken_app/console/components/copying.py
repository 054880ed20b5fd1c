"""Texts to take along: a button that copies, and code that has one."""

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def copy_button(target_id: str) -> rx.Component:
    """Copy the text of an element; the page's script does it and says so for two seconds."""
    return rx.el.button(
        rx.el.span(rx.icon("copy", size=14, aria_hidden="true"), text("copy.copy"), class_name="copy-idle"),
        rx.el.span(rx.icon("check", size=14, aria_hidden="true"), text("copy.copied"), class_name="copy-done"),
        type="button",
        class_name="button quiet small copy",
        custom_attrs={"data-copies": target_id},
    )


def snippet(code: Value, *, element_id: str, label: Value) -> rx.Component:
    """Show code to be pasted."""
    return rx.el.figure(
        rx.el.figcaption(rx.el.span(label), copy_button(element_id), class_name="snippet-head"),
        rx.el.pre(rx.el.code(code, id=element_id), tab_index=0),
        class_name="snippet",
    )
