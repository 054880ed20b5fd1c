"""Parts of statements: a month's balances and movements, its charges, the list of closed ones, what is due."""

from typing import Any

import reflex as rx

from onetoken_app.billing.models import BillingCycle
from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.spend_chart import share_list
from onetoken_app.console.components.status_badge import badge
from onetoken_app.console.components.top_up_orders import fact, look_button
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value

OPEN_MONTH = "open-month"
"""Where the month that is open stands on its page."""


def running_card(sheet: Value, *, may_keep: Value, on_look: Any) -> rx.Component:
    """Show the month that runs, as far as it has come.

    Args:
        sheet: The month.
        may_keep: Whether the reader may have its files.
        on_look: Called with the month's name.
    """
    look = rx.el.button(
        text("statements.lines"),
        rx.el.span(" ", sheet.month, class_name="unseen"),
        type="button",
        class_name="button quiet",
        on_click=on_look(sheet.id),
        custom_attrs={"data-shows": OPEN_MONTH},
    )
    words = rx.cond(
        sheet.is_over,
        text("statements.is_over", closes=sheet.closes),
        text("statements.still_changes", closes=sheet.closes),
    )
    return card(
        balance_table(sheet),
        note(words),
        rx.el.div(rx.cond(may_keep, _files(sheet)), look, class_name="dialog-actions"),
        title=text("statements.running", month=sheet.month),
        side=badge(text("statements.preliminary"), Tone.WARNING),
    )


def month_card(sheet: Value, *, may_keep: Value) -> rx.Component:
    """Show a month with its lines by model, key and project."""
    parts = (
        ("statements.by_model", sheet.by_model),
        ("statements.by_key", sheet.by_key),
        ("statements.by_project", sheet.by_project),
    )
    shares = [
        rx.el.div(rx.el.h3(text(key), class_name="field-label"), share_list(rows, empty=text("statements.no_charges")))
        for key, rows in parts
    ]
    return card(
        rx.el.p(sheet.period, class_name="quiet-text figure"),
        balance_table(sheet),
        rx.el.div(*shares, class_name="columns in-three"),
        rx.el.ul(rx.foreach(sheet.notices, rx.el.li), class_name="plain-list"),
        rx.cond(may_keep, rx.el.div(_files(sheet), class_name="dialog-actions")),
        title=text("statements.of_month", month=sheet.month),
        side=rx.cond(
            sheet.is_closed,
            badge(text("statements.closed"), Tone.GOOD),
            badge(text("statements.preliminary"), Tone.WARNING),
        ),
    )


def balance_table(sheet: Value) -> rx.Component:
    """Show balances and movements, each kind of account in a column of its own."""
    return rx.el.div(
        rx.el.table(
            rx.el.caption(text("statements.of_month", month=sheet.month), class_name="unseen"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(text("statements.what"), scope="col"),
                    rx.foreach(sheet.pots, lambda pot: rx.el.th(pot, scope="col", class_name="number")),
                )
            ),
            rx.el.tbody(rx.foreach(sheet.rows, _balance_row)),
            class_name="table balances",
        ),
        class_name="table-frame",
        tab_index=0,
        role="region",
        custom_attrs={"aria-label": text("statements.of_month", month=sheet.month)},
    )


def month_table(months: Value, *, is_loaded: Value, closes: Value, may_keep: Value, on_look: Any) -> rx.Component:
    """List closed months, newest first; without one, say when the first is closed."""
    none_yet = rx.cond(
        closes != "", text("statements.none_next", closes=closes), text("statements.none_until_verified")
    )
    actions = Column(
        text("statements.actions"),
        lambda one: rx.el.div(
            rx.cond(may_keep, _files(one, is_small=True)), look_button(one.id, one.month, on_look, shows=OPEN_MONTH),
            class_name="row-actions",
        ),
        align=Align.ACTIONS,
    )  # fmt: skip
    return data_table(
        columns=[
            Column(text("statements.month"), lambda one: rx.el.span(one.month, class_name="figure")),
            Column(text("statements.opening"), lambda one: money_text(one.opening), align=Align.NUMBER),
            Column(text("statements.charges"), lambda one: money_text(one.charged), align=Align.NUMBER),
            Column(text("statements.closing"), lambda one: money_text(one.closing), align=Align.NUMBER),
            Column(text("statements.closed_at"), lambda one: rx.el.span(one.closed, class_name="figure")),
            actions,
        ],
        rows=months,
        caption=text("statements.months"),
        is_loaded=is_loaded,
        empty=empty_state(text("statements.none"), none_yet),
    )


def due_card(contract: Value, dues: Value) -> rx.Component:
    """Show what an organization that pays afterwards has to pay, and what was agreed."""
    cycles = [(one.value, text(f"billing_cycle.{one}")) for one in BillingCycle]
    return card(
        rx.cond(
            dues.length() > 0,
            rx.fragment(rx.foreach(dues, _due)),
            note(text("statements.nothing_due"), tone="good"),
        ),
        rx.el.dl(
            fact(text("statements.contract"), rx.el.span(contract.number)),
            fact(text("statements.cycle"), rx.el.span(rx.match(contract.cycle, *cycles, ""))),
            fact(text("statements.payment"), rx.el.span(text("statements.payment_days", days=contract.payment_days))),
            fact(text("statements.limit"), money_text(contract.limit)),
            class_name="facts in-two",
        ),
        title=text("statements.due"),
    )


def _due(due: Value) -> rx.Component:
    """Say what is to be paid until when."""
    late = rx.el.p(
        money_text(due.amount), " ", text("statements.was_due", day=due.pay_by, month=due.month),
        class_name="note tone-bad",
    )  # fmt: skip
    open_yet = rx.el.p(
        money_text(due.amount), " ", text("statements.is_due", day=due.pay_by, month=due.month),
        class_name="note tone-warning",
    )  # fmt: skip
    return rx.cond(due.is_overdue, late, open_yet)


def _balance_row(row: Value) -> rx.Component:
    """Draw one line."""
    return rx.el.tr(
        rx.el.th(row.what, scope="row"),
        rx.foreach(
            row.figures,
            lambda figure: rx.el.td(
                money_text(figure.amount), class_name="number", custom_attrs={"data-label": figure.pot}
            ),
        ),
        class_name=rx.cond(row.is_balance, "balance", ""),
    )


def _files(month: Value, *, is_small: bool = False) -> rx.Component:
    """Lead to a month's files."""
    look = "button quiet small" if is_small else "button"
    return rx.fragment(
        *[
            file_link(
                rx.fragment(text(key), rx.el.span(" ", month.month, class_name="unseen")),
                address=address,
                class_name=look,
            )
            for key, address in (("statements.pdf", month.pdf), ("statements.csv", month.csv))
        ]
    )
