"""An invitation, for whoever holds the link of the mail: what is offered, who signs, and what is agreed on.

The link's secret is in no State and in no address: ``assets/link.js`` takes it out before anything is sent.
"""

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.declarations import statement
from onetoken_app.agreements.models import AgreementKind, DeclarationKind
from onetoken_app.console.callers import Role
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.joining import (
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
from onetoken_app.console.shown.agreements import PAGES, ShownVersion, version_in_force
from onetoken_app.console.text.lookup import text
from onetoken_app.organizations.models import OrganizationRole


class InvitationState(rx.State):
    """The texts that are agreed on, in the reader's language."""

    terms: ShownVersion = ShownVersion()
    privacy: ShownVersion = ShownVersion()
    authority: str = ""

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Read the texts in force."""
        locale, today = (await self.get_state(LocaleState)).code, clock.utc_now().date()
        terms, privacy = AgreementKind.TERMS_OF_SERVICE, AgreementKind.PRIVACY_POLICY
        self.terms = version_in_force(terms, page=PAGES[terms], locale=locale, on=today)
        self.privacy = version_in_force(privacy, page=PAGES[privacy], locale=locale, on=today)
        self.authority = statement(DeclarationKind.AUTHORITY, locale)


def invitation() -> rx.Component:
    """Show the form; the script asks what the link offers, shows the parts that fit, and posts it."""
    return bare(
        rx.el.div(
            rx.el.h1(text("invitation.title"), class_name="page-title"),
            rx.el.form(
                _offer(),
                _person(),
                _agreements(),
                outcomes(
                    ("link_unknown", "invitation.unknown"),
                    ("link_used", "invitation.used"),
                    ("link_expired", "invitation.expired"),
                    ("invitation_withdrawn", "invitation.withdrawn"),
                    ("sign_in_first", "invitation.sign_in_first"),
                    ("wrong_credentials", "sign_in.wrong"),
                    ("too_many_sign_ins", "sign_in.wait"),
                    *PASSWORD_REFUSALS,
                    ("agreement_changed", "join.text_changed"),
                    ("declaration_missing", "join.check_form"),
                    ("invalid_request", "join.check_form"),
                ),
                rx.el.button(text("invitation.accept"), type="submit", class_name="button primary wide"),
                rx.el.input(type="hidden", name="locale", value=LocaleState.code, read_only=True),
                class_name="form",
                method="post",
                custom_attrs={"data-posts": "invitations/accept", "data-looks": "invitations/look"},
            ),
            rx.el.p(
                rx.el.span(text("sign_up.have_account"), " ", rx.el.a(text("sign_in.title"), href="/sign-in")),
                class_name="quiet-text ways",
            ),
            class_name="card sign-in broad",
        )
    )


def _offer() -> rx.Component:
    """Say who invites to what; the script writes the names in."""
    roles = [
        rx.el.p(
            rx.el.strong(text(f"role.{role}")),
            " · ",
            text(f"role_may.{role}"),
            hidden=True,
            custom_attrs={"data-for": f"role-{role.value}"},
        )
        for role in OrganizationRole
    ]
    return rx.el.div(
        rx.el.p(
            text("invitation.to"),
            " ",
            rx.el.strong(custom_attrs={"data-fills-in": "organization_name"}),
        ),
        *roles,
        linked_address(),
        class_name="offer",
    )


def _person() -> rx.Component:
    """Ask who signs: a new person chooses a password, a known one signs in with theirs."""
    return rx.el.fieldset(
        rx.el.legend(text("invitation.person"), class_name="card-title"),
        _part("unnamed", text_field("name", text("join.name"), kind="name")),
        text_field("title", text("join.position"), hint=text("join.position_hint"), kind="organization-title"),
        _part("new", new_password_field()),
        _part(
            "known",
            field(
                text("sign_in.password"),
                rx.el.input(
                    name="current_password",
                    type="password",
                    required=True,
                    max_length=1024,
                    auto_complete="current-password",
                    class_name="input",
                ),
                hint=text("invitation.known_password"),
            ),
        ),
        class_name="fieldset form",
    )


def _part(fits: str, content: rx.Component) -> rx.Component:
    """Hold what only some are asked; switched off, it neither shows nor counts."""
    return rx.el.fieldset(content, hidden=True, disabled=True, custom_attrs={"data-for": fits})


def _agreements() -> rx.Component:
    """Ask for what is agreed on."""
    state = InvitationState
    return rx.el.fieldset(
        rx.el.legend(text("join.agreements"), class_name="card-title"),
        authority_box(state.authority),
        acceptance_box(state.terms, name=text("nav.terms"), kind=AgreementKind.TERMS_OF_SERVICE.value),
        acceptance_box(state.privacy, name=text("nav.privacy"), kind=AgreementKind.PRIVACY_POLICY.value),
        class_name="fieldset",
    )


PAGE = Page(
    route="/invitation",
    title_key="invitation.title",
    body=invitation,
    on_load=(LocaleState.derive, InvitationState.load),
)
