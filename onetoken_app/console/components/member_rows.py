"""Cells of the members page: a person, a role."""

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.models import OrganizationRole


def member_name(member: Value) -> rx.Component:
    """Name a member, and mark the reader."""
    is_reader = rx.cond(member.is_reader, rx.el.span(" ", text("members.you"), class_name="quiet-text"))
    return rx.el.span(rx.el.span(member.name, class_name="strong"), is_reader)


def role_name(role: Value) -> rx.Component:
    """Name a role."""
    return rx.el.span(rx.match(role, *[(one.value, text(f"role.{one}")) for one in OrganizationRole], ""))
