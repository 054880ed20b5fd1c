"""The dialogs of the members page: invite somebody, send an invitation again, change a role."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.dialogs import closing_button, dialog
from onetoken_app.console.components.fields import choice, field
from onetoken_app.console.components.joining import email_field
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.models import OrganizationRole

INVITE_DIALOG = "invite-member"
RESEND_DIALOG = "resend-invitation"
ROLE_DIALOG = "change-role"
_OFFERED = (
    OrganizationRole.DEVELOPER,
    OrganizationRole.BILLING,
    OrganizationRole.VIEWER,
    OrganizationRole.ADMINISTRATOR,
)
"""In the order in which they are offered; owners are made by owners only."""
_REFUSALS = (
    ("already_member", "members.already"),
    ("invalid_request", "join.check_email"),
    ("forbidden", "error.role"),
    ("too_many_requests", "join.wait"),
)


def invite_dialog(*, organization_id: Value, makes_owners: Value, on_invited: Any) -> rx.Component:
    """Ask whom to invite, and as what; the page's script posts the form.

    Args:
        organization_id: To which organization; the route checks it.
        makes_owners: Whether the role of an owner is offered.
        on_invited: Called when the mail is on its way.
    """
    return dialog(
        _posting(
            email_field(text("members.email")),
            field(text("members.role"), rx.el.select(*_options(makes_owners), name="role", class_name="input")),
            role_words(),
            organization_id=organization_id,
            submit=text("members.invite_submit"),
            on_posted=on_invited,
        ),
        element_id=INVITE_DIALOG,
        title=text("members.invite"),
    )


def resend_dialog(invitation: Value, *, organization_id: Value, on_sent: Any) -> rx.Component:
    """Ask before an invitation is sent again, which replaces the first."""
    return dialog(
        _posting(
            rx.el.p(rx.el.strong(invitation.email), rx.el.br(), text("members.resend_consequence")),
            rx.el.input(type="hidden", name="email", value=invitation.email, read_only=True),
            rx.el.input(type="hidden", name="role", value=invitation.role, read_only=True),
            organization_id=organization_id,
            submit=text("members.resend"),
            on_posted=on_sent,
        ),
        element_id=RESEND_DIALOG,
        title=text("members.resend_title"),
    )


def role_dialog(member: Value, *, makes_owners: Value, chosen: Value, on_choose: Any, on_save: Any) -> rx.Component:
    """Choose what a member may do; the State holds the choice."""
    return dialog(
        rx.el.p(rx.el.strong(member.name), rx.el.br(), rx.el.span(member.email, class_name="quiet-text")),
        choice(text("members.role"), options=_options(makes_owners), value=chosen, on_change=on_choose),
        role_words(),
        rx.el.div(
            closing_button(text("dialog.cancel")),
            closing_button(text("restrict.save"), class_name="button primary", on_click=on_save),
            class_name="dialog-actions",
        ),
        element_id=ROLE_DIALOG,
        title=text("members.change_role"),
    )


def role_words() -> rx.Component:
    """Say what each role may do."""
    return rx.el.details(
        rx.el.summary(text("members.what_roles_may")),
        rx.el.dl(
            *[
                rx.el.div(rx.el.dt(text(f"role.{role}")), rx.el.dd(text(f"role_may.{role}")), class_name="fact")
                for role in OrganizationRole
            ],
            class_name="facts",
        ),
        class_name="role-words",
    )


def _options(makes_owners: Value) -> list[rx.Component]:
    """Offer the roles."""
    owner = rx.el.option(text("role.owner"), value=OrganizationRole.OWNER.value)
    return [
        *[rx.el.option(text(f"role.{role}"), value=role.value) for role in _OFFERED],
        rx.cond(makes_owners, owner),
    ]


def _posting(*content: rx.Component, organization_id: Value, submit: Value, on_posted: Any) -> rx.Component:
    """Make the form that posts an invitation."""
    return rx.el.form(
        rx.el.input(type="hidden", name="organization_id", value=organization_id, read_only=True),
        *content,
        outcomes(*_REFUSALS),
        rx.el.div(
            closing_button(text("dialog.cancel")),
            rx.el.button(submit, type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        rx.el.button(type="button", on_click=on_posted, hidden=True, custom_attrs={"data-after-post": ""}),
        class_name="form",
        method="post",
        custom_attrs={"data-posts": "invitations"},
    )
