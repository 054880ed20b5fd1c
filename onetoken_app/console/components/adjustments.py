"""Parts of finance's desk of adjustments: the form of a proposal, lists, and the one that is open."""

from typing import Any

import reflex as rx

from onetoken_app.console.adjustments import GIVES, TAKES
from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.components.top_up_orders import OPEN_ORDER, fact, look_button
from onetoken_app.console.shown.adjustments import AdjustmentStep
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX
from onetoken_app.payments.models import AdjustmentReason, AdjustmentState
from onetoken_app.payments.words import WORDS_CHARACTERS_MAX

ADJUSTMENT_STEPS = ("proposed", "made", "dropped")
"""What a person has just done about an adjustment, as the page says it."""
_TONES = {
    AdjustmentState.MADE: Tone.GOOD,
    AdjustmentState.DROPPED: Tone.NEUTRAL,
    AdjustmentState.PROPOSED: Tone.WARNING,
}
_LINE_CHARACTERS_MAX = 200


def done_note(outcome: Value) -> rx.Component:
    """Say what finance just did."""
    said = [
        (key, rx.el.p(text(f"adjustment_done.{key}"), class_name="note tone-good", role="status"))
        for key in ADJUSTMENT_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def waiting_columns(on_look: Any) -> list[Column]:
    """Describe the list of what waits."""
    return [
        *_columns(),
        Column(text("adjustments.proposed_on"), lambda one: rx.el.span(one.proposed, class_name="figure")),
        Column(text("adjustments.proposed_by"), lambda one: one.proposed_by),
        _look(on_look),
    ]


def decided_columns(on_look: Any) -> list[Column]:
    """Describe the list of what was decided."""
    return [
        *_columns(),
        Column(text("top_up.status"), lambda one: _badge(one.state)),
        Column(text("adjustments.decided_on"), lambda one: rx.el.span(one.decided, class_name="figure")),
        Column(text("adjustments.decided_by"), lambda one: one.decided_by),
        _look(on_look),
    ]


def propose_form(*, submission_id: Value, on_submit: Any) -> rx.Component:
    """Ask whose balance, by how much, why, and what shows it.

    Args:
        submission_id: The same one sent twice is one proposal; the form is emptied when there is another.
        on_submit: Called with the form.
    """
    directions = [
        rx.el.label(
            rx.el.input(type="radio", name="direction", value=value, default_checked=value != TAKES),
            rx.el.span(words),
            class_name="tick",
        )
        for value, words in ((GIVES, text("adjustments.give")), (TAKES, text("adjustments.take")))
    ]
    reasons = [rx.el.option(text(f"adjustment_reason.{one}"), value=one.value) for one in AdjustmentReason]
    evidence = rx.el.textarea(
        name="evidence", rows="2", required=True, max_length=WORDS_CHARACTERS_MAX, class_name="input"
    )
    return rx.el.form(
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        field(text("adjustments.organization"), _input("organization", 64)),
        rx.el.fieldset(
            rx.el.legend(text("adjustments.direction"), class_name="field-label"), *directions, class_name="fieldset"
        ),
        field(text("adjustments.amount"), _input("amount", AMOUNT_CHARACTERS_MAX, input_mode="decimal")),
        field(text("adjustments.reason"), rx.el.select(*reasons, name="reason", class_name="input")),
        field(text("adjustments.words"), _input("words", _LINE_CHARACTERS_MAX), hint=text("adjustments.words_hint")),
        field(text("adjustments.evidence"), evidence, hint=text("adjustments.evidence_hint")),
        rx.el.div(
            rx.el.button(text("adjustments.propose"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=submission_id,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form order-form",
    )


def open_adjustment(one: Value, *, on_make: Any, on_drop: Any) -> rx.Component:
    """Show an adjustment with the balance before and after, and what the reader may do about it."""
    facts = (
        ("organizations.code", one.code),
        ("adjustments.words", one.words),
        ("adjustments.evidence", one.evidence),
        ("adjustments.proposed_by", one.proposed_by),
        ("adjustments.proposed_on", one.proposed),
        ("adjustments.decided_by", one.decided_by),
        ("adjustments.decided_on", one.decided),
    )
    balances = rx.fragment(
        fact(text("adjustments.balance"), money_text(one.balance)),
        fact(text("adjustments.balance_after"), money_text(one.balance_after)),
    )
    making = _form(
        one, "make", rx.el.button(text("adjustments.make"), type="submit", class_name="button primary"), on_make
    )
    dropping = _form(one, "drop", rx.el.button(text("adjustments.drop"), type="submit", class_name="button"), on_drop)
    return card(
        rx.el.dl(
            fact(text("top_up.amount"), money_text(one.amount, size="large")),
            fact(text("frame.organization"), rx.el.span(one.organization, class_name="strong")),
            fact(text("adjustments.reason"), rx.el.span(_reason(one.reason))),
            rx.cond(one.balance.currency != "", balances),
            *[rx.cond(value != "", fact(text(key), rx.el.span(value, class_name="own-words"))) for key, value in facts],
            class_name="facts in-two",
        ),
        rx.match(
            one.step,
            (
                AdjustmentStep.DECIDE.value,
                rx.fragment(
                    note(text("adjustments.make_consequence")), rx.el.div(dropping, making, class_name="dialog-actions")
                ),
            ),
            (
                AdjustmentStep.DROP.value,
                rx.fragment(
                    note(text("adjustments.needs_another"), tone="warning"),
                    rx.el.div(dropping, class_name="dialog-actions"),
                ),
            ),
            (AdjustmentStep.ABSTAIN.value, note(text("adjustments.involved"), tone="warning")),
            rx.fragment(),
        ),
        title=text("adjustments.title"),
        side=_badge(one.state),
    )


def _columns() -> list[Column]:
    """Describe what every list begins with."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("adjustments.reason"), lambda one: _reason(one.reason)),
    ]


def _look(on_look: Any) -> Column:
    """Open a row."""
    return Column(
        text("top_up.actions"),
        lambda one: look_button(one.id, one.organization + " " + one.proposed, on_look, shows=OPEN_ORDER),
        align=Align.ACTIONS,
    )


def _reason(reason: Value) -> Value:
    """Name a reason."""
    return rx.match(reason, *[(one.value, text(f"adjustment_reason.{one}")) for one in AdjustmentReason], "")


def _badge(state: Value) -> rx.Component:
    """Say how far an adjustment is."""
    return status_badge(state, prefix="adjustment_state", tones={one.value: tone for one, tone in _TONES.items()})


def _input(name: str, characters_max: int, **more: Any) -> rx.Component:
    """Ask for a line that has to be there."""
    return rx.el.input(
        name=name, required=True, max_length=characters_max, auto_complete="off", class_name="input", **more
    )


def _form(one: Value, verb: str, button: rx.Component, on_submit: Any) -> rx.Component:
    """Decide on an adjustment; posted with which one, as it was seen."""
    return rx.el.form(
        rx.el.input(type="hidden", name="adjustment_id", value=one.id, read_only=True),
        rx.el.input(type="hidden", name="revision", value=one.revision, read_only=True),
        button,
        key=f"{verb}-{one.id}",
        on_submit=on_submit,
        reset_on_submit=False,
    )
