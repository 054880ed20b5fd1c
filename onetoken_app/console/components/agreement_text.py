"""An agreement with what identifies its text: version, digest, the exact file, the other versions."""

import reflex as rx

from onetoken_app.console.components.card import note
from onetoken_app.console.components.data_table import loading_rows
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.prose import prose
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def agreement_text(agreement: Value, *, is_loaded: Value, is_missing: Value) -> rx.Component:
    """Show one version, or say that there is none."""
    shown = rx.cond(
        is_missing,
        note(text("agreement.missing"), tone="warning"),
        rx.el.div(
            _standing(agreement),
            rx.el.article(prose(agreement.blocks), class_name="card agreement"),
            rx.el.aside(_identity(agreement), class_name="card agreement-side", aria_label=text("agreement.identity")),
            class_name="agreement-layout",
        ),
    )
    return rx.cond(is_loaded, shown, loading_rows())


def _standing(agreement: Value) -> rx.Component:
    """Say that another version counts today."""
    return rx.cond(
        agreement.is_upcoming,
        note(text("agreement.upcoming"), tone="warning"),
        rx.cond(agreement.is_current, rx.fragment(), note(text("agreement.superseded"), tone="warning")),
    )


def _identity(agreement: Value) -> rx.Component:
    """Name the text exactly."""
    return rx.el.dl(
        _fact(text("agreement.version"), rx.el.a(agreement.version, href=agreement.address)),
        _fact(text("agreement.sha256"), rx.el.code(agreement.sha256, class_name="digest")),
        _fact(text("agreement.file"), file_link(text("agreement.open_file"), address=agreement.file, is_kept=False)),
        _fact(
            text("agreement.versions"),
            rx.el.ul(rx.foreach(agreement.versions, lambda one: rx.el.li(rx.el.a(one.version, href=one.address)))),
        ),
        class_name="facts",
    )


def _fact(label: Value, fact: rx.Component) -> rx.Component:
    """Show one fact under its name."""
    return rx.el.div(rx.el.dt(label), rx.el.dd(fact), class_name="fact")
