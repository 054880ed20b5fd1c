"""Sign-up, its second step: who signs for which organization, for what, and what both sides agree on.

The link's secret is in no State and in no address: ``assets/link.js`` takes it out before anything is sent.
"""

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.declarations import statement
from onetoken_app.agreements.models import AgreementKind, DeclarationKind
from onetoken_app.console.callers import Role
from onetoken_app.console.components.countries import by_country, country_field
from onetoken_app.console.components.joining import (
    LINK_REFUSALS,
    PASSWORD_REFUSALS,
    acceptance_box,
    authority_box,
    linked_address,
    new_password_field,
    text_field,
)
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.frame import Page, bare
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.agreements import ShownVersion, version_in_force
from onetoken_app.console.text.lookup import text
from onetoken_app.organizations.models import Scenario


class SignUpContinueState(rx.State):
    """The texts that are agreed on, in the reader's language."""

    terms: ShownVersion = ShownVersion()
    privacy: ShownVersion = ShownVersion()
    authority: str = ""

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Read the texts in force."""
        locale, today = (await self.get_state(LocaleState)).code, clock.utc_now().date()
        self.terms = version_in_force(AgreementKind.TERMS_OF_SERVICE, page="/terms", locale=locale, on=today)
        self.privacy = version_in_force(AgreementKind.PRIVACY_POLICY, page="/privacy", locale=locale, on=today)
        self.authority = statement(DeclarationKind.AUTHORITY, locale)


def sign_up_continue() -> rx.Component:
    """Show the form; the script posts it with the link's secret."""
    return bare(
        rx.el.div(
            rx.el.h1(text("sign_up.continue_title"), class_name="page-title"),
            rx.el.form(
                linked_address(),
                _organization(),
                _person(),
                _agreements(),
                outcomes(
                    *LINK_REFUSALS,
                    ("invalid_registration_code", _wrong_code()),
                    ("organization_registered", "sign_up.code_taken"),
                    *PASSWORD_REFUSALS,
                    ("agreement_changed", "join.text_changed"),
                    ("already_signed_up", "sign_up.known"),
                    ("invalid_request", "join.check_form"),
                ),
                rx.el.button(text("sign_up.complete"), type="submit", class_name="button primary wide"),
                rx.el.input(type="hidden", name="locale", value=LocaleState.code, read_only=True),
                class_name="form",
                method="post",
                custom_attrs={"data-posts": "sign-up/complete", "data-looks": "sign-up/look"},
            ),
            rx.el.p(rx.el.a(text("join.new_link"), href="/sign-up"), class_name="quiet-text"),
            class_name="card sign-in broad",
        )
    )


def _wrong_code() -> rx.Component:
    """Say what is wrong with a code; the two kinds are wrong in different ways."""
    return by_country(text("sign_up.wrong_code_mainland"), text("sign_up.wrong_code_elsewhere"))


def _organization() -> rx.Component:
    """Ask for the organization and its purposes."""
    return rx.el.fieldset(
        rx.el.legend(text("frame.organization"), class_name="card-title"),
        text_field(
            "organization_name",
            text("sign_up.organization_name"),
            hint=text("sign_up.organization_name_hint"),
            kind="organization",
        ),
        country_field(text("sign_up.country")),
        text_field(
            "registration_code",
            text("sign_up.code"),
            hint=by_country(text("sign_up.code_hint_mainland"), text("sign_up.code_hint_elsewhere")),
            length_max=64,
        ),
        rx.el.p(text("sign_up.scenarios"), class_name="field-label"),
        rx.el.div(
            *[
                rx.el.label(
                    rx.el.input(type="checkbox", name="scenarios", value=scenario.value),
                    rx.el.span(text(f"scenario.{scenario}")),
                    class_name="tick",
                )
                for scenario in Scenario
            ],
            class_name="tick-columns",
        ),
        rx.el.p(text("sign_up.public_service"), class_name="note tone-warning when-public"),
        class_name="fieldset form",
    )


def _person() -> rx.Component:
    """Ask who signs."""
    return rx.el.fieldset(
        rx.el.legend(text("sign_up.person"), class_name="card-title"),
        text_field("name", text("join.name"), kind="name"),
        text_field("title", text("join.position"), hint=text("join.position_hint"), kind="organization-title"),
        new_password_field(),
        class_name="fieldset form",
    )


def _agreements() -> rx.Component:
    """Ask for what is agreed on."""
    state = SignUpContinueState
    return rx.el.fieldset(
        rx.el.legend(text("join.agreements"), class_name="card-title"),
        authority_box(state.authority),
        acceptance_box(state.terms, name=text("nav.terms"), kind=AgreementKind.TERMS_OF_SERVICE.value),
        acceptance_box(state.privacy, name=text("nav.privacy"), kind=AgreementKind.PRIVACY_POLICY.value),
        class_name="fieldset",
    )


PAGE = Page(
    route="/sign-up/continue",
    title_key="sign_up.continue_title",
    body=sign_up_continue,
    on_load=(LocaleState.derive, SignUpContinueState.load),
)
