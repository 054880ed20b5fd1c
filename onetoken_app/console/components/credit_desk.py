"""Parts of finance's page of credit: lists of organizations, grants and freezes, and the forms about one of them."""

from typing import Any

import reflex as rx

from onetoken_app.billing.contracts import NUMBER_CHARACTERS_MAX, PAYMENT_DAYS_MAX
from onetoken_app.billing.following import ContractStanding
from onetoken_app.billing.models import BillingCycle
from onetoken_app.console.components.card import note
from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.status_badge import badge, status_badge
from onetoken_app.console.components.top_up_orders import look_button
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.payments.amounts import AMOUNT_CHARACTERS_MAX
from onetoken_app.payments.words import WORDS_CHARACTERS_MAX

CREDIT_STEPS = ("given", "proposed", "approved", "refused", "agreed", "frozen", "released")
"""What a person has just done about credit, as the page says it."""
_TONES = {
    GrantState.PROPOSED.value: Tone.WARNING,
    GrantState.GRANTED.value: Tone.GOOD,
    GrantState.REFUSED.value: Tone.BAD,
}


def done_note(outcome: Value) -> rx.Component:
    """Say what finance just did."""
    said = [
        (key, rx.el.p(text(f"credit_done.{key}"), class_name="note tone-good", role="status")) for key in CREDIT_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def customer_columns(on_look: Any) -> list[Column]:
    """Describe the list of organizations."""
    return [
        Column(text("organizations.name"), _customer),
        Column(text("organizations.code"), lambda one: rx.el.code(one.code)),
        Column(text("credit_desk.spendable"), lambda one: money_text(one.spendable), align=Align.NUMBER),
        Column(text("top_up.actions"), lambda one: look_button(one.id, one.name, on_look), align=Align.ACTIONS),
    ]


def waiting_columns(*, on_approve: Any, on_refuse: Any) -> list[Column]:
    """Describe the grants that wait for a second person."""
    return [
        Column(text("frame.organization"), lambda one: rx.el.span(one.organization, class_name="strong")),
        *_grant_columns(),
        Column(text("credit_desk.proposed_by"), lambda one: one.proposer),
        Column(
            text("top_up.actions"),
            lambda one: rx.cond(one.may_decide, _decide(one, on_approve=on_approve, on_refuse=on_refuse)),
            align=Align.ACTIONS,
        ),
    ]


def grant_columns() -> list[Column]:
    """Describe what was given to one organization."""
    return [
        *_grant_columns(),
        Column(text("top_up.status"), lambda one: status_badge(one.state, prefix="grant_state", tones=_TONES)),
        Column(
            text("credit_desk.by"),
            lambda one: rx.el.span(one.proposer, rx.cond(one.decider != "", rx.fragment(" · ", one.decider))),
        ),
        Column(text("credit_desk.on"), lambda one: rx.el.span(one.proposed, class_name="figure")),
    ]


def freeze_columns() -> list[Column]:
    """Describe when one organization was frozen."""
    return [
        Column(text("credit_desk.frozen_since"), lambda one: rx.el.span(one.since, class_name="figure")),
        Column(
            text("credit_desk.reason"),
            lambda one: rx.fragment(
                rx.el.span(one.reason, class_name="own-words"), rx.el.span(one.by, class_name="quiet-text cell-below")
            ),
        ),
        Column(text("credit_desk.released_on"), lambda one: rx.el.span(one.until, class_name="figure")),
        Column(
            text("credit_desk.release_reason"),
            lambda one: rx.fragment(
                rx.el.span(one.lift_reason, class_name="own-words"),
                rx.el.span(one.lifter, class_name="quiet-text cell-below"),
            ),
        ),
    ]


def give_form(*, customer_id: Value, submission_id: Value, currency: Value, on_submit: Any) -> rx.Component:
    """Ask what to give, until when, and why."""
    kinds = [rx.el.option(text(f"grant_kind.{one}"), value=one.value) for one in GrantKind]
    return _form(
        customer_id,
        "give",
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        field(text("credit_desk.kind"), rx.el.select(*kinds, name="grant_kind", class_name="input")),
        field(text("credit_desk.amount_in", currency=currency), _input("amount", max_length=AMOUNT_CHARACTERS_MAX)),
        field(text("credit_desk.last_day"), _input("last_day", type="date"), hint=text("credit_desk.last_day_hint")),
        _reason(text("credit_desk.reason"), hint=text("credit_desk.give_reason_hint")),
        button=rx.el.button(text("credit_desk.give"), type="submit", class_name="button primary"),
        on_submit=on_submit,
        follows=submission_id,
    )


def contract_form(*, customer_id: Value, terms: Value, currency: Value, on_submit: Any) -> rx.Component:
    """Ask what was agreed; the credit limit is a part of it."""
    cycles = [rx.el.option(text(f"billing_cycle.{one}"), value=one.value) for one in BillingCycle]
    return _form(
        customer_id,
        "contract",
        rx.el.input(type="hidden", name="contract_revision", value=terms.revision, read_only=True),
        rx.match(
            terms.standing,
            *[
                (
                    one.value,
                    note(
                        text(f"contract_standing.{one}"),
                        tone="neutral" if one is ContractStanding.IN_FORCE else "warning",
                    ),
                )
                for one in ContractStanding
            ],
            rx.fragment(),
        ),
        field(
            text("credit_desk.number"), _input("number", max_length=NUMBER_CHARACTERS_MAX, default_value=terms.number)
        ),
        field(
            text("credit_desk.limit_in", currency=currency),
            _input("credit_limit", max_length=AMOUNT_CHARACTERS_MAX, default_value=terms.credit_limit),
            hint=text("credit_desk.limit_hint"),
        ),
        field(
            text("credit_desk.cycle"),
            rx.el.select(*cycles, name="cycle", default_value=terms.cycle, class_name="input"),
        ),
        field(
            text("credit_desk.payment_days"),
            _input("payment_days", type="number", min="0", max=str(PAYMENT_DAYS_MAX), default_value=terms.payment_days),
        ),
        field(text("credit_desk.starts_on"), _input("starts_on", type="date", default_value=terms.starts_on)),
        field(
            text("credit_desk.ends_on"),
            rx.el.input(name="ends_on", type="date", default_value=terms.ends_on, class_name="input"),
            hint=text("credit_desk.ends_on_hint"),
        ),
        _reason(text("credit_desk.reason"), hint=text("credit_desk.contract_reason_hint")),
        button=rx.el.button(text("credit_desk.agree"), type="submit", class_name="button primary"),
        on_submit=on_submit,
        follows=terms.revision,
    )


def freeze_form(*, customer_id: Value, on_submit: Any) -> rx.Component:
    """Ask why new calls are to be stopped."""
    return _form(
        customer_id,
        "freeze",
        rx.el.p(text("credit_desk.freeze_consequence")),
        _reason(text("credit_desk.reason"), hint=text("credit_desk.freeze_reason_hint")),
        button=rx.el.button(text("credit_desk.freeze"), type="submit", class_name="button warns"),
        on_submit=on_submit,
    )


def release_form(*, customer_id: Value, on_submit: Any) -> rx.Component:
    """Ask why calls may be made again."""
    return _form(
        customer_id,
        "release",
        _reason(text("credit_desk.reason"), hint=text("credit_desk.release_reason_hint")),
        button=rx.el.button(text("credit_desk.release"), type="submit", class_name="button primary"),
        on_submit=on_submit,
    )


def _customer(one: Value) -> rx.Component:
    """Name an organization, and say when its credit is frozen."""
    frozen = rx.fragment(" ", badge(text("credit_desk.is_frozen"), Tone.BAD))
    return rx.el.span(rx.el.span(one.name, class_name="strong"), rx.cond(one.is_frozen, frozen))


def _grant_columns() -> list[Column]:
    """Describe a grant."""
    kinds = [(one.value, text(f"grant_kind.{one}")) for one in GrantKind]
    return [
        Column(text("credit_desk.kind"), lambda one: rx.el.span(rx.match(one.kind, *kinds, ""))),
        Column(text("top_up.amount"), lambda one: money_text(one.amount), align=Align.NUMBER),
        Column(text("credit.expires"), lambda one: rx.el.span(one.expires, class_name="figure")),
        Column(text("credit_desk.reason"), lambda one: rx.el.span(one.reason, class_name="own-words")),
    ]


def _decide(one: Value, *, on_approve: Any, on_refuse: Any) -> rx.Component:
    """Approve or refuse; whoever proposed it may take it back alone."""
    about = rx.el.span(" ", one.organization, class_name="unseen")
    approve = rx.el.button(
        text("transfers.approve"), about, type="button", class_name="button quiet small", on_click=on_approve(one.id)
    )
    refuse = rx.el.button(
        rx.cond(one.is_own, text("credit_desk.take_back"), text("credit_desk.refuse")),
        about,
        type="button",
        class_name="button quiet small warns",
        on_click=on_refuse(one.id),
    )
    return rx.el.span(rx.cond(one.is_own, rx.fragment(), approve), refuse, class_name="row-actions")


def _form(
    customer_id: Value, verb: str, *content: rx.Component, button: rx.Component, on_submit: Any, follows: Value = ""
) -> rx.Component:
    """Ask about an organization; posted with which one, since the server may have opened another meanwhile."""
    return rx.el.form(
        rx.el.input(type="hidden", name="organization_id", value=customer_id, read_only=True),
        *content,
        rx.el.div(button, class_name="dialog-actions"),
        key=f"{verb}-{customer_id}-{follows}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _reason(label: Value, *, hint: Value) -> rx.Component:
    """Ask why."""
    control = rx.el.textarea(
        name="reason", rows="3", max_length=WORDS_CHARACTERS_MAX, required=True, class_name="input"
    )
    return field(label, control, hint=hint)


def _input(name: str, **more: Any) -> rx.Component:
    """Take what has to be filled in."""
    return rx.el.input(name=name, required=True, auto_complete="off", class_name="input", **more)
