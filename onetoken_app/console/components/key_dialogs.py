"""The dialogs of the keys page: the form of a new key, the models that a key may call, the project it belongs to."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.dialogs import closing_button, dialog
from onetoken_app.console.components.fields import choice, field
from onetoken_app.console.components.secret_once import secret_once
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value

MINT_DIALOG, RESTRICT_DIALOG, MOVE_DIALOG = "mint-key", "restrict-key", "move-key"
_EXPIRY_DAYS = (30, 90, 365)


def mint_dialog(models: Value, *, projects: Value, organization_id: Value, on_minted: Any) -> rx.Component:
    """Ask for a key's name, project, expiry and models; the page's script posts the form and shows the secret.

    Args:
        models: Id and name of each model for sale.
        projects: Id and name of each project that takes keys, the default one first; empty before the first key.
        organization_id: Whose key it will be; the route checks it.
        on_minted: Called after the dialog with the secret was closed.
    """
    return dialog(
        rx.el.form(
            rx.el.input(type="hidden", name="organization_id", value=organization_id, read_only=True),
            field(
                text("mint.name"),
                rx.el.input(name="name", required=True, max_length=64, auto_complete="off", class_name="input"),
                hint=text("mint.name_hint"),
            ),
            rx.cond(projects, field(text("mint.project"), _project(projects), hint=text("mint.project_hint"))),
            field(text("mint.expires"), _expiry()),
            rx.el.fieldset(
                rx.el.legend(text("mint.models"), class_name="field-label"),
                _radio("scope", "all", text("keys.every_model"), is_default=True),
                _radio("scope", "listed", text("mint.only_these")),
                rx.el.div(rx.foreach(models, _model_box), class_name="model-boxes when-listed"),
                class_name="fieldset",
            ),
            rx.el.div(
                rx.el.p(text("mint.taken"), class_name="note tone-bad", custom_attrs={"data-when": "conflict"}),
                rx.el.p(
                    text("error.project_archived"),
                    class_name="note tone-bad",
                    custom_attrs={"data-when": "project_archived"},
                ),
                rx.el.p(text("error.role"), class_name="note tone-bad", custom_attrs={"data-when": "forbidden"}),
                rx.el.p(text("mint.unanswered"), class_name="note tone-bad", custom_attrs={"data-when": "unanswered"}),
                rx.el.p(text("form.failed"), class_name="note tone-bad", custom_attrs={"data-when": "failed"}),
                class_name="outcomes",
                role="alert",
            ),
            rx.el.div(
                closing_button(text("dialog.cancel")),
                rx.el.button(text("mint.submit"), type="submit", class_name="button primary"),
                class_name="dialog-actions",
            ),
            class_name="form before-minted",
            method="post",
            custom_attrs={"data-posts": "keys", "data-fills": "minted-secret"},
        ),
        secret_once(element_id="minted-secret"),
        rx.el.button(type="button", on_click=on_minted, hidden=True, custom_attrs={"data-after-close": ""}),
        element_id=MINT_DIALOG,
        title=text("mint.title"),
    )


def restrict_dialog(
    *,
    key_name: Value,
    models: Value,
    is_restricted: Value,
    allowed_ids: Value,
    on_restrict: Any,
    on_toggle: Any,
    on_save: Any,
) -> rx.Component:
    """Choose the models that an existing key may call."""
    return dialog(
        rx.el.p(rx.el.strong(key_name)),
        rx.el.fieldset(
            rx.el.legend(text("mint.models"), class_name="field-label"),
            _state_radio(text("keys.every_model"), is_chosen=~is_restricted, on_choose=on_restrict(False)),
            _state_radio(text("mint.only_these"), is_chosen=is_restricted, on_choose=on_restrict(True)),
            rx.cond(
                is_restricted,
                rx.el.div(
                    rx.foreach(
                        models,
                        lambda model: rx.el.label(
                            rx.el.input(
                                type="checkbox", checked=allowed_ids.contains(model[0]), on_change=on_toggle(model[0])
                            ),
                            rx.el.span(model[1]),
                            class_name="tick",
                        ),
                    ),
                    class_name="model-boxes",
                ),
            ),
            class_name="fieldset",
        ),
        rx.el.p(text("restrict.effect"), class_name="quiet-text"),
        rx.el.div(
            closing_button(text("dialog.cancel")),
            closing_button(text("restrict.save"), class_name="button primary", on_click=on_save),
            class_name="dialog-actions",
        ),
        element_id=RESTRICT_DIALOG,
        title=text("restrict.title"),
    )


def move_dialog(*, key_name: Value, projects: Value, chosen: Value, on_choose: Any, on_save: Any) -> rx.Component:
    """Choose the project that a key belongs to from now on; the State holds the choice."""
    options = rx.foreach(projects, lambda project: rx.el.option(project[1], value=project[0]))
    return dialog(
        rx.el.p(rx.el.strong(key_name)),
        choice(text("keys.project"), options=options, value=chosen, on_change=on_choose),
        rx.el.p(text("keys.move_effect"), class_name="quiet-text"),
        rx.el.div(
            closing_button(text("dialog.cancel")),
            closing_button(text("restrict.save"), class_name="button primary", on_click=on_save),
            class_name="dialog-actions",
        ),
        element_id=MOVE_DIALOG,
        title=text("keys.move_title"),
    )


def _project(projects: Value) -> rx.Component:
    """Choose the project; the first, which is the default one, unless somebody does."""
    options = rx.foreach(projects, lambda project: rx.el.option(project[1], value=project[0]))
    return rx.el.select(options, name="project_id", class_name="input")


def _expiry() -> rx.Component:
    """Choose when the key stops."""
    days = [rx.el.option(text("mint.days", count=str(count)), value=str(count)) for count in _EXPIRY_DAYS]
    return rx.el.select(rx.el.option(text("keys.never"), value=""), *days, name="expires_in_days", class_name="input")


def _radio(name: str, value: str, label: Value, *, is_default: bool = False) -> rx.Component:
    """Offer one of two ways; the browser keeps the choice."""
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=value, default_checked=is_default),
        rx.el.span(label),
        class_name="tick",
    )


def _state_radio(label: Value, *, is_chosen: Value, on_choose: Any) -> rx.Component:
    """Offer one of two ways; the State keeps the choice."""
    return rx.el.label(
        rx.el.input(type="radio", name="restriction", checked=is_chosen, on_change=on_choose),
        rx.el.span(label),
        class_name="tick",
    )


def _model_box(model: Value) -> rx.Component:
    """Offer one model."""
    return rx.el.label(
        rx.el.input(type="checkbox", name="model_ids", value=model[0]), rx.el.span(model[1]), class_name="tick"
    )
