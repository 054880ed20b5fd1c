"""A new password, for whoever holds the link of the mail."""

import reflex as rx

from onetoken_app.console.components.joining import LINK_REFUSALS, PASSWORD_REFUSALS, linked_address, new_password_field
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.lookup import text


def password_reset() -> rx.Component:
    """Show the form; the script posts it with the link's secret, which is in no State."""
    return bare(
        rx.el.div(
            rx.el.h1(text("password.reset"), class_name="page-title"),
            rx.el.p(text("password.reset_lead"), class_name="page-lead"),
            rx.el.form(
                linked_address(),
                new_password_field(),
                outcomes(*LINK_REFUSALS, *PASSWORD_REFUSALS),
                rx.el.button(text("password.save"), type="submit", class_name="button primary wide"),
                class_name="form",
                method="post",
                custom_attrs={"data-posts": "password/reset", "data-looks": "password/look"},
            ),
            rx.el.p(rx.el.a(text("join.new_link"), href="/password/forgotten"), class_name="quiet-text"),
            class_name="card sign-in",
        )
    )


PAGE = Page(route="/password/reset", title_key="password.reset", body=password_reset, on_load=(LocaleState.derive,))
