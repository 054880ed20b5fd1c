"""API keys: mint, restrict, revoke. A new key's secret goes from the account route to the page and is never here."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.catalog.queries import models, models_for_sale
from onetoken_app.console.callers import Caller, Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.dialogs import confirm_dialog, opens
from onetoken_app.console.components.key_dialogs import MINT_DIALOG, mint_dialog, move_dialog, restrict_dialog
from onetoken_app.console.components.key_rows import key_columns
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import SessionState, caller, event_for
from onetoken_app.console.shown.api_keys import KeyStanding, ShownKey, shown_key
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys import service as key_service
from onetoken_app.keys.queries import keys_of, projects_of
from onetoken_app.organizations.queries import organization

_REVOKE_DIALOG = "revoke-key"


class KeysState(rx.State):
    """The list, and the key that a dialog is about; what is done names the key that the dialog showed."""

    is_loaded: bool = False
    may_change: bool = False
    keys: rx.Field[list[ShownKey]] = rx.field(default_factory=list)
    models: rx.Field[list[tuple[str, str]]] = rx.field(default_factory=list)
    """Id and name of each model for sale."""
    projects: rx.Field[list[tuple[str, str]]] = rx.field(default_factory=list)
    """Id and name of each project that takes keys."""
    time_zone: str = ""
    selected: ShownKey = ShownKey()
    is_restricted: bool = False
    allowed_ids: rx.Field[list[str]] = rx.field(default_factory=list)
    chosen_project_id: str = ""
    """Where the selected key is going to belong."""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the keys anew."""
        acting = caller()
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            self.models = [(model.id, model.name) for model in await models_for_sale(session)]
            names = {model.id: model.name for model in await models(session)}
            projects = await projects_of(session, acting.organization_id)
            found = await keys_of(session, acting.organization_id)
        self.time_zone = customer.time_zone if customer else "UTC"
        now = clock.utc_now()
        self.projects = [(project.id, project.name) for project in projects if project.archived_at is None]
        project_names = {project.id: project.name for project in projects}
        shown = [
            shown_key(key, model_names=names, project_names=project_names, now=now, time_zone=self.time_zone)
            for key in found
        ]
        self.keys = sorted(shown, key=lambda key: key.standing == KeyStanding.REVOKED)
        self.may_change = acting.may(Role.DEVELOPER)
        self.is_loaded = True

    @event_for(Role.DEVELOPER)
    async def select(self, api_key_id: str) -> None:
        """Take the key that a dialog is going to be about."""
        self.selected = next((key for key in self.keys if key.id == api_key_id), ShownKey())
        self.is_restricted, self.allowed_ids = self.selected.is_restricted, self.selected.model_ids
        self.chosen_project_id = self.selected.project_id

    @event_for(Role.DEVELOPER)
    async def restrict(self, is_restricted: bool) -> None:  # noqa: FBT001 # a browser sends arguments by position
        """Choose between every model and only some; nothing is saved yet."""
        self.is_restricted = is_restricted

    @event_for(Role.DEVELOPER)
    async def toggle_model(self, model_id: str) -> None:
        """Put a model on the list or take it off; nothing is saved yet."""
        without = [one for one in self.allowed_ids if one != model_id]
        self.allowed_ids = without if model_id in self.allowed_ids else [*without, model_id]

    @event_for(Role.DEVELOPER)
    async def save_restriction(self, api_key_id: str, is_restricted: bool, model_ids: list[str]) -> None:  # noqa: FBT001 # a browser sends arguments by position
        """Save the list of models as the dialog showed it; the relay follows within a second."""
        acting, listed = caller(), [str(one) for one in model_ids]
        async with shown_anew(self.load), unit_of_work() as session:
            await key_service.set_model_permissions(
                session,
                organization_id=acting.organization_id,
                api_key_id=api_key_id,
                model_ids=listed if is_restricted else None,
            )
            facts = {"is_restricted": bool(is_restricted), "model_count": len(listed)}
            await audit.record(session, action="api_key_restricted", facts=facts, **_noted(acting, api_key_id))
        await self.load()

    @event_for(Role.DEVELOPER)
    async def choose_project(self, project_id: str) -> None:
        """Choose another project for the selected key; nothing is saved yet."""
        self.chosen_project_id = project_id

    @event_for(Role.DEVELOPER)
    async def move(self, api_key_id: str, project_id: str) -> None:
        """Let the calls of the key that the dialog showed count for the chosen project from now on."""
        acting = caller()
        async with shown_anew(self.load), unit_of_work() as session:
            await key_service.move_key(
                session, organization_id=acting.organization_id, api_key_id=api_key_id, project_id=project_id
            )
            facts = {"project_id": project_id}
            await audit.record(session, action="api_key_moved", facts=facts, **_noted(acting, api_key_id))
        await self.load()

    @event_for(Role.DEVELOPER)
    async def revoke(self, api_key_id: str) -> None:
        """Stop the key that the dialog showed; the relay refuses it within a second."""
        acting = caller()
        async with unit_of_work() as session:
            was_in_force = await key_service.revoke_key(
                session, organization_id=acting.organization_id, api_key_id=api_key_id
            )
            if was_in_force:
                await audit.record(session, action="api_key_revoked", **_noted(acting, api_key_id))
        await self.load()


def _noted(acting: Caller, api_key_id: str) -> dict[str, Any]:
    """Say of an audit entry who did it, and to which key."""
    return {
        "actor": Actor(ActorKind.PERSON, acting.person.person_id),
        "subject_id": api_key_id,
        "organization_id": acting.organization_id,
    }


def keys() -> rx.Component:
    """Show the keys and the dialogs about them."""
    mint = rx.el.button(
        rx.icon("plus", size=16, aria_hidden="true"),
        text("keys.mint"),
        type="button",
        class_name="button primary",
        custom_attrs=opens(MINT_DIALOG),
    )
    return framed(
        page_heading(text("keys.title"), lead=text("keys.lead"), side=rx.cond(KeysState.may_change, mint)),
        card(
            data_table(
                columns=key_columns(
                    may_change=KeysState.may_change, on_select=KeysState.select, revokes=_REVOKE_DIALOG
                ),
                rows=KeysState.keys,
                caption=text("keys.title"),
                is_loaded=KeysState.is_loaded,
                empty=empty_state(text("keys.none"), text("keys.none_next")),
            )
        ),
        rx.el.p(text("frame.times_in", zone=KeysState.time_zone), class_name="quiet-text"),
        mint_dialog(
            KeysState.models,
            projects=KeysState.projects,
            organization_id=SessionState.organization_id,
            on_minted=KeysState.load,
        ),
        restrict_dialog(
            key_name=KeysState.selected.name,
            models=KeysState.models,
            is_restricted=KeysState.is_restricted,
            allowed_ids=KeysState.allowed_ids,
            on_restrict=KeysState.restrict,
            on_toggle=KeysState.toggle_model,
            on_save=KeysState.save_restriction(KeysState.selected.id, KeysState.is_restricted, KeysState.allowed_ids),
        ),
        move_dialog(
            key_name=KeysState.selected.name,
            projects=KeysState.projects,
            chosen=KeysState.chosen_project_id,
            on_choose=KeysState.choose_project,
            on_save=KeysState.move(KeysState.selected.id, KeysState.chosen_project_id),
        ),
        confirm_dialog(
            element_id=_REVOKE_DIALOG,
            title=text("keys.revoke_title"),
            consequence=rx.el.p(
                rx.el.strong(KeysState.selected.name, " ", rx.el.code(KeysState.selected.masked)),
                rx.el.br(),
                text("keys.revoke_consequence"),
            ),
            confirm=text("keys.revoke_confirm"),
            on_confirm=KeysState.revoke(KeysState.selected.id),
        ),
        here="/keys",
    )


PAGE = Page(route="/keys", title_key="keys.title", body=keys, on_load=(LocaleState.derive, KeysState.load))
