"""Why calls would be refused, above whatever leads to a call, and where to change that."""

import reflex as rx

from onetoken_app.console.components.card import note
from onetoken_app.console.shown.readiness import Readiness
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


def in_the_way(readiness: Value) -> rx.Component:
    """Say what is in the way of a call; nothing when there is nothing, or when the frame says that it is suspended."""
    return rx.match(
        readiness,
        (Readiness.UNVERIFIED.value, _to_do(text("overview.unverified"), text("top_up.verify"), "/verification")),
        (Readiness.USED_UP.value, _to_do(text("overview.used_up"), text("overview.top_up"), "/top-up")),
        (Readiness.FROZEN.value, _to_do(text("overview.frozen"), text("overview.why_frozen"), "/credit")),
        (Readiness.NO_MODEL.value, note(text("quick.no_model"), tone="warning")),
        rx.fragment(),
    )


def _to_do(words: Value, action: Value, address: str) -> rx.Component:
    """Say what is to be done, and lead there."""
    return rx.el.div(
        rx.el.p(words),
        rx.el.a(action, href=address, class_name="button primary"),
        class_name="note tone-warning with-action",
    )
