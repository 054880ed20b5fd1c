"""Parts of the projects page: the form of a new one, the form of a new name, the question before one is archived."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.dialogs import closing_button, dialog
from onetoken_app.console.components.fields import field
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.components.status_badge import badge, status_badge
from onetoken_app.console.shown.projects import ProjectStanding
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.keys.projects import NAME_CHARACTERS_MAX

ARCHIVE_DIALOG = "archive-project"
OPEN_PROJECT = "open-project"
_TONES = {"active": Tone.GOOD, "archived": Tone.NEUTRAL}


def new_project_form(*, submission_id: Value, follows: Value, on_submit: Any) -> rx.Component:
    """Ask for the name of a new project.

    Args:
        submission_id: The same one sent twice is one project.
        follows: The projects that there are; with another one the form is empty again.
        on_submit: Takes the form.
    """
    return rx.el.form(
        rx.el.input(type="hidden", name="submission_id", value=submission_id, read_only=True),
        field(text("projects.name"), _name_input(), hint=text("projects.name_hint")),
        rx.el.div(
            rx.el.button(text("projects.submit"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"after-{follows}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def rename_form(project: Value, *, on_submit: Any, on_close: Any) -> rx.Component:
    """Ask for another name of the project that a row opened."""
    return rx.el.form(
        rx.el.input(type="hidden", name="project_id", value=project.id, read_only=True),
        field(text("projects.name"), _name_input(default_value=project.name), hint=text("projects.rename_effect")),
        rx.el.div(
            rx.el.button(text("dialog.cancel"), type="button", on_click=on_close, class_name="button quiet"),
            rx.el.button(text("projects.rename"), type="submit", class_name="button primary"),
            class_name="dialog-actions",
        ),
        key=f"rename-{project.id}",
        on_submit=on_submit,
        reset_on_submit=False,
        class_name="form narrow",
    )


def archive_dialog(project: Value, *, on_confirm: Any) -> rx.Component:
    """Ask before a project takes no more keys; while it has some, say what is in the way instead."""
    return dialog(
        rx.el.p(rx.el.strong(project.name)),
        rx.cond(
            project.key_count > 0,
            rx.fragment(
                rx.el.p(text("projects.in_use", count=project.key_count.to_string()), class_name="note tone-warning"),
                rx.el.div(
                    closing_button(text("projects.close")),
                    rx.el.a(text("projects.to_keys"), href="/keys", class_name="button primary"),
                    class_name="dialog-actions",
                ),
            ),
            rx.fragment(
                rx.el.p(text("projects.archive_consequence")),
                rx.el.div(
                    closing_button(text("dialog.cancel")),
                    closing_button(text("projects.archive_confirm"), class_name="button danger", on_click=on_confirm),
                    class_name="dialog-actions",
                ),
            ),
        ),
        element_id=ARCHIVE_DIALOG,
        title=text("projects.archive_title"),
    )


def project_columns(*, may_change: Value, on_rename: Any, on_archive: Any) -> list[Column]:
    """Describe the table.

    Args:
        may_change: Whether the reader may do something about a project.
        on_rename: Takes the project whose name is going to be another.
        on_archive: Takes the project that the dialog is going to be about.
    """
    return [
        Column(text("projects.name"), _name),
        Column(text("projects.keys"), lambda one: one.key_count, align=Align.NUMBER),
        Column(text("keys.standing"), lambda one: status_badge(one.standing, prefix="project_standing", tones=_TONES)),
        Column(text("keys.created"), lambda one: rx.el.span(one.created, class_name="figure")),
        Column(
            text("keys.actions"),
            lambda one: _actions(one, on_rename=on_rename, on_archive=on_archive),
            align=Align.ACTIONS,
            is_shown=may_change,
        ),
    ]


def _name(project: Value) -> rx.Component:
    """Name a project, and mark the one where keys go of which nobody says it."""
    mark = rx.fragment(" ", badge(text("projects.default"), Tone.NEUTRAL))
    return rx.el.span(rx.el.span(project.name, class_name="strong"), rx.cond(project.is_default, mark))


def _actions(project: Value, *, on_rename: Any, on_archive: Any) -> rx.Component:
    """Offer what may still be done with a project; the default one stays."""
    rename = rx.el.button(
        text("projects.rename"),
        rx.el.span(" ", project.name, class_name="unseen"),
        type="button",
        class_name="button quiet small",
        on_click=on_rename(project.id),
        custom_attrs={"data-shows": OPEN_PROJECT},
    )
    archive = row_action(
        text("projects.archive"), project.name, ARCHIVE_DIALOG, on_archive(project.id), class_name="warns"
    )
    return rx.cond(
        project.standing == ProjectStanding.ACTIVE.value,
        rx.el.span(rename, rx.cond(project.is_default, rx.fragment(), archive), class_name="row-actions"),
    )


def _name_input(**more: Any) -> rx.Component:
    """Take a project's name."""
    return rx.el.input(
        name="name", required=True, max_length=NAME_CHARACTERS_MAX, auto_complete="off", class_name="input", **more
    )
