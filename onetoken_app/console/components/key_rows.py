"""The table of the keys page."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.key_dialogs import MOVE_DIALOG, RESTRICT_DIALOG
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.shown.api_keys import KeyStanding
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value

_TONES = {"active": Tone.GOOD, "expired": Tone.WARNING, "revoked": Tone.NEUTRAL}


def key_columns(*, may_change: Value, on_select: Any, revokes: str) -> list[Column]:
    """Describe the table.

    Args:
        may_change: Whether the reader may do something about a key.
        on_select: Takes the key that a dialog is going to be about.
        revokes: The dialog that asks before a key is revoked.
    """
    return [
        Column(text("keys.name"), lambda key: rx.el.span(key.name, class_name="strong")),
        Column(text("keys.project"), lambda key: key.project),
        Column(text("keys.key"), lambda key: rx.el.code(key.masked, class_name="masked")),
        Column(text("keys.standing"), lambda key: status_badge(key.standing, prefix="standing", tones=_TONES)),
        Column(text("keys.models"), lambda key: rx.cond(key.is_restricted, key.models, text("keys.every_model"))),
        Column(text("keys.created"), lambda key: rx.el.span(key.created, class_name="figure")),
        Column(
            text("keys.expires"),
            lambda key: rx.cond(key.expires == "", text("keys.never"), rx.el.span(key.expires, class_name="figure")),
        ),
        Column(
            text("keys.actions"),
            lambda key: _actions(key, on_select(key.id), revokes=revokes),
            align=Align.ACTIONS,
            is_shown=may_change,
        ),
    ]


def _actions(key: Value, select: Any, *, revokes: str) -> rx.Component:
    """Offer what may still be done with a key."""
    return rx.cond(
        key.standing != KeyStanding.REVOKED.value,
        rx.el.span(
            row_action(text("keys.restrict"), key.name, RESTRICT_DIALOG, select),
            row_action(text("keys.move"), key.name, MOVE_DIALOG, select),
            row_action(text("keys.revoke"), key.name, revokes, select, class_name="warns"),
            class_name="row-actions",
        ),
    )
