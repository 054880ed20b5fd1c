"""Sign-up, its first step: whose account it will be, and the address that the mail goes to."""

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.components.joining import email_field
from onetoken_app.console.components.outcomes import done, outcomes
from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.lookup import text


def sign_up() -> rx.Component:
    """Show the form; the script posts it."""
    return bare(
        rx.el.div(
            rx.el.h1(text("sign_up.title"), class_name="page-title"),
            rx.el.p(text("sign_up.lead"), class_name="page-lead"),
            rx.el.form(
                rx.el.div(
                    email_field(text("sign_up.email")),
                    field(
                        text("sign_up.party"),
                        rx.el.select(
                            rx.el.option(text("sign_up.organization"), value="organization"),
                            rx.el.option(text("sign_up.natural_person"), value="natural_person"),
                            name="party",
                            class_name="input",
                        ),
                    ),
                    outcomes(
                        ("organizations_only", "sign_up.organizations_only"),
                        ("too_many_requests", "join.wait"),
                        ("invalid_request", "join.check_email"),
                    ),
                    rx.el.button(text("sign_up.submit"), type="submit", class_name="button primary wide"),
                    class_name="form before-done",
                ),
                done(text("sign_up.sent")),
                rx.el.input(type="hidden", name="locale", value=LocaleState.code, read_only=True),
                method="post",
                custom_attrs={"data-posts": "sign-up"},
            ),
            rx.el.p(
                text("sign_up.have_account"),
                " ",
                rx.el.a(text("sign_in.title"), href="/sign-in"),
                class_name="quiet-text",
            ),
            class_name="card sign-in",
        )
    )


PAGE = Page(route="/sign-up", title_key="sign_up.title", body=sign_up, on_load=(LocaleState.derive,))
