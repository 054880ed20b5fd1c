"""Parts of the forms by which people come in: a new password, the statement of authority, the texts to accept."""

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.identity.passwords import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN

LINK_REFUSALS = (
    ("link_unknown", "link.unknown"),
    ("link_used", "link.used"),
    ("link_expired", "link.expired"),
)
PASSWORD_REFUSALS = (
    ("weak_password", "password.weak"),
    ("common_password", "password.common"),
    ("personal_password", "password.personal"),
)


def text_field(
    name: str, label: Value, *, hint: Value | None = None, length_max: int = 120, kind: str = ""
) -> rx.Component:
    """Ask for a line of text; ``kind`` is what a browser may fill in."""
    control = rx.el.input(
        name=name, required=True, max_length=length_max, auto_complete=kind or "off", class_name="input"
    )
    return field(label, control, hint=hint)


def email_field(label: Value) -> rx.Component:
    """Ask for an e-mail address."""
    control = rx.el.input(
        name="email", type="email", required=True, max_length=254, auto_complete="email", class_name="input"
    )
    return field(label, control)


def new_password_field() -> rx.Component:
    """Ask for a password that nobody had before."""
    control = rx.el.input(
        name="password",
        type="password",
        required=True,
        min_length=PASSWORD_CHARACTERS_MIN,
        max_length=PASSWORD_CHARACTERS_MAX,
        auto_complete="new-password",
        class_name="input",
    )
    return field(text("sign_in.password"), control, hint=text("password.hint", count=str(PASSWORD_CHARACTERS_MIN)))


def authority_box(statement: Value) -> rx.Component:
    """Ask for the statement of authority, in its exact words."""
    return rx.el.label(
        rx.el.input(type="checkbox", name="acts_with_authority", required=True),
        rx.el.span(statement),
        class_name="tick",
    )


def acceptance_box(agreement: Value, *, name: Value, kind: str) -> rx.Component:
    """Ask for the acceptance of one text; what is posted is the digest of the text that is linked."""
    return rx.el.label(
        rx.el.input(type="checkbox", required=True, value=agreement.sha256, custom_attrs={"data-accepts": kind}),
        rx.el.span(
            text("join.accept"),
            " ",
            rx.el.a(
                name, " ", rx.el.span(agreement.version, class_name="figure"), href=agreement.address, target="_blank"
            ),
        ),
        class_name="tick",
    )


def linked_address() -> rx.Component:
    """Show the address that a mailed link confirms; the page's script asks for it and writes it here."""
    return rx.el.p(
        text("join.confirmed"), " ", rx.el.strong(custom_attrs={"data-email": ""}), class_name="linked-address"
    )
