"""Parts of a case file: its state, what is missing, its documents, and the form that takes one more."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import note
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.file_chooser import file_chooser
from onetoken_app.console.components.file_links import file_link
from onetoken_app.console.components.outcomes import outcomes
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.verification.models import CaseState, DocumentKind, MissingPart, ReviewReason
from onetoken_app.verification.particulars import CHARACTERS_MAX

CASE_TONES = {
    "draft": Tone.NEUTRAL,
    "submitted": Tone.NEUTRAL,
    "in_review": Tone.NEUTRAL,
    "more_wanted": Tone.WARNING,
    "refused": Tone.BAD,
    "approved": Tone.GOOD,
}
_REFUSALS = (
    ("forbidden", "error.role"),
    ("document_too_large", "document.too_large"),
    ("document_format", "document.wrong_format"),
    ("suspicious_document", "document.suspicious"),
    ("too_many_documents", "document.too_many"),
    ("conflict", "document.under_review"),
    ("too_many_requests", "document.one_at_a_time"),
    ("unavailable", "error.unavailable"),
    ("too_slow", "document.too_slow"),
)


def next_step(state: Value) -> rx.Component:
    """Say what happens next."""
    tones = {CaseState(value): tone for value, tone in CASE_TONES.items()}
    return rx.match(
        state,
        *[(one.value, note(text(f"next.{one}"), tone=tones[one].value)) for one in CaseState],
        rx.fragment(),
    )


def reason_given(reason: Value, words: Value) -> rx.Component:
    """Show why more is wanted or the case is refused, in the staff's words too."""
    reasons = [(one.value, rx.el.strong(text(f"reason.{one}"))) for one in ReviewReason]
    return rx.cond(
        reason == "",
        rx.fragment(),
        rx.el.div(
            rx.match(reason, *reasons, rx.fragment()),
            rx.el.p(words, class_name="own-words"),
            class_name="note tone-warning",
        ),
    )


def missing_list(missing: Value) -> rx.Component:
    """Name what is missing."""
    parts = [(one.value, rx.el.li(text(f"part.{one}"))) for one in MissingPart]
    return rx.cond(
        missing.length() > 0,
        rx.el.div(
            rx.el.p(text("verify.missing"), class_name="field-label"),
            rx.el.ul(rx.foreach(missing, lambda part: rx.match(part, *parts, rx.fragment())), class_name="plain-list"),
            rx.el.p(text("verify.missing_hint"), class_name="quiet-text"),
        ),
    )


def particulars_form(
    case: Value, *, revision: Value, organization_id: Value, is_saved: Value, on_submit: Any
) -> rx.Component:
    """Ask for the particulars.

    Args:
        case: What the fields begin with.
        revision: Of the case that they were filled with; posted, so that nothing newer is written over.
        organization_id: Whose; another one's form is another form.
        is_saved: What was typed last is kept.
        on_submit: Takes the form.
    """
    return rx.el.form(
        rx.el.input(type="hidden", name="revision", value=revision, read_only=True),
        _particulars_fields(case.particulars),
        rx.cond(case.state == CaseState.APPROVED.value, note(text("verify.reopens"))),
        rx.cond(is_saved, rx.el.p(text("verify.saved"), class_name="note tone-good", role="status")),
        rx.el.div(rx.el.button(text("restrict.save"), type="submit", class_name="button"), class_name="dialog-actions"),
        key=organization_id,
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form",
    )


def _particulars_fields(particulars: Value) -> rx.Component:
    """Ask for the particulars; what is typed stays in the page until it is saved."""
    return rx.el.div(
        *[
            field(
                text(f"part.{name}"),
                rx.el.input(
                    name=name,
                    default_value=getattr(particulars, name),
                    max_length=characters_max,
                    auto_complete="off",
                    class_name="input",
                ),
            )
            for name, characters_max in CHARACTERS_MAX.items()
        ],
        class_name="field-columns",
    )


def particulars_list(particulars: Value) -> rx.Component:
    """Show the particulars to read."""
    return rx.el.dl(
        *[
            rx.el.div(rx.el.dt(text(f"part.{name}")), rx.el.dd(_or_dash(getattr(particulars, name))), class_name="fact")
            for name in CHARACTERS_MAX
        ],
        class_name="facts",
    )


def _or_dash(words: Value) -> rx.Component:
    """Show words, or that there are none."""
    return rx.cond(words == "", rx.el.span("–", class_name="faint"), rx.el.span(words))


def document_table(
    documents: Value, *, is_loaded: Value, on_remove: Any = None, may_remove: Value = False
) -> rx.Component:
    """List documents; a name hands the file out."""
    kinds = [(one.value, text(f"document.{one}")) for one in DocumentKind]
    columns = [
        Column(text("document.name"), _document_name),
        Column(text("document.kind"), lambda one: rx.el.span(rx.match(one.kind, *kinds, ""), class_name="figure")),
        Column(text("document.size"), lambda one: one.size, align=Align.NUMBER),
        Column(text("document.uploaded"), lambda one: rx.el.span(one.uploaded, class_name="figure")),
        Column(text("document.kept"), _document_kept),
    ]
    if on_remove is not None:
        columns.append(
            Column(
                text("keys.actions"),
                lambda one: rx.cond(
                    one.removed == "",
                    rx.el.button(
                        text("document.remove"),
                        rx.el.span(" ", one.name, class_name="unseen"),
                        type="button",
                        class_name="button quiet small warns",
                        on_click=on_remove(one.id),
                    ),
                ),
                align=Align.ACTIONS,
                is_shown=may_remove,
            )
        )
    return data_table(
        columns=columns,
        rows=documents,
        caption=text("verify.documents"),
        is_loaded=is_loaded,
        empty=empty_state(text("document.none"), text("document.none_next")),
    )


def _document_name(one: Value) -> rx.Component:
    """Hand a document out, or name one that is gone."""
    return rx.cond(one.address == "", rx.el.span(one.name), file_link(one.name, address=one.address))


def _document_kept(one: Value) -> rx.Component:
    """Say until when a document is kept, or when it went."""
    until = rx.cond(
        one.kept_until == "", text("document.kept_for_decision"), text("document.kept_until", day=one.kept_until)
    )
    return rx.el.span(
        rx.cond(one.removed == "", until, text("document.removed_on", day=one.removed)), class_name="figure"
    )


def document_form(*, organization_id: Value, on_uploaded: Any) -> rx.Component:
    """Take one file; the page's script sends it past every State."""
    kinds = [rx.el.option(text(f"document.{one}"), value=one.value) for one in DocumentKind]
    return rx.el.form(
        rx.el.input(type="hidden", name="organization_id", value=organization_id, read_only=True),
        field(text("document.kind"), rx.el.select(*kinds, name="kind", class_name="input")),
        field(
            text("document.file"),
            file_chooser(accept=".pdf,.jpg,.jpeg,.png"),
            hint=text("document.hint"),
        ),
        outcomes(*_REFUSALS),
        rx.el.button(text("document.upload"), type="submit", class_name="button"),
        rx.el.button(type="button", on_click=on_uploaded, hidden=True, custom_attrs={"data-after-post": ""}),
        class_name="form document-form",
        method="post",
        custom_attrs={"data-posts": "documents"},
    )
