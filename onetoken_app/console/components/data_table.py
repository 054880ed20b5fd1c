"""The table of every page: columns, an empty state that says what to do next, loading, paging.

On a narrow screen each row becomes a small card, and each cell carries its column's label.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import reflex as rx

from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value


class Align(StrEnum):
    """How the cells of a column stand; the value is their class."""

    TEXT = ""
    """From the left."""
    NUMBER = "number"
    """From the right, digits of one width."""
    ACTIONS = "actions"
    """From the right."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    label: Value
    cell: Callable[[Any], Any]
    """Makes the cell of a row."""
    align: Align = Align.TEXT
    is_shown: Value | None = None
    """Whether there is anything in it for whoever reads; ``None``: always."""


def data_table(
    *,
    columns: list[Column],
    rows: Value,
    caption: Value,
    is_loaded: Value,
    empty: rx.Component,
    pager: rx.Component | None = None,
) -> rx.Component:
    """Show rows.

    Args:
        columns: From left to right.
        rows: What is shown.
        caption: The table's name, for those who do not see its surroundings.
        is_loaded: Whether ``rows`` is what there is, or nothing yet.
        empty: Shown when there is nothing: what it means, and what to do next.
        pager: Below the rows.
    """
    table = rx.el.div(
        rx.el.table(
            rx.el.caption(caption, class_name="unseen"),
            rx.el.thead(rx.el.tr(*[_where_shown(column, _head(column)) for column in columns])),
            rx.el.tbody(rx.foreach(rows, lambda row: _row(columns, row))),
            class_name="table",
        ),
        class_name="table-frame",
        tab_index=0,
        role="region",
        custom_attrs={"aria-label": caption},
    )
    filled = rx.fragment(table, pager) if pager is not None else table
    return rx.cond(is_loaded, rx.cond(rows.length() > 0, filled, empty), loading_rows())


def empty_state(title: Value, what_next: Value, *actions: rx.Component) -> rx.Component:
    """Say that there is nothing, and what to do about it."""
    return rx.el.div(
        rx.el.p(title, class_name="empty-title"),
        rx.el.p(what_next, class_name="empty-next"),
        *actions,
        class_name="empty",
    )


def loading_rows() -> rx.Component:
    """Keep the place of rows that are on their way."""
    return rx.el.div(
        *[rx.el.div(class_name="skeleton") for _ in range(4)],
        rx.el.span(text("table.loading"), class_name="unseen"),
        class_name="skeletons",
        role="status",
    )


def pager(*, has_newer: Value, has_older: Value, on_newest: Any, on_older: Any) -> rx.Component:
    """Go back in time, and to the newest rows again; nothing where there is one page."""
    buttons = rx.el.div(
        rx.el.button(
            text("table.newest"), on_click=on_newest, disabled=~has_newer, class_name="button quiet", type="button"
        ),
        rx.el.button(
            text("table.older"), on_click=on_older, disabled=~has_older, class_name="button quiet", type="button"
        ),
        class_name="pager",
    )
    return rx.cond(has_newer | has_older, buttons)


def _row(columns: list[Column], row: Value) -> rx.Component:
    """Draw one row."""
    return rx.el.tr(
        *[
            _where_shown(
                column,
                rx.el.td(column.cell(row), class_name=column.align.value, custom_attrs={"data-label": column.label}),
            )
            for column in columns
        ]
    )


def _head(column: Column) -> rx.Component:
    """Name a column."""
    return rx.el.th(column.label, scope="col", class_name=column.align.value)


def _where_shown(column: Column, cell: rx.Component) -> rx.Component:
    """Leave a cell out where its column says nothing to whoever reads."""
    return cell if column.is_shown is None else rx.cond(column.is_shown, cell)
