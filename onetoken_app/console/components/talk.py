"""A talk with a model. ``assets/playground.js`` fills and empties it; React never writes inside the conversation."""

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value

_REFUSALS = (
    ("invalid_api_key", "play.wrong_key"),
    ("insufficient_funds", "play.no_funds"),
    ("organization_not_verified", "play.not_verified"),
    ("model_not_found", "play.no_model"),
    ("network", "play.no_network"),
    ("failed", "play.failed"),
)
"""Codes that the relay answers, and the words for them; the last one stands for the rest."""
_WORDS = {
    "you": "play.word_you",
    "model": "play.word_model",
    "input": "play.word_input",
    "output": "play.word_output",
    "duration": "play.word_duration",
    "stopped": "play.word_stopped",
}
"""What the script writes beside turns and figures."""


def talk(models: Value) -> rx.Component:
    """Show key and model, the conversation, and where the next question is written."""
    return rx.el.form(
        rx.el.div(
            field(
                text("play.key"),
                rx.el.input(
                    type="password",
                    auto_complete="off",
                    spell_check=False,
                    required=True,
                    max_length=200,
                    class_name="input",
                    custom_attrs={"data-key": ""},
                ),
                hint=text("play.key_hint"),
            ),
            field(
                text("models.model"),
                rx.el.select(
                    rx.foreach(models, lambda name: rx.el.option(name, value=name)),
                    required=True,
                    class_name="input",
                    custom_attrs={"data-model": ""},
                ),
            ),
            class_name="talk-settings",
        ),
        rx.el.div(
            class_name="turns",
            role="log",
            tab_index=0,
            aria_label=text("play.conversation"),
            custom_attrs={"data-turns": "", "data-empty": text("play.empty")},
        ),
        rx.el.p(class_name="quiet-text talk-figures", custom_attrs={"data-figures": ""}),
        _refusals(),
        field(
            text("play.question"),
            rx.el.textarea(rows="4", required=True, class_name="input", custom_attrs={"data-question": ""}),
            hint=text("play.send_hint"),
        ),
        rx.el.div(
            rx.el.button(
                text("play.clear"), type="button", class_name="button quiet", custom_attrs={"data-clears": ""}
            ),
            rx.el.button(text("play.stop"), type="button", class_name="button", custom_attrs={"data-stops": ""}),
            rx.el.button(text("play.send"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        _words(),
        class_name="form talk",
        custom_attrs={"data-talks": ""},
    )


def _refusals() -> rx.Component:
    """Hold the words of each refusal, and the place of the relay's own code and request id."""
    return rx.el.div(
        *[rx.el.p(text(key), class_name="note tone-bad", custom_attrs={"data-when": code}) for code, key in _REFUSALS],
        rx.el.p(class_name="quiet-text", custom_attrs={"data-reference": ""}),
        class_name="outcomes",
        role="alert",
    )


def _words() -> rx.Component:
    """Hold the words that the script puts beside turns and figures, in the reader's language."""
    return rx.el.div(
        *[rx.el.span(text(key), custom_attrs={"data-word": name}) for name, key in _WORDS.items()], hidden=True
    )
