"""Forms of finance's page of plans and rates; each makes a draft, which a colleague publishes."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.terms_desk import NUMBER_CHARACTERS_MAX, PLAN_CHARACTERS_MAX
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.money import Currency
from onetoken_app.pricing.models import TermsKind


def ratio_form(*, form_key: Value, on_submit: Any) -> rx.Component:
    """Ask for a plan and what it multiplies by; a new name makes a new plan."""
    return _form(
        TermsKind.RATIO,
        field(text("plans.plan"), _input("plan_name", PLAN_CHARACTERS_MAX), hint=text("plans.plan_hint")),
        field(
            text("plans.ratio"),
            _input("ratio", NUMBER_CHARACTERS_MAX, input_mode="decimal"),
            hint=text("plans.ratio_hint"),
        ),
        form_key=form_key,
        on_submit=on_submit,
    )


def plan_form(*, payer: Value, plans: Value, form_key: Value, on_submit: Any) -> rx.Component:
    """Ask which plan the open organization is to have."""
    return _form(
        TermsKind.PLAN,
        rx.el.input(type="hidden", name="organization_id", value=payer.id, read_only=True),
        field(
            text("plans.plan"),
            rx.el.select(
                rx.el.option(text("plans.no_plan"), value=""),
                rx.foreach(plans, lambda one: rx.el.option(one.name, value=one.name)),
                name="plan",
                class_name="input",
            ),
        ),
        form_key=form_key + payer.id,
        on_submit=on_submit,
    )


def end_form(rows: Value, *, form_key: Value, on_submit: Any) -> rx.Component:
    """Ask which of some prices are to end, and when."""
    return _form(
        TermsKind.END,
        field(
            text("plans.version_to_end"),
            rx.el.select(
                rx.foreach(
                    rows,
                    lambda one: rx.cond(
                        one.is_ended_early,
                        rx.fragment(),
                        rx.el.option(one.version, " · ", one.model, " · ", one.begins, value=one.version),
                    ),
                ),
                name="version",
                class_name="input",
            ),
        ),
        form_key=form_key,
        on_submit=on_submit,
    )


def rate_form(*, form_key: Value, on_submit: Any) -> rx.Component:
    """Ask for an exchange rate."""
    usd, cny = Currency.USD.value, Currency.CNY.value
    return _form(
        TermsKind.EXCHANGE,
        field(text("plans.from_currency"), _currencies("from_currency", usd)),
        field(text("plans.to_currency"), _currencies("to_currency", cny)),
        field(
            text("plans.rate"),
            _input("rate", NUMBER_CHARACTERS_MAX, input_mode="decimal"),
            hint=text("plans.rate_hint"),
        ),
        form_key=form_key,
        on_submit=on_submit,
    )


def _form(kind: TermsKind, *fields: rx.Component, form_key: Value, on_submit: Any) -> rx.Component:
    """Ask for some terms and from when on; a new key empties the form."""
    return rx.el.form(
        rx.el.input(type="hidden", name="terms_kind", value=kind.value, read_only=True),
        rx.el.div(
            *fields,
            field(
                text("plans.end_at") if kind is TermsKind.END else text("prices.effective"),
                rx.el.input(name="effective_at", type="datetime-local", class_name="input"),
                hint=text("plans.effective_hint", zone=LocaleState.zone),
            ),
            class_name="field-columns",
        ),
        rx.el.div(
            rx.el.button(text(f"terms_propose.{kind}"), type="submit", class_name="button"),
            class_name="dialog-actions",
        ),
        key=form_key,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _currencies(name: str, chosen: str) -> rx.Component:
    """Choose a currency."""
    options = [rx.el.option(one.value, value=one.value) for one in Currency]
    return rx.el.select(*options, name=name, default_value=chosen, class_name="input")


def _input(name: str, characters_max: int, **more: Any) -> rx.Component:
    """Ask for a line that has to be there."""
    return rx.el.input(
        name=name, required=True, max_length=characters_max, auto_complete="off", class_name="input", **more
    )
