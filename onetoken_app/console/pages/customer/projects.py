"""Projects: create, rename, archive. An organization's keys, and so its calls and charges, belong to them."""

import secrets
from typing import Any

import reflex as rx

from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller, Role
from onetoken_app.console.components import project_forms as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.projects import ShownProject, shown_projects
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys import projects as project_service
from onetoken_app.keys.queries import keys_of, projects_of
from onetoken_app.organizations.queries import organization


class ProjectsState(rx.State):
    """The list, and the project that a form or a dialog is about."""

    is_loaded: bool = False
    may_change: bool = False
    projects: rx.Field[list[ShownProject]] = rx.field(default_factory=list)
    time_zone: str = ""
    selected: ShownProject = ShownProject()
    """What the dialog asks about."""
    renamed: ShownProject = ShownProject()
    """Whose name is going to be another."""
    submission_id: str = ""
    """Made once per form of a new project: the same one sent twice is one project."""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the projects anew."""
        await self._read()

    async def _begin(self) -> None:
        """Read the projects anew, for a form that was not sent yet."""
        self.submission_id = ""
        await self._read()

    async def _read(self) -> None:
        """Read the projects anew."""
        acting = caller()
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            found = await projects_of(session, acting.organization_id)
            keys = await keys_of(session, acting.organization_id)
        self.time_zone = customer.time_zone if customer else "UTC"
        self.projects = shown_projects(found, keys, time_zone=self.time_zone)
        self.may_change = acting.may(Role.DEVELOPER)
        self.renamed = ShownProject()
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        self.is_loaded = True

    @event_for(Role.DEVELOPER)
    async def create(self, form: dict[str, Any]) -> None:
        """Add a project; the same form sent twice adds one."""
        acting = caller()
        asked = {
            "organization_id": acting.organization_id,
            "name": str(form.get("name", "")),
            "submission_id": str(form.get("submission_id", "")),
        }
        async with shown_anew(self._begin), unit_of_work() as session:
            if await project_service.project_of_form(session, **asked) is None:
                project_id = await project_service.create_project(session, **asked)
                await audit.record(session, action="project_created", **_noted(acting, project_id))
        await self._begin()

    @event_for(Role.DEVELOPER)
    async def begin_renaming(self, project_id: str) -> None:
        """Open the form of another name."""
        self.renamed = self._known(project_id)

    @event_for(Role.DEVELOPER)
    async def leave_renaming(self) -> None:
        """Close that form; nothing is saved."""
        self.renamed = ShownProject()

    @event_for(Role.DEVELOPER)
    async def rename(self, form: dict[str, Any]) -> None:
        """Give the project that the form was opened for another name."""
        acting, project_id = caller(), str(form.get("project_id", ""))
        async with unit_of_work() as session:
            await project_service.rename_project(
                session,
                organization_id=acting.organization_id,
                project_id=project_id,
                name=str(form.get("name", "")),
            )
            await audit.record(session, action="project_renamed", **_noted(acting, project_id))
        await self.load()

    @event_for(Role.DEVELOPER)
    async def select(self, project_id: str) -> None:
        """Take the project that the dialog is going to be about."""
        self.selected = self._known(project_id)

    @event_for(Role.DEVELOPER)
    async def archive(self, project_id: str) -> None:
        """Take no more keys into a project; one with keys in use is refused."""
        acting = caller()
        try:
            async with unit_of_work() as session:
                was_active = await project_service.archive_project(
                    session, organization_id=acting.organization_id, project_id=project_id
                )
                if was_active:
                    await audit.record(session, action="project_archived", **_noted(acting, project_id))
        finally:
            await self.load()

    def _known(self, project_id: str) -> ShownProject:
        """Return a row of the list; an empty one when it is not there."""
        return next((one for one in self.projects if one.id == project_id), ShownProject())


def _noted(acting: Caller, project_id: str) -> dict[str, Any]:
    """Say of an audit entry who did it, and to what."""
    return {
        "actor": Actor(ActorKind.PERSON, acting.person.person_id),
        "subject_id": project_id,
        "organization_id": acting.organization_id,
    }


def projects_page() -> rx.Component:
    """Show the projects, the form of a new one, and what is open."""
    state = ProjectsState
    new = card(
        parts.new_project_form(
            submission_id=state.submission_id, follows=state.projects.length(), on_submit=state.create
        ),
        title=text("projects.new"),
    )
    renaming = card(
        parts.rename_form(state.renamed, on_submit=state.rename, on_close=state.leave_renaming),
        title=text("projects.rename_title"),
    )
    return framed(
        page_heading(text("projects.title"), lead=text("projects.lead")),
        card(
            data_table(
                columns=parts.project_columns(
                    may_change=state.may_change, on_rename=state.begin_renaming, on_archive=state.select
                ),
                rows=state.projects,
                caption=text("projects.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("projects.none"), text("projects.none_next")),
            )
        ),
        rx.el.div(
            rx.cond(state.renamed.id != "", renaming), id=parts.OPEN_PROJECT, tab_index=-1, class_name="open-order"
        ),
        rx.cond(state.is_loaded, rx.cond(state.may_change, new, note(text("projects.ask_developer")))),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        parts.archive_dialog(state.selected, on_confirm=state.archive(state.selected.id)),
        here="/projects",
    )


PAGE = Page(
    route="/projects",
    title_key="projects.title",
    body=projects_page,
    on_load=(LocaleState.derive, ProjectsState.load),
)
