"""Parts of refunds, on both sides of the desk: their state in words, lists, and the forms to ask and to decide."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import note
from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.payment_choice import provider_name
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.components.top_up_orders import fact, look_button
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX
from onetoken_app.payments.bank_entries import BANK_ENTRY_CHARACTERS_MAX
from onetoken_app.payments.models import RefundFailure, RefundRefusal, RefundStage
from onetoken_app.payments.refundable import Obstacle
from onetoken_app.payments.words import WORDS_CHARACTERS_MAX

_REFERENCE_CHARACTERS_MAX = 16
REFUND_STEPS = ("asked", "approved", "held", "refused", "confirmed", "given_up")
"""What a person has just done about a refund, as the page says it."""
_TONES = {
    RefundStage.REQUESTED: Tone.WARNING,
    RefundStage.HELD: Tone.NEUTRAL,
    RefundStage.SENT: Tone.NEUTRAL,
    RefundStage.CONFIRMED: Tone.GOOD,
    RefundStage.FAILED: Tone.BAD,
    RefundStage.REFUSED: Tone.BAD,
    RefundStage.WITHDRAWN: Tone.NEUTRAL,
}


def done_note(outcome: Value) -> rx.Component:
    """Say what finance just did."""
    said = [
        (key, rx.el.p(text(f"refund_done.{key}"), class_name="note tone-good", role="status")) for key in REFUND_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def obstacle_note(obstacle: Value) -> rx.Component:
    """Say why nothing is refunded now."""
    notes = [(one.value, note(text(f"refund_obstacle.{one}"), tone="warning")) for one in Obstacle]
    return rx.match(obstacle, *notes, rx.fragment())


def refund_columns(*, may_withdraw: Value, on_withdraw: Any) -> list[Column]:
    """Describe an organization's refunds; those that nobody decided on can be taken back."""

    def withdraw(one: Value) -> rx.Component:
        button = rx.el.button(
            text("refunds.withdraw"),
            rx.el.span(" ", one.reference, " ", one.amount.main, class_name="unseen"),
            type="button",
            class_name="button quiet small",
            on_click=on_withdraw(one.id),
        )
        return rx.cond(may_withdraw & one.is_withdrawable, button)

    return [
        Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("refunds.back_by"), lambda one: provider_name(one.provider)),
        Column(text("top_up.status"), _stage_and_why),
        Column(text("refunds.asked"), lambda one: rx.el.span(one.asked, class_name="figure")),
        Column(text("refunds.ended"), lambda one: rx.el.span(one.ended, class_name="figure")),
        Column(text("top_up.actions"), withdraw, align=Align.ACTIONS),
    ]


def desk_columns(on_look: Any) -> list[Column]:
    """Describe the list of what is under way."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("top_up.status"), _stage_and_why),
        Column(text("refunds.asked"), lambda one: rx.el.span(one.asked, class_name="figure")),
        Column(text("transfers.approvals"), lambda one: rx.el.span(one.approvals, class_name="figure")),
        Column(text("top_up.actions"), lambda one: look_button(one.id, one.organization, on_look), align=Align.ACTIONS),
    ]


def ended_columns() -> list[Column]:
    """Describe the list of what has ended."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        Column(text("top_up.reference"), lambda one: rx.el.code(one.reference)),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("top_up.status"), _stage_and_why),
        Column(text("refunds.ended"), lambda one: rx.el.span(one.ended, class_name="figure")),
        Column(text("transfers.bank_entry"), lambda one: rx.el.span(one.bank_entry, class_name="figure")),
        Column(text("transfers.approvers"), lambda one: one.approvers),
    ]


def ask_form(*, orders: Value, submission_id: Value, follows: Value, on_submit: Any) -> rx.Component:
    """Ask for a part of one order back.

    Args:
        orders: Those of which something can be asked back.
        submission_id: The same one sent twice is one refund.
        follows: The latest refund; the form is emptied when there is another, and by nothing else.
        on_submit: Called with the form.
    """
    options = rx.foreach(
        orders, lambda one: rx.el.option(one.reference, " · ", text("refunds.at_most", most=one.most), value=one.id)
    )
    choosing = field(text("refunds.order"), rx.el.select(options, name="order_id", required=True, class_name="input"))
    return _asking(choosing, submission_id=submission_id, follows=follows, on_submit=on_submit)


def ask_form_of_finance(*, submission_id: Value, on_submit: Any) -> rx.Component:
    """Ask for a part of any order back, in the name of its organization; arguments as in ``ask_form``."""
    naming = field(
        text("top_up.reference"),
        rx.el.input(
            name="reference",
            required=True,
            max_length=_REFERENCE_CHARACTERS_MAX,
            auto_complete="off",
            class_name="input",
        ),
        hint=text("refund_desk.reference_hint"),
    )
    return _asking(naming, submission_id=submission_id, follows=submission_id, on_submit=on_submit)


def refund_particulars(refund: Value) -> rx.Component:
    """Show what is asked for, by whom, and where it goes back to."""
    facts = (
        ("frame.organization", refund.organization),
        ("refunds.asked", refund.asked),
        ("refund_desk.asked_by", refund.asked_by),
        ("refund_desk.asked_words", refund.asked_words),
        ("transfers.approvers", refund.approvers),
        ("report.payer", refund.payer_name),
        ("report.bank_reference", refund.bank_reference),
    )
    return rx.el.dl(
        fact(text("top_up.amount"), money_text(refund.amount, size="large")),
        fact(text("refund_desk.paid"), money_text(refund.paid)),
        fact(text("top_up.reference"), rx.el.code(refund.reference, class_name="reference")),
        fact(text("refunds.back_by"), provider_name(refund.provider)),
        *[rx.cond(value != "", fact(text(key), rx.el.span(value))) for key, value in facts],
        class_name="facts in-two",
    )


def approve_form(refund: Value, *, on_submit: Any) -> rx.Component:
    """Approve; the money leaves the balance at once."""
    return _deciding(
        refund,
        "approve",
        rx.cond(refund.needs_second, note(text("refund_desk.needs_second"))),
        rx.el.p(text("refund_desk.approve_consequence")),
        title=text("refund_desk.approve_title"),
        button=rx.el.button(text("transfers.approve"), type="submit", class_name="button primary"),
        on_submit=on_submit,
    )


def refuse_form(refund: Value, *, on_submit: Any) -> rx.Component:
    """Ask for a reason of the list, and words of one's own."""
    reasons = [rx.el.option(text(f"refund_refusal.{one}"), value=one.value) for one in RefundRefusal]
    return _deciding(
        refund,
        "refuse",
        field(text("reviews.reason"), rx.el.select(*reasons, name="reason", class_name="input")),
        _words(text("reviews.words"), hint=text("reviews.words_hint")),
        title=text("refund_desk.refuse_title"),
        button=rx.el.button(text("refund_desk.refuse"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def confirm_form(refund: Value, *, on_submit: Any) -> rx.Component:
    """Ask for the entry of the bank statement."""
    return _deciding(
        refund,
        "confirm",
        field(
            text("transfers.bank_entry"),
            rx.el.input(
                name="bank_entry",
                required=True,
                max_length=BANK_ENTRY_CHARACTERS_MAX,
                auto_complete="off",
                class_name="input",
            ),
            hint=text("refund_desk.bank_entry_hint"),
        ),
        title=text("refund_desk.confirm_title"),
        button=rx.el.button(text("refund_desk.confirm"), type="submit", class_name="button primary"),
        on_submit=on_submit,
    )


def give_up_form(refund: Value, *, on_submit: Any) -> rx.Component:
    """Ask for words why it could not be transferred."""
    return _deciding(
        refund,
        "give-up",
        _words(text("reviews.words"), hint=text("reviews.words_hint"), required=True),
        title=text("refund_desk.give_up_title"),
        button=rx.el.button(text("refund_desk.give_up"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def _asking(which: rx.Component, *, submission_id: Value, follows: Value, on_submit: Any) -> rx.Component:
    """Ask for a part of an order back."""
    return rx.el.form(
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        which,
        field(
            text("top_up.amount"),
            rx.el.input(
                name="amount",
                required=True,
                max_length=AMOUNT_CHARACTERS_MAX,
                input_mode="decimal",
                auto_complete="off",
                class_name="input",
            ),
            hint=text("top_up.amount_hint"),
        ),
        _words(text("refunds.why"), hint=text("refunds.why_hint")),
        rx.el.div(
            rx.el.button(text("refunds.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=follows,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def _deciding(
    refund: Value, verb: str, *content: rx.Component, title: Value, button: rx.Component, on_submit: Any
) -> rx.Component:
    """Decide on a refund; posted with which one, as it was: the server may have opened another meanwhile."""
    return rx.el.form(
        rx.el.input(type="hidden", name="refund_id", value=refund.id, read_only=True),
        rx.el.input(type="hidden", name="revision", value=refund.revision, read_only=True),
        rx.el.h3(title, class_name="field-label"),
        *content,
        rx.el.div(button, class_name="dialog-actions"),
        key=f"{verb}-{refund.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _words(label: Value, *, hint: Value, required: bool = False) -> rx.Component:
    """Ask for words of one's own."""
    control = rx.el.textarea(
        name="words", rows="3", max_length=WORDS_CHARACTERS_MAX, required=required, class_name="input"
    )
    return field(label, control, hint=hint)


def _stage_and_why(one: Value) -> rx.Component:
    """Say how far a refund is, and why it ended like that."""
    refusals = [(why.value, text(f"refund_refusal.{why}")) for why in RefundRefusal]
    failures = [(why.value, text(f"refund_failure.{why}")) for why in RefundFailure]
    return rx.fragment(
        status_badge(one.stage, prefix="refund_stage", tones={stage.value: tone for stage, tone in _TONES.items()}),
        rx.cond(
            (one.refusal != "") | (one.failure != ""),
            rx.el.span(
                rx.match(one.refusal, *refusals, ""),
                rx.match(one.failure, *failures, ""),
                rx.cond(one.words != "", rx.el.span(" · ", one.words)),
                class_name="quiet-text cell-note",
            ),
        ),
    )
