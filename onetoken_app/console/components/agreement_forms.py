"""Parts of the agreements page: what has to be accepted, what was, and what the service is used for."""

from typing import Any

import reflex as rx

from onetoken_app.agreements.models import AgreementKind
from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.joining import acceptance_box, authority_box, text_field
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.components.prose import prose
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.models import Scenario


def agreement_name(kind: Value) -> Value:
    """Name an agreement."""
    return rx.match(
        kind,
        (AgreementKind.TERMS_OF_SERVICE.value, text("nav.terms")),
        (AgreementKind.PRIVACY_POLICY.value, text("nav.privacy")),
        "",
    )


def owed_text(owed: Value) -> rx.Component:
    """Show a text that waits: which version follows which, what changed, and the text."""
    since = rx.cond(
        owed.previous_version == "",
        text("texts.never_accepted", version=owed.version),
        text("texts.follows", before=owed.previous_version, version=owed.version),
    )
    changes = rx.el.div(
        rx.el.p(text("texts.changed"), class_name="field-label"),
        rx.el.ul(rx.foreach(owed.changed_sections, rx.el.li), class_name="plain-list"),
    )
    return card(
        rx.el.div(rx.el.p(since), rx.cond(owed.changed_sections.length() > 0, changes), class_name="stack"),
        rx.el.div(
            prose(owed.blocks),
            class_name="text-frame",
            tab_index=0,
            role="region",
            custom_attrs={"aria-label": agreement_name(owed.kind)},
        ),
        title=agreement_name(owed.kind),
        side=rx.el.a(text("texts.open"), href=owed.address, target="_blank", class_name="quiet-link"),
    )


def acceptance_form(
    owed: Value, *, organization_id: Value, locale: Value, authority: Value, is_named: Value, on_accepted: Any
) -> rx.Component:
    """Ask for the acceptance; the page's script posts the form.

    Args:
        owed: The texts.
        organization_id: For which organization; the route checks it.
        locale: The reader's.
        authority: The statement of authority.
        is_named: Whether it is known what the person is called.
        on_accepted: Called when it is on file.
    """
    return card(
        rx.el.form(
            rx.el.input(type="hidden", name="organization_id", value=organization_id, read_only=True),
            rx.el.input(type="hidden", name="locale", value=locale, read_only=True),
            rx.cond(is_named, rx.fragment(), text_field("name", text("join.name"), kind="name")),
            text_field("title", text("join.position"), hint=text("join.position_hint"), kind="organization-title"),
            authority_box(authority),
            rx.foreach(owed, lambda one: acceptance_box(one, name=agreement_name(one.kind), kind=one.kind)),
            outcomes(
                ("agreement_changed", "texts.replaced"),
                ("declaration_missing", "join.check_form"),
                ("forbidden", "error.role"),
            ),
            rx.el.div(
                rx.el.button(text("texts.accept"), type="submit", class_name="button primary"),
                class_name="dialog-actions",
            ),
            rx.el.button(type="button", on_click=on_accepted, hidden=True, custom_attrs={"data-after-post": ""}),
            class_name="form narrow",
            method="post",
            custom_attrs={"data-posts": "agreements/accept"},
        ),
        title=text("texts.accept_for"),
    )


def acceptance_table(acceptances: Value, *, is_loaded: Value) -> rx.Component:
    """List what was accepted, each with its certificate."""
    columns = [
        Column(text("agreements.text"), lambda one: rx.el.span(agreement_name(one.kind), class_name="strong")),
        Column(text("agreement.version"), lambda one: rx.el.a(one.version, href=one.address, class_name="figure")),
        Column(text("agreements.accepted"), lambda one: rx.el.span(one.accepted, class_name="figure")),
        Column(
            text("agreements.signatory"),
            lambda one: rx.cond(one.signatory == "", text("agreements.attested"), one.signatory),
        ),
        Column(text("agreements.certificate"), _certificate, align=Align.ACTIONS),
    ]
    return data_table(
        columns=columns,
        rows=acceptances,
        caption=text("agreements.accepted_texts"),
        is_loaded=is_loaded,
        empty=empty_state(text("agreements.none"), text("agreements.none_next")),
    )


def use_list(declared: Value, *, title: Value | None = None) -> rx.Component:
    """Name what the service is used for."""
    names = [(one.value, text(f"scenario.{one}")) for one in Scenario]
    return rx.el.div(
        rx.el.p(title, class_name="field-label") if title is not None else rx.fragment(),
        rx.cond(
            declared.length() > 0,
            rx.el.ul(rx.foreach(declared, lambda one: rx.el.li(rx.match(one, *names, ""))), class_name="plain-list"),
            rx.el.p(text("use.none"), class_name="quiet-text"),
        ),
        class_name="uses",
    )


def use_standing(declared: Value, *, has_consent: Value) -> rx.Component:
    """Say whether the general public may be served."""
    return rx.cond(
        declared.contains(Scenario.PUBLIC_SERVICE.value),
        rx.cond(
            has_consent,
            note(text("use.consent_on_file"), tone="good"),
            note(text("use.consent_missing"), tone="warning"),
        ),
    )


def use_form(declared: Value, *, on_declare: Any) -> rx.Component:
    """Ask what the service is used for; what is ticked stays in the page until it is saved."""
    return rx.el.form(
        rx.el.div(
            *[
                rx.el.label(
                    rx.el.input(
                        type="checkbox", name=scenario.value, default_checked=declared.contains(scenario.value)
                    ),
                    rx.el.span(text(f"scenario.{scenario}")),
                    class_name="tick",
                )
                for scenario in Scenario
            ],
            class_name="tick-columns",
        ),
        rx.el.div(rx.el.button(text("restrict.save"), type="submit", class_name="button"), class_name="dialog-actions"),
        key=declared.to_string(),
        on_submit=on_declare,
        reset_on_submit=False,
        class_name="form",
    )


def approval_words(name: Value, declared: Value, *, is_consented: Value, on_consent: Any) -> rx.Component:
    """Say what an approval does, and ask for the consent that serving the general public needs."""
    consent = rx.el.label(
        rx.el.input(type="checkbox", checked=is_consented, on_change=on_consent),
        rx.el.span(text("reviews.consent")),
        class_name="tick",
    )
    return rx.fragment(
        rx.el.p(rx.el.strong(name), rx.el.br(), text("reviews.approve_consequence")),
        rx.cond(declared.contains(Scenario.PUBLIC_SERVICE.value), consent),
    )


def _certificate(acceptance: Value) -> rx.Component:
    """Hand the certificate out."""
    return file_link(
        rx.fragment(text("agreements.download"), rx.el.span(" ", acceptance.version, class_name="unseen")),
        address=acceptance.certificate,
        class_name="button quiet small",
    )
