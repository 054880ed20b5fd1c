"""A forgotten password: ask for the mail with the link."""

import reflex as rx

from onetoken_app.console.components.joining import email_field
from onetoken_app.console.components.outcomes import done, outcomes
from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.lookup import text


def password_forgotten() -> rx.Component:
    """Show the form; the answer is the same for people who do not exist."""
    return bare(
        rx.el.div(
            rx.el.h1(text("password.forgotten"), class_name="page-title"),
            rx.el.p(text("password.forgotten_lead"), class_name="page-lead"),
            rx.el.form(
                rx.el.div(
                    email_field(text("sign_in.email")),
                    outcomes(("too_many_requests", "join.wait"), ("invalid_request", "join.check_email")),
                    rx.el.button(text("password.send"), type="submit", class_name="button primary wide"),
                    class_name="form before-done",
                ),
                done(text("password.sent")),
                rx.el.input(type="hidden", name="locale", value=LocaleState.code, read_only=True),
                method="post",
                custom_attrs={"data-posts": "password/forgotten"},
            ),
            rx.el.p(rx.el.a(text("password.back"), href="/sign-in"), class_name="quiet-text"),
            class_name="card sign-in",
        )
    )


PAGE = Page(
    route="/password/forgotten", title_key="password.forgotten", body=password_forgotten, on_load=(LocaleState.derive,)
)
