"""Parts of the reviewers' desk: the lists of what waits and of what was decided, and the form to decide."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.case_file import CASE_TONES
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.dialogs import opens
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.verification.models import ReviewReason

_OPEN_CASE = "open-case"


def waiting_columns(on_look: Any) -> list[Column]:
    """Describe the list of what waits."""
    return [
        Column(text("organizations.name"), lambda one: rx.el.span(one.name, class_name="strong")),
        Column(text("keys.standing"), _state),
        Column(text("reviews.submitted"), lambda one: rx.el.span(one.submitted, class_name="figure")),
        Column(text("reviews.round"), lambda one: one.round_number, align=Align.NUMBER),
        Column(text("reviews.reviewer"), lambda one: one.reviewer),
        Column(text("keys.actions"), lambda one: _look(one, on_look), align=Align.ACTIONS),
    ]


def decided_table(rows: Value, *, is_loaded: Value, on_look: Any, pager: rx.Component) -> rx.Component:
    """List what was decided, the last first."""
    reasons = [(reason.value, text(f"reason.{reason}")) for reason in ReviewReason]
    columns = [
        Column(text("organizations.name"), lambda one: rx.el.span(one.name, class_name="strong")),
        Column(text("keys.standing"), _state),
        Column(text("reviews.reason"), lambda one: rx.match(one.reason, *reasons, "")),
        Column(text("reviews.decided_at"), lambda one: rx.el.span(one.decided, class_name="figure")),
        Column(text("reviews.round"), lambda one: one.round_number, align=Align.NUMBER),
        Column(text("reviews.reviewer"), lambda one: one.reviewer),
        Column(text("keys.actions"), lambda one: _look(one, on_look), align=Align.ACTIONS),
    ]
    return data_table(
        columns=columns,
        rows=rows,
        caption=text("reviews.decided"),
        is_loaded=is_loaded,
        empty=empty_state(text("reviews.none_decided"), text("reviews.none_decided_next")),
        pager=pager,
    )


def open_place(content: rx.Component) -> rx.Component:
    """Keep the place of the case that a row opened; the page's script brings it into view."""
    return rx.el.div(content, id=_OPEN_CASE, tab_index=-1, class_name="open-order")


def take_offer(*, on_take: Any) -> rx.Component:
    """Offer a case that nobody reviews."""
    return rx.fragment(
        rx.el.p(text("reviews.take_words")),
        rx.el.div(
            rx.el.button(text("reviews.take"), type="button", on_click=on_take, class_name="button primary"),
            class_name="dialog-actions",
        ),
    )


def decision_form(case: Value, *, on_answer: Any, on_release: Any, approves: str) -> rx.Component:
    """Approve, ask or refuse, or give the case back.

    Args:
        case: Which, and its revision, are posted with the form: the server may have opened another meanwhile.
        on_answer: Takes the form: what is answered, why, and words.
        on_release: Gives the case back.
        approves: The dialog that asks before an approval.
    """
    reasons = [rx.el.option(text(f"reason.{reason}"), value=reason.value) for reason in ReviewReason]
    return rx.el.form(
        rx.el.input(type="hidden", name="case_id", value=case.id, read_only=True),
        rx.el.input(type="hidden", name="revision", value=case.revision, read_only=True),
        field(
            text("reviews.answer"),
            rx.el.select(
                rx.el.option(text("reviews.ask"), value="ask"),
                rx.el.option(text("reviews.refuse"), value="refuse"),
                name="decision",
                class_name="input",
            ),
        ),
        field(text("reviews.reason"), rx.el.select(*reasons, name="reason", class_name="input")),
        field(
            text("reviews.words"),
            rx.el.textarea(name="words", rows="3", max_length=1000, class_name="input"),
            hint=text("reviews.words_hint"),
        ),
        rx.el.div(
            rx.el.button(text("reviews.release"), type="button", on_click=on_release, class_name="button quiet"),
            rx.el.button(text("reviews.send"), type="submit", class_name="button"),
            rx.el.button(
                text("reviews.approve"), type="button", class_name="button primary", custom_attrs=opens(approves)
            ),
            class_name="dialog-actions",
        ),
        key=f"decide-{case.id}",
        on_submit=on_answer,
        reset_on_submit=False,
        class_name="form",
    )


def _state(row: Value) -> rx.Component:
    """Say how far a case is."""
    return status_badge(row.state, prefix="case", tones=CASE_TONES)


def _look(row: Value, on_look: Any) -> rx.Component:
    """Open a case."""
    return rx.el.button(
        text("reviews.look"),
        rx.el.span(" ", row.name, class_name="unseen"),
        type="button",
        class_name="button quiet small",
        on_click=on_look(row.id),
        custom_attrs={"data-shows": _OPEN_CASE},
    )
