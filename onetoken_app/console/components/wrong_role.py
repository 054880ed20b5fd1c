"""What stands in the place of a page that is not for whoever opened it."""

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import page_heading
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value

PAGE_ROLES = (Role.VIEWER, Role.STAFF, Role.STAFF_REVIEWER, Role.STAFF_FINANCE)
"""For whom there are pages of their own."""


def wrong_role(needed_role: Value, *, is_staff: Value, overview: str, staff_page: str) -> rx.Component:
    """Say for whom the page is and whom to ask, and lead back.

    Args:
        needed_role: For whom; one of ``PAGE_ROLES``.
        is_staff: The reader belongs to the operator's staff.
        overview: Where everybody who is signed in may be.
        staff_page: Where all of the staff may be.
    """
    titles = [(one.value, text(f"page_for.{one}")) for one in PAGE_ROLES]
    whom = [(one.value, text(f"page_ask.{one}")) for one in PAGE_ROLES]
    to_staff = rx.el.a(text("page_for.to_organizations"), href=staff_page, class_name="button quiet")
    return rx.fragment(
        page_heading(
            rx.match(needed_role, *titles, text("error.role")), lead=rx.match(needed_role, *whom, text("error.role"))
        ),
        rx.el.div(
            rx.el.a(text("page_for.to_overview"), href=overview, class_name="button primary"),
            rx.cond(is_staff, to_staff),
            class_name="ways-on",
        ),
    )
