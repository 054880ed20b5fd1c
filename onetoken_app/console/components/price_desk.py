"""Parts of finance's desk of prices: what is in force, versions, drafts and what they would change, the form."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.dialogs import confirm_dialog, opens
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.price_lines import kind_name, price_lines, scope_badge, tier_note, unit_name
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.components.top_up_orders import fact
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.named_customers import CODE_CHARACTERS_MAX
from onetoken_app.console.prices import DRAFTED_SCOPES, PRICE_CHARACTERS_MAX
from onetoken_app.console.shown.prices import unit_of
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.money import Currency
from onetoken_app.pricing.drafts import Change
from onetoken_app.token_usage import TokenKind

OPEN_DRAFT = "open-draft"
"""Where the draft that is open stands on its page."""
PUBLISH_DIALOG, DISCARD_DIALOG = "publish-draft", "discard-draft"
_CHANGE_TONES = {
    Change.ADDED.value: Tone.GOOD,
    Change.REMOVED.value: Tone.BAD,
    Change.CHANGED.value: Tone.WARNING,
}
_USUAL_KINDS = (TokenKind.INPUT, TokenKind.CACHE_READ, TokenKind.OUTPUT)


def in_force_columns() -> list[Column]:
    """Describe what is in force."""
    return [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(text("prices.scope"), _scope),
        Column(text("prices.prices"), lambda one: price_lines(one.prices)),
        Column(text("prices.until"), lambda one: _until(one.until)),
        Column(text("prices.version"), lambda one: one.version, align=Align.NUMBER),
    ]


def version_columns() -> list[Column]:
    """Describe the published versions."""
    return [
        Column(text("prices.version"), lambda one: rx.el.span(one.id, class_name="figure strong")),
        Column(text("prices.scope"), _scope),
        Column(text("organizations.currency"), lambda one: one.currency),
        Column(text("prices.model_count"), lambda one: one.model_count, align=Align.NUMBER),
        Column(text("prices.effective"), lambda one: rx.el.span(one.effective, class_name="figure")),
        Column(text("prices.until"), lambda one: _until(one.until)),
        Column(text("prices.published_at"), lambda one: rx.el.span(one.published, class_name="figure")),
        Column(text("prices.published_by"), lambda one: _person(one.published_by)),
    ]


def draft_columns(on_look: Any) -> list[Column]:
    """Describe the drafts that wait."""
    return [
        Column(text("prices.draft"), lambda one: rx.el.span(one.id, class_name="figure strong")),
        Column(text("prices.scope"), _scope),
        Column(text("organizations.currency"), lambda one: one.currency),
        Column(text("prices.model_count"), lambda one: one.model_count, align=Align.NUMBER),
        Column(text("prices.source"), lambda one: rx.el.code(one.source)),
        Column(text("prices.made"), lambda one: rx.el.span(one.made, class_name="figure")),
        Column(text("prices.made_by"), lambda one: _person(one.made_by)),
        Column(text("top_up.actions"), lambda one: _look_button(one.id, on_look), align=Align.ACTIONS),
    ]


def change_columns() -> list[Column]:
    """Describe what a draft would change."""
    return [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(text("prices.kind"), _kind),
        Column(text("prices.change"), lambda one: status_badge(one.change, prefix="price_change", tones=_CHANGE_TONES)),
        Column(text("prices.before"), lambda one: _price(one.currency, one.before), align=Align.NUMBER),
        Column(text("prices.after"), lambda one: _price(one.currency, one.after), align=Align.NUMBER),
        Column(text("prices.unit"), lambda one: unit_name(one.unit)),
    ]


def draft_facts(draft: Value) -> rx.Component:
    """Say whom the open draft is for, and when its prices are to hold."""
    return rx.el.dl(
        fact(text("prices.scope"), _scope(draft)),
        rx.cond(draft.begins != "", fact(text("prices.effective"), rx.el.span(draft.begins, class_name="figure"))),
        rx.cond(draft.until != "", fact(text("prices.until"), rx.el.span(draft.until, class_name="figure"))),
        class_name="facts in-two",
    )


def moment_field(moment: Value, zone: Value, *, draft_id: Value, on_choose: Any) -> rx.Component:
    """Ask from when on; the difference is read anew for that moment. Another draft gets another field."""
    return rx.el.div(
        field(
            text("prices.effective"),
            rx.el.input(
                type="datetime-local", default_value=moment, on_blur=on_choose, key=draft_id, class_name="input"
            ),
            hint=text("prices.effective_hint", zone=zone),
        ),
        class_name="form narrow",
    )


def draft_actions(*, is_own: Value) -> rx.Component:
    """Offer what may be done about the open draft."""
    publish = rx.el.button(
        text("prices.publish"), type="button", class_name="button primary", custom_attrs=opens(PUBLISH_DIALOG)
    )
    discard = rx.el.button(
        text("prices.discard"), type="button", class_name="button warns", custom_attrs=opens(DISCARD_DIALOG)
    )
    return rx.el.div(discard, rx.cond(is_own, rx.fragment(), publish), class_name="dialog-actions")


def publish_dialog(*, changes: Value, moment: Value, zone: Value, on_confirm: Any) -> rx.Component:
    """Name what changes and from when on, and ask."""
    when = rx.cond(moment != "", text("prices.takes_effect", moment=moment, zone=zone), text("prices.takes_effect_now"))
    return confirm_dialog(
        element_id=PUBLISH_DIALOG,
        title=text("prices.publish_title"),
        consequence=rx.el.div(
            rx.el.p(when, class_name="strong"),
            rx.cond(
                changes.length() > 0,
                rx.el.ul(rx.foreach(changes, _change), class_name="change-lines", tab_index=0),
                rx.el.p(text("prices.nothing_changes")),
            ),
            rx.el.p(text("prices.publish_words"), class_name="quiet-text"),
            class_name="stack",
        ),
        confirm=text("prices.publish"),
        on_confirm=on_confirm,
        takes_away=False,
    )


def discard_dialog(*, on_confirm: Any) -> rx.Component:
    """Ask before a draft is given up."""
    return confirm_dialog(
        element_id=DISCARD_DIALOG,
        title=text("prices.discard_title"),
        consequence=rx.el.p(text("prices.discard_words")),
        confirm=text("prices.discard"),
        on_confirm=on_confirm,
    )


def proposal_form(models: Value, *, on_submit: Any, form_key: Value) -> rx.Component:
    """Ask for a model's prices in one currency, for whom and from when on; a new key empties the form."""
    scopes = [rx.el.option(text(f"price_scope.{one}"), value=one.value) for one in DRAFTED_SCOPES]
    more = [kind for kind in TokenKind if kind not in _USUAL_KINDS]
    return rx.el.form(
        rx.el.div(
            field(
                text("models.model"),
                rx.el.select(
                    rx.foreach(models, lambda one: rx.el.option(one[1], value=one[0])),
                    name="model_id",
                    class_name="input",
                ),
            ),
            field(
                text("organizations.currency"),
                rx.el.select(
                    *[rx.el.option(one.value, value=one.value) for one in Currency], name="currency", class_name="input"
                ),
            ),
            field(text("prices.scope"), rx.el.select(*scopes, name="scope", class_name="input")),
            field(
                text("prices.contracted_with"),
                rx.el.input(
                    name="contracted_with", max_length=CODE_CHARACTERS_MAX, auto_complete="off", class_name="input"
                ),
                hint=text("prices.contracted_with_hint"),
            ),
            field(
                text("prices.effective"),
                rx.el.input(name="effective_at", type="datetime-local", class_name="input"),
                hint=text("prices.proposed_effective_hint", zone=LocaleState.zone),
            ),
            field(
                text("prices.until"),
                rx.el.input(name="ends_at", type="datetime-local", class_name="input"),
                hint=text("prices.ends_hint"),
            ),
            class_name="field-columns",
        ),
        rx.el.div(*[_price_field(kind) for kind in _USUAL_KINDS], class_name="price-fields"),
        rx.el.details(
            rx.el.summary(text("prices.more_kinds")),
            rx.el.div(*[_price_field(kind) for kind in more], class_name="price-fields"),
            class_name="more-kinds",
        ),
        rx.el.p(text("prices.propose_words"), class_name="quiet-text"),
        rx.el.div(
            rx.el.button(text("prices.propose"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=form_key,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _price_field(kind: TokenKind) -> rx.Component:
    """Ask for the price of one kind."""
    return field(
        text(f"price_kind.{kind}"),
        rx.el.input(
            name=kind.value,
            required=kind in {TokenKind.INPUT, TokenKind.OUTPUT},
            max_length=PRICE_CHARACTERS_MAX,
            input_mode="decimal",
            auto_complete="off",
            class_name="input",
        ),
        hint=text(f"price_unit.{unit_of(kind)}"),
    )


def _scope(one: Value) -> rx.Component:
    """Say whom prices are for, by name where it is somebody."""
    return rx.el.span(
        scope_badge(one.scope), rx.cond(one.whom != "", rx.el.span(one.whom, class_name="quiet-text cell-note"))
    )


def _until(moment: Value) -> rx.Component:
    """Say when prices end; nothing for those that do not."""
    return rx.cond(moment != "", rx.el.span(moment, class_name="figure"))


def _kind(one: Value) -> rx.Component:
    """Name the kind, and the tier."""
    return rx.el.span(kind_name(one.kind), " ", tier_note(one.from_tokens))


def _price(currency: Value, price: Value) -> rx.Component:
    """Show a price; a dash for none of its own."""
    return rx.cond(
        price != "",
        rx.el.span(rx.el.span(currency, class_name="money-currency"), " ", price, class_name="money"),
        rx.el.span("–", class_name="faint"),
    )


def _person(name: Value) -> Value:
    """Name who it was; nobody's name stands for the operator."""
    return rx.cond(name != "", name, text("prices.operator"))


def _look_button(draft_id: Value, on_look: Any) -> rx.Component:
    """Open the draft of a row; the page's script brings it into view."""
    return rx.el.button(
        text("top_up.look"),
        rx.el.span(" ", draft_id, class_name="unseen"),
        type="button",
        class_name="button quiet small",
        on_click=on_look(draft_id),
        custom_attrs={"data-shows": OPEN_DRAFT},
    )


def _change(one: Value) -> rx.Component:
    """Say one change in words."""
    return rx.el.li(
        rx.el.code(one.model),
        " ",
        _kind(one),
        " ",
        rx.el.span(
            _price(one.currency, one.before), " → ", _price(one.currency, one.after), class_name="strong change-figures"
        ),
        " ",
        rx.el.span(unit_name(one.unit), class_name="quiet-text"),
        " ",
        status_badge(one.change, prefix="price_change", tones=_CHANGE_TONES),
    )
