"""A secret that is shown once. The page's script fills the place and empties it; no State ever holds it."""

import reflex as rx

from onetoken_app.console.components.copying import copy_button
from onetoken_app.console.components.dialogs import closing_button
from onetoken_app.console.text.lookup import text


def secret_once(*, element_id: str) -> rx.Component:
    """Show the place of a secret with what to do now; React never writes inside it."""
    return rx.el.div(
        rx.el.p(text("secret.once"), class_name="note tone-warning"),
        rx.el.div(
            rx.el.code(id=element_id, class_name="secret", custom_attrs={"data-secret": ""}),
            copy_button(element_id),
            class_name="secret-line",
        ),
        rx.el.div(closing_button(text("secret.kept"), class_name="button primary"), class_name="dialog-actions"),
        class_name="when-minted",
    )
