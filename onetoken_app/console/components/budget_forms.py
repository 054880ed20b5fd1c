"""Parts of the budgets page: the table, the forms of a new budget and of another limit, the question at the end."""

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
from onetoken_app.credit.subjects import SubjectKind, Window

REMOVE_DIALOG = "remove-budget"
OPEN_BUDGET = "open-budget"
_LIMIT_CHARACTERS_MAX = 20


def new_budget_form(*, subjects: Value, currency: Value, follows: Value, on_submit: Any) -> rx.Component:
    """Ask what to limit, per what, and how much.

    Args:
        subjects: The projects and keys that it can be for.
        currency: Of the limit.
        follows: The budgets that there are; with another one the form is empty again.
        on_submit: Takes the form.
    """
    whole = rx.el.option(text("budget_of.organization"), value=SubjectKind.ORGANIZATION.value)
    parts = rx.foreach(subjects, lambda one: rx.el.option(_kind(one.kind), " · ", one.name, value=one.value))
    windows = [rx.el.option(text(f"budget_window.{window}"), value=window.value) for window in Window]
    return rx.el.form(
        field(text("budgets.of"), rx.el.select(whole, parts, name="subject", class_name="input")),
        field(text("budgets.window"), rx.el.select(*windows, name="window", class_name="input")),
        field(text("budgets.limit_in", currency=currency), _limit_input(), hint=text("budgets.limit_hint")),
        _actions(rx.el.button(text("budgets.submit"), type="submit", class_name="button primary")),
        key=f"after-{follows}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def limit_form(budget: Value, *, currency: Value, on_submit: Any, on_close: Any) -> rx.Component:
    """Ask for another limit of the budget that a row opened."""
    return rx.el.form(
        rx.el.input(type="hidden", name="subject", value=budget.subject, read_only=True),
        rx.el.input(type="hidden", name="window", value=budget.window, read_only=True),
        rx.el.p(rx.el.strong(_name(budget)), " · ", _window(budget.window)),
        field(
            text("budgets.limit_in", currency=currency),
            _limit_input(default_value=budget.typed_limit),
            hint=text("budgets.change_effect"),
        ),
        _actions(
            rx.el.button(text("dialog.cancel"), type="button", on_click=on_close, class_name="button quiet"),
            rx.el.button(text("budgets.save"), type="submit", class_name="button primary"),
        ),
        key=f"limit-{budget.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def remove_dialog(budget: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before a budget limits nothing any more."""
    return confirm_dialog(
        element_id=REMOVE_DIALOG,
        title=text("budgets.remove_title"),
        consequence=rx.fragment(
            rx.el.p(rx.el.strong(_name(budget)), " · ", _window(budget.window), " · ", money_text(budget.limit)),
            rx.el.p(text("budgets.remove_consequence")),
        ),
        confirm=text("budgets.remove"),
        on_confirm=on_confirm,
    )


def budget_columns(*, may_change: Value, on_change: Any, on_remove: Any) -> list[Column]:
    """Describe the table.

    Args:
        may_change: Whether the reader may do something about a budget.
        on_change: Takes the budget whose limit is going to be another.
        on_remove: Takes the budget that the dialog is going to be about.
    """
    return [
        Column(text("budgets.of"), _subject),
        Column(text("budgets.window"), lambda one: _window(one.window)),
        Column(text("budgets.limit"), lambda one: money_text(one.limit), align=Align.NUMBER),
        Column(text("budgets.spent"), _spent, align=Align.NUMBER),
        Column(text("budgets.left"), _left, align=Align.NUMBER),
        Column(text("budgets.renews"), lambda one: rx.el.span(one.renews, class_name="figure")),
        Column(
            text("keys.actions"),
            lambda one: _row_actions(one, on_change=on_change, on_remove=on_remove),
            align=Align.ACTIONS,
            is_shown=may_change,
        ),
    ]


def _subject(budget: Value) -> rx.Component:
    """Name what a budget is for, and say of which kind it is."""
    over = rx.cond(budget.is_in_use, rx.fragment(), rx.fragment(" ", badge(text("budgets.no_calls"), Tone.NEUTRAL)))
    return rx.el.span(
        rx.el.span(_name(budget), class_name="strong"),
        over,
        rx.cond(budget.name != "", rx.el.span(_kind(budget.kind), class_name="quiet-text cell-below")),
    )


def _spent(budget: Value) -> rx.Component:
    """Show what is spent, and below it what open calls hold."""
    held = rx.el.span(text("budgets.held"), " ", money_text(budget.held), class_name="quiet-text cell-below")
    return rx.fragment(money_text(budget.spent), rx.cond(budget.has_held, held))


def _left(budget: Value) -> rx.Component:
    """Show what is left, or say that nothing is."""
    return rx.cond(budget.is_used_up, badge(text("budgets.used_up"), Tone.BAD), money_text(budget.left))


def _row_actions(budget: Value, *, on_change: Any, on_remove: Any) -> rx.Component:
    """Offer another limit, and the end."""
    change = rx.el.button(
        text("budgets.change"),
        rx.el.span(" ", _name(budget), class_name="unseen"),
        type="button",
        class_name="button quiet small",
        on_click=on_change(budget.id),
        custom_attrs={"data-shows": OPEN_BUDGET},
    )
    remove = row_action(text("budgets.remove"), _name(budget), REMOVE_DIALOG, on_remove(budget.id), class_name="warns")
    return rx.el.span(change, remove, class_name="row-actions")


def _name(budget: Value) -> Value:
    """Name what a budget is for."""
    return rx.cond(budget.name == "", text("budget_of.organization"), budget.name)


def _kind(kind: Value) -> Value:
    """Say whose calls a budget counts."""
    return rx.match(kind, *[(one.value, text(f"budget_of.{one}")) for one in SubjectKind], "")


def _window(window: Value) -> Value:
    """Say per what a budget is."""
    return rx.match(window, *[(one.value, text(f"budget_window.{one}")) for one in Window], "")


def _limit_input(**more: Any) -> rx.Component:
    """Take a limit."""
    return rx.el.input(
        name="limit",
        required=True,
        max_length=_LIMIT_CHARACTERS_MAX,
        input_mode="decimal",
        auto_complete="off",
        class_name="input",
        **more,
    )


def _actions(*buttons: rx.Component) -> rx.Component:
    """Put the buttons of a form at its end."""
    return rx.el.div(*buttons, class_name="dialog-actions")
