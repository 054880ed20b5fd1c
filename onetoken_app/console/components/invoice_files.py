"""Files of what was issued: the list to keep them from, and finance's form that takes one more."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.components.file_chooser import file_chooser
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value

_REFUSALS = (
    ("forbidden", "error.role"),
    ("issuer_involved", "error.issuer_involved"),
    ("invoice_changed", "error.invoice_changed"),
    ("invoice_file_too_large", "invoice_file.too_large"),
    ("invoice_file_format", "invoice_file.wrong_format"),
    ("too_many_requests", "document.one_at_a_time"),
    ("unavailable", "error.unavailable"),
    ("too_slow", "document.too_slow"),
)


def file_list(files: Value) -> rx.Component:
    """List the files of an invoice and of its red letters; a name hands the file out."""
    return rx.cond(
        files.length() > 0,
        rx.el.div(
            rx.el.h3(text("invoice_file.files"), class_name="field-label"),
            rx.el.ul(rx.foreach(files, _file), class_name="plain-list"),
        ),
    )


def _file(one: Value) -> rx.Component:
    """Lead to one file."""
    return rx.el.li(
        file_link(one.name, address=one.address),
        " ",
        rx.el.span(one.paper, " · ", one.format, " · ", one.size, class_name="quiet-text"),
    )


def upload_form(invoice: Value, *, on_uploaded: Any) -> rx.Component:
    """Take one file of the invoice or of one of its red letters; the page's script sends it past every State."""
    papers = rx.el.select(
        rx.el.option(text("invoices.of", number=invoice.number), value=invoice.id),
        rx.foreach(
            invoice.red_letters,
            lambda one: rx.el.option(text("invoices.red_letter", number=one.number), value=one.id),
        ),
        name="paper_id",
        class_name="input",
    )
    return rx.el.form(
        rx.el.input(type="hidden", name="invoice_id", value=invoice.id, read_only=True),
        rx.el.h3(text("invoice_file.title"), class_name="field-label"),
        field(text("invoice_file.of"), papers),
        field(text("document.file"), file_chooser(accept=".pdf,.ofd,.xml"), hint=text("invoice_file.hint")),
        outcomes(*_REFUSALS),
        rx.el.div(
            rx.el.button(text("document.upload"), type="submit", class_name="button"), class_name="dialog-actions"
        ),
        rx.el.button(type="button", on_click=on_uploaded, hidden=True, custom_attrs={"data-after-post": ""}),
        key=f"file-{invoice.id}",
        class_name="form document-form",
        method="post",
        custom_attrs={"data-posts": "invoice-files"},
    )
