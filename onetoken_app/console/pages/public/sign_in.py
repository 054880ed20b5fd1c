"""Sign-in. The form is posted by the page's script to ``account_routes``: the password never enters a State."""

from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components.fields import field
from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.navigation import OVERVIEW
from onetoken_app.console.session import event_for, reader
from onetoken_app.console.text.lookup import text


class SignInState(rx.State):
    """Nothing but the way past this page."""

    @event_for(Role.NOBODY)
    async def load(self) -> Any:
        """Send somebody who is signed in on to the overview."""
        return rx.redirect(OVERVIEW, replace=True) if await reader(self) else None


def sign_in() -> rx.Component:
    """Show the form; the script marks it with an outcome, and the style sheet shows the outcome's words."""
    return bare(
        rx.el.div(
            rx.el.h1(text("sign_in.title"), class_name="page-title"),
            rx.el.p(text("sign_in.lead"), class_name="page-lead"),
            rx.el.form(
                field(
                    text("sign_in.email"),
                    rx.el.input(
                        name="email",
                        type="email",
                        auto_complete="username",
                        required=True,
                        max_length=254,
                        class_name="input",
                        auto_focus=True,
                    ),
                ),
                field(
                    text("sign_in.password"),
                    rx.el.input(
                        name="password",
                        type="password",
                        auto_complete="current-password",
                        required=True,
                        max_length=1024,
                        class_name="input",
                    ),
                ),
                _outcomes(),
                rx.el.button(text("sign_in.submit"), type="submit", class_name="button primary wide"),
                class_name="form",
                method="post",
                custom_attrs={"data-posts": "sign-in"},
            ),
            rx.el.p(
                rx.el.a(text("sign_in.forgotten"), href="/password/forgotten"),
                rx.el.span(text("sign_in.no_account"), " ", rx.el.a(text("sign_up.title"), href="/sign-up")),
                class_name="quiet-text ways",
            ),
            class_name="card sign-in",
        )
    )


def _outcomes() -> rx.Component:
    """Hold the words of each outcome, ready before any is needed."""
    return rx.el.div(
        rx.el.p(text("sign_in.wrong"), class_name="note tone-bad", custom_attrs={"data-when": "wrong_credentials"}),
        rx.el.p(
            text("sign_in.wait"),
            " ",
            rx.el.span(class_name="count", custom_attrs={"data-seconds": ""}),
            class_name="note tone-warning",
            custom_attrs={"data-when": "too_many_sign_ins"},
        ),
        rx.el.p(text("sign_in.origin"), class_name="note tone-bad", custom_attrs={"data-when": "foreign_origin"}),
        rx.el.p(text("form.failed"), class_name="note tone-bad", custom_attrs={"data-when": "failed"}),
        class_name="outcomes",
        role="alert",
    )


PAGE = Page(route="/sign-in", title_key="sign_in.title", body=sign_in, on_load=(LocaleState.derive, SignInState.load))
