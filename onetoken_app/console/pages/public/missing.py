"""Where nothing is."""

import reflex as rx

from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.lookup import text


def missing() -> rx.Component:
    """Say so, and lead back."""
    return bare(
        rx.el.div(
            rx.el.p("404", class_name="missing-code"),
            rx.el.h1(text("missing.title"), class_name="page-title"),
            rx.el.p(text("missing.lead"), class_name="page-lead"),
            rx.el.a(text("missing.back"), href="/", class_name="button primary"),
            class_name="card sign-in",
        )
    )


PAGE = Page(route="404", title_key="missing.title", body=missing, on_load=(LocaleState.derive,))
