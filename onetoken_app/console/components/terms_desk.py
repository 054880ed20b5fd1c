"""Parts of finance's page of plans and rates: lists, and the draft that is open."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.price_lines import price_lines
from onetoken_app.console.components.status_badge import badge, status_badge
from onetoken_app.console.components.top_up_orders import fact, look_button
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.pricing.models import TermsKind

OPEN_TERMS, OPEN_PAYER = "open-terms", "open-payer"
"""Where the draft and the organization that are open stand on the page."""
LISTS = ("waiting", "plans", "payers", "assignments", "contracted", "offers", "rates")
"""Each list of the page, as the catalogues name it."""
TERMS_STEPS = ("proposed", "published", "unchanged", "discarded")
"""What a person has just done about terms, as the page says it."""
_TONES = {kind.value: Tone.NEUTRAL for kind in TermsKind} | {TermsKind.END.value: Tone.WARNING}


def done_note(outcome: Value) -> rx.Component:
    """Say what finance just did."""
    said = [
        (key, rx.el.p(text(f"terms_done.{key}"), class_name="note tone-good", role="status")) for key in TERMS_STEPS
    ]
    return rx.match(outcome, *said, rx.fragment())


def draft_columns(on_look: Any) -> list[Column]:
    """Describe the drafts that wait."""
    return [
        Column(text("prices.draft"), lambda one: rx.el.span(one.id, class_name="figure strong")),
        Column(text("plans.kind"), lambda one: _kind(one.kind)),
        Column(text("plans.subject"), _subject),
        Column(text("prices.effective"), lambda one: _begins(one.begins)),
        Column(text("prices.made_by"), lambda one: one.made_by),
        Column(
            text("top_up.actions"),
            lambda one: look_button(one.id, one.id.to_string() + " " + one.subject, on_look, shows=OPEN_TERMS),
            align=Align.ACTIONS,
        ),
    ]


def plan_columns() -> list[Column]:
    """Describe the plans."""
    return [
        Column(text("plans.plan"), lambda one: rx.el.span(one.name, class_name="strong")),
        Column(text("plans.ratio"), lambda one: _figure(one.ratio), align=Align.NUMBER),
        Column(
            text("plans.coming"),
            lambda one: rx.cond(one.coming.length() > 0, rx.el.div(rx.foreach(one.coming, _coming)), _figure("")),
        ),
        Column(text("plans.organization_count"), lambda one: one.organization_count, align=Align.NUMBER),
    ]


def payer_columns(on_look: Any) -> list[Column]:
    """Describe the organizations."""
    return [
        Column(
            text("organizations.name"),
            lambda one: rx.fragment(
                rx.el.span(one.name, class_name="strong"), rx.el.span(one.code, class_name="quiet-text cell-below")
            ),
        ),
        Column(text("organizations.currency"), lambda one: one.currency),
        Column(text("plans.plan"), lambda one: _or_none(one.plan)),
        Column(text("plans.ratio"), lambda one: _figure(one.ratio), align=Align.NUMBER),
        Column(
            text("top_up.actions"),
            lambda one: look_button(one.id, one.name, on_look, shows=OPEN_PAYER),
            align=Align.ACTIONS,
        ),
    ]


def assignment_columns() -> list[Column]:
    """Describe which plans an organization has, had and will have."""
    return [
        Column(text("plans.plan"), lambda one: _or_none(one.plan)),
        Column(text("prices.effective"), _with_coming),
    ]


def special_columns() -> list[Column]:
    """Describe offers or contracted prices."""
    return [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(text("prices.prices"), lambda one: price_lines(one.prices)),
        Column(text("prices.effective"), _with_coming),
        Column(
            text("prices.until"),
            lambda one: rx.el.span(
                _figure(one.until),
                rx.cond(one.is_ended_early, rx.fragment(" ", badge(text("plans.early"), Tone.WARNING))),
            ),
        ),
        Column(text("prices.version"), lambda one: one.version, align=Align.NUMBER),
    ]


def rate_columns() -> list[Column]:
    """Describe the versions of exchange rates."""
    return [
        Column(text("prices.version"), lambda one: rx.el.span(one.version, class_name="figure strong")),
        Column(text("plans.pair"), lambda one: one.pair),
        Column(text("plans.rate"), lambda one: _figure(one.rate), align=Align.NUMBER),
        Column(
            text("prices.effective"),
            lambda one: rx.el.span(
                _with_coming(one), rx.cond(one.is_in_force, rx.fragment(" ", badge(text("plans.now"), Tone.GOOD)))
            ),
        ),
        Column(text("prices.published_at"), lambda one: _figure(one.published)),
    ]


def open_draft(draft: Value, *, on_publish: Any, on_discard: Any) -> rx.Component:
    """Show what a draft changes, and what the reader may do about it."""
    publish = rx.el.button(
        text("prices.publish"), type="button", class_name="button primary", on_click=on_publish(draft.id)
    )
    discard = rx.el.button(text("prices.discard"), type="button", class_name="button", on_click=on_discard(draft.id))
    return card(
        rx.el.dl(
            fact(text("plans.subject"), _subject(draft)),
            fact(text("plans.kind"), _kind(draft.kind)),
            fact(text("prices.before"), _or_none(draft.before)),
            fact(
                text("prices.after"),
                rx.cond(
                    draft.kind == TermsKind.END.value,
                    rx.el.span(text("plans.ends"), " ", _begins(draft.after), class_name="strong"),
                    rx.el.span(_or_none(draft.after), class_name="strong"),
                ),
            ),
            fact(text("prices.effective"), _begins(draft.begins)),
            fact(text("prices.made_by"), rx.el.span(draft.made_by, " · ", draft.made)),
            class_name="facts in-two",
        ),
        rx.cond(draft.is_own, note(text("prices.own"), tone="warning"), note(text("plans.consequence"))),
        rx.el.div(discard, rx.cond(draft.is_own, rx.fragment(), publish), class_name="dialog-actions"),
        title=text("plans.draft_title", number=draft.id),
    )


def _subject(draft: Value) -> rx.Component:
    """Name what a draft is of."""
    is_end = draft.kind == TermsKind.END.value
    return rx.el.span(rx.cond(is_end, rx.fragment(text("prices.version"), " ")), draft.subject, class_name="strong")


def _kind(kind: Value) -> rx.Component:
    """Name what a draft is about."""
    return status_badge(kind, prefix="terms_kind", tones=_TONES)


def _coming(one: Value) -> rx.Component:
    """Say one ratio to come."""
    return rx.el.p(rx.el.span(one.ratio, class_name="figure strong"), " ", text("plans.from_moment", moment=one.begins))


def _with_coming(one: Value) -> rx.Component:
    """Write from when on, marked when that is still to come."""
    return rx.el.span(
        rx.el.span(one.begins, class_name="figure"),
        rx.cond(one.is_coming, rx.fragment(" ", badge(text("plans.to_come"), Tone.WARNING))),
    )


def _begins(moment: Value) -> rx.Component:
    """Write from when on; without a moment it is when it is published."""
    return rx.cond(moment != "", rx.el.span(moment, class_name="figure"), rx.el.span(text("plans.when_published")))


def _figure(words: Value) -> rx.Component:
    """Write figures; a dash for none."""
    return rx.cond(words != "", rx.el.span(words, class_name="figure"), rx.el.span("–", class_name="faint"))


def _or_none(words: Value) -> rx.Component:
    """Write words; a dash for none."""
    return rx.cond(words != "", rx.el.span(words), rx.el.span("–", class_name="faint"))
