"""What a form posted by the page's script may end in: the words of each outcome, ready before any is needed."""

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value

_ALWAYS = (("foreign_origin", "sign_in.origin"), ("unanswered", "form.unanswered"), ("failed", "form.failed"))
_WAITS = {"too_many_requests", "too_many_sign_ins"}
"""Codes that come with the seconds to wait."""


def outcomes(*refusals: tuple[str, str | rx.Component]) -> rx.Component:
    """Hold the words.

    Args:
        refusals: Code of a route, and the key of its words or the words; what is not listed is a failure.
    """
    held = [_refusal(code, text(words) if isinstance(words, str) else words) for code, words in (*refusals, *_ALWAYS)]
    return rx.el.div(*held, class_name="outcomes", role="alert")


def done(words: Value) -> rx.Component:
    """Hold what is said when the form was taken; it stands in the form's place then."""
    return rx.el.p(words, class_name="note tone-good when-done", role="status")


def _refusal(code: str, words: Value) -> rx.Component:
    """Hold the words of one code."""
    count = rx.el.span(class_name="count", custom_attrs={"data-seconds": ""}) if code in _WAITS else rx.fragment()
    return rx.el.p(words, " ", count, class_name="note tone-bad", custom_attrs={"data-when": code})
