"""Parts of credit, on both sides of the desk: lots, packages, the threshold of mails."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.dialogs import confirm_dialog
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.credit.lots import Origin
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX

BUY_DIALOG = "buy-package"
_TONES = {
    Origin.PROMOTIONAL.value: Tone.GOOD,
    Origin.TRIAL.value: Tone.GOOD,
    Origin.BONUS.value: Tone.GOOD,
    Origin.PACKAGE.value: Tone.NEUTRAL,
}


def lots_table(lots: Value, *, is_loaded: Value) -> rx.Component:
    """List what is spent before the balance, in that order."""
    return data_table(
        columns=[
            Column(text("credit.lot"), _lot_name),
            Column(text("credit.left"), _lot_left, align=Align.NUMBER),
            Column(text("credit.models"), lambda one: models_or_all(one.models)),
            Column(text("credit.expires"), _expiry),
        ],
        rows=lots,
        caption=text("credit.lots"),
        is_loaded=is_loaded,
        empty=empty_state(text("credit.no_lots"), text("credit.no_lots_next")),
    )


def package_columns(*actions: Column) -> list[Column]:
    """Describe packages, with what may be done about them at the end."""
    return [
        Column(text("packages.name"), lambda one: rx.el.span(one.name, class_name="strong own-words")),
        Column(text("packages.price"), lambda one: money_text(one.price), align=Align.NUMBER),
        Column(text("packages.tokens"), _tokens_for_sale, align=Align.NUMBER),
        Column(
            text("packages.bonus"),
            lambda one: rx.cond(one.has_bonus, money_text(one.bonus), rx.el.span("–", class_name="quiet-text")),
            align=Align.NUMBER,
        ),
        Column(text("credit.models"), lambda one: models_or_all(one.models)),
        Column(text("packages.valid"), lambda one: text("packages.days", days=one.days)),
        *actions,
    ]


def buy_column(*, may_buy: Value, on_choose: Any) -> Column:
    """Offer to buy a package."""
    return Column(
        text("keys.actions"),
        lambda one: row_action(text("packages.buy"), one.name, BUY_DIALOG, on_choose(one.id)),
        align=Align.ACTIONS,
        is_shown=may_buy,
    )


def buy_dialog(package: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before money of the balance becomes a package."""
    return confirm_dialog(
        element_id=BUY_DIALOG,
        title=text("packages.buy_title"),
        consequence=rx.fragment(
            rx.el.p(rx.el.strong(package.name, class_name="own-words"), " · ", money_text(package.price)),
            rx.cond(
                package.tokens == "",
                rx.el.p(text("packages.buy_consequence", days=package.days)),
                rx.el.p(
                    text(
                        "packages.buy_tokens_consequence",
                        tokens=package.tokens,
                        models=package.models,
                        days=package.days,
                    )
                ),
            ),
        ),
        confirm=text("packages.buy_confirm"),
        on_confirm=on_confirm,
        takes_away=False,
    )


def threshold_form(*, threshold: Value, currency: Value, on_submit: Any) -> rx.Component:
    """Ask below what the organization wants to be told by mail; empty: never."""
    return rx.el.form(
        field(
            text("credit.threshold_in", currency=currency),
            rx.el.input(
                name="threshold",
                default_value=threshold,
                max_length=AMOUNT_CHARACTERS_MAX,
                input_mode="decimal",
                auto_complete="off",
                class_name="input",
            ),
            hint=text("credit.threshold_hint"),
        ),
        rx.el.div(
            rx.el.button(text("credit.threshold_save"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"threshold-{threshold}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def models_or_all(models: Value) -> rx.Component:
    """Name models, or say that there is no limit to some."""
    return rx.cond(models == "", rx.el.span(text("credit.every_model")), rx.el.span(models))


def _lot_name(lot: Value) -> rx.Component:
    """Say where a lot comes from."""
    return rx.el.span(
        status_badge(lot.origin, prefix="lot_origin", tones=_TONES),
        rx.cond(lot.package != "", rx.el.span(lot.package, class_name="cell-note own-words")),
    )


def _lot_left(lot: Value) -> rx.Component:
    """Show what is left, and below it what open calls hold of it."""
    held = rx.el.span(text("budgets.held"), " ", money_text(lot.held), class_name="quiet-text cell-below")
    held_tokens = rx.el.span(
        text("budgets.held"), " ", text("credit.tokens", count=lot.tokens_held), class_name="quiet-text cell-below"
    )
    of_tokens = rx.fragment(
        rx.el.span(text("credit.tokens", count=lot.tokens), class_name="figure"),
        rx.el.span(money_text(lot.left), class_name="quiet-text cell-below"),
        rx.cond(lot.has_held, held_tokens),
    )
    return rx.cond(lot.tokens == "", rx.fragment(money_text(lot.left), rx.cond(lot.has_held, held)), of_tokens)


def _tokens_for_sale(package: Value) -> rx.Component:
    """Show how many tokens a package is for, and below it what a million of them costs."""
    million = rx.el.span(
        text("packages.per_million"), " ", money_text(package.million), class_name="quiet-text cell-below"
    )
    tokens = rx.fragment(rx.el.span(package.tokens, class_name="figure"), million)
    return rx.cond(package.tokens == "", rx.el.span("–", class_name="quiet-text"), tokens)


def _expiry(lot: Value) -> rx.Component:
    """Say when a lot expires."""
    return rx.cond(lot.expires == "", rx.el.span(text("credit.never")), rx.el.span(lot.expires, class_name="figure"))
