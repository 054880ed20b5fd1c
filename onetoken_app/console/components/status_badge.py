"""A word with a tone."""

from collections.abc import Mapping

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value


def status_badge(kind: Value, *, prefix: str, tones: Mapping[str, Tone]) -> rx.Component:
    """Show a closed enum's value.

    Args:
        kind: The value.
        prefix: Where its words stand in the catalogues: ``<prefix>.<value>``.
        tones: The tone of each value; the last one stands for a value that is not listed.
    """
    badges = [(value, badge(text(f"{prefix}.{value}"), tone)) for value, tone in tones.items()]
    return rx.match(kind, *badges, badges[-1][1])


def badge(words: Value, tone: Tone) -> rx.Component:
    """Say something in a tone."""
    return rx.el.span(words, class_name=f"badge tone-{tone}")
