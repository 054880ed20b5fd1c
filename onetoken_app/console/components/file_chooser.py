"""Offers a file of the person's machine."""

import reflex as rx

from onetoken_app.console.text.lookup import text


def file_chooser(*, accept: str) -> rx.Component:
    """Offer a file; a browser's own words for it follow the browser's language, not ours.

    Args:
        accept: Endings of names, with commas between.
    """
    return rx.el.span(
        rx.el.input(type="file", name="file", required=True, accept=accept, class_name="file-chooser"),
        rx.el.span(text("document.choose"), class_name="button small", aria_hidden="true"),
        rx.el.span(class_name="file-name", custom_attrs={"data-file-name": ""}),
        rx.el.span(text("document.no_file"), class_name="file-none"),
        class_name="input file-input",
    )
