"""Links to routes of ours that hand out a file. The pages' router would look for a page there, so it is passed by."""

import reflex as rx

from onetoken_app.console.values import Value


def file_link(words: Value, *, address: Value, is_kept: bool = True, class_name: str = "") -> rx.Component:
    """Lead to a file.

    Args:
        words: What it is.
        address: The route that hands it out.
        is_kept: Whether the browser keeps it; else it is shown in a window of its own.
        class_name: How the link looks.
    """
    how = {"custom_attrs": {"download": ""}} if is_kept else {"target": "_blank", "rel": "noopener"}
    return rx.el.a(words, href=address, reload_document=True, class_name=class_name, **how)
