"""Parts of finance's page of packages: the form of an offer, and the question before one is withdrawn."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.dialogs import confirm_dialog
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.components.status_badge import badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.credit.packages import NAME_CHARACTERS_MAX, VALID_DAYS_MAX
from onetoken_app.money import Currency
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX

WITHDRAW_DIALOG = "withdraw-package"
TOKEN_DIGITS_MAX = 13


def desk_columns(on_select: Any) -> list[Column]:
    """Say whether a package is for sale, and offer to withdraw it."""
    return [
        Column(text("package_desk.standing"), _standing),
        Column(text("package_desk.offered"), lambda one: rx.el.span(one.offered, class_name="figure")),
        Column(
            text("keys.actions"),
            lambda one: rx.cond(
                one.is_withdrawn,
                rx.fragment(),
                row_action(
                    text("package_desk.withdraw"), one.name, WITHDRAW_DIALOG, on_select(one.id), class_name="warns"
                ),
            ),
            align=Align.ACTIONS,
        ),
    ]


def offer_form(*, models: Value, follows: Value, on_submit: Any) -> rx.Component:
    """Ask what a package is.

    Args:
        models: Id and name of each model that it can be for.
        follows: The packages that there are; with another one the form is empty again.
        on_submit: Takes the form.
    """
    currencies = [rx.el.option(one.value, value=one.value) for one in Currency]
    choices = rx.foreach(
        models,
        lambda one: rx.el.label(rx.el.input(type="checkbox", name=one[0]), rx.el.span(one[1]), class_name="tick"),
    )
    return rx.el.form(
        field(
            text("packages.name"), _input("name", max_length=NAME_CHARACTERS_MAX), hint=text("package_desk.name_hint")
        ),
        field(text("organizations.currency"), rx.el.select(*currencies, name="currency", class_name="input")),
        field(text("packages.price"), _amount("price"), hint=text("package_desk.price_hint")),
        field(
            text("packages.tokens"),
            _input("tokens", max_length=TOKEN_DIGITS_MAX, input_mode="numeric", default_value="0"),
            hint=text("package_desk.tokens_hint"),
        ),
        field(text("packages.bonus"), _amount("bonus", default_value="0"), hint=text("package_desk.bonus_hint")),
        field(
            text("package_desk.valid_days"),
            _input("valid_days", type="number", min="1", max=str(VALID_DAYS_MAX), default_value="365"),
        ),
        rx.el.fieldset(
            rx.el.legend(text("credit.models"), class_name="field-label"),
            choices,
            rx.el.span(text("package_desk.models_hint"), class_name="field-hint"),
            class_name="field",
        ),
        rx.el.div(
            rx.el.button(text("package_desk.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"after-{follows}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def withdraw_dialog(package: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before a package is sold no more."""
    return confirm_dialog(
        element_id=WITHDRAW_DIALOG,
        title=text("package_desk.withdraw_title"),
        consequence=rx.fragment(
            rx.el.p(rx.el.strong(package.name, class_name="own-words"), " · ", money_text(package.price)),
            rx.el.p(text("package_desk.withdraw_consequence")),
        ),
        confirm=text("package_desk.withdraw"),
        on_confirm=on_confirm,
    )


def _standing(package: Value) -> rx.Component:
    """Say whether a package is for sale."""
    return rx.cond(
        package.is_withdrawn,
        badge(text("package_desk.withdrawn"), Tone.NEUTRAL),
        badge(text("package_desk.for_sale"), Tone.GOOD),
    )


def _amount(name: str, **more: Any) -> rx.Component:
    """Take an amount."""
    return _input(name, max_length=AMOUNT_CHARACTERS_MAX, input_mode="decimal", **more)


def _input(name: str, **more: Any) -> rx.Component:
    """Take what has to be filled in."""
    return rx.el.input(name=name, required=True, auto_complete="off", class_name="input", **more)
