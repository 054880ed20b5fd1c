"""Every organization, for the operator's people; reviewers suspend one and resume it."""

from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import having_confirmation
from onetoken_app.console import suspensions as desk
from onetoken_app.console.callers import Role
from onetoken_app.console.components import suspensions as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.components.top_up_orders import OPEN_ORDER, look_button
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.platform import PublicService, ShownOrganization, shown_organization
from onetoken_app.console.shown.suspensions import ShownSuspension, shown_suspension
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.database import read_session
from onetoken_app.organizations.models import Scenario
from onetoken_app.organizations.queries import organizations as all_organizations
from onetoken_app.organizations.queries import organizations_declaring
from onetoken_app.settings import get_settings

_TONES = {"verified": Tone.GOOD, "unverified": Tone.WARNING, "suspended": Tone.BAD}
_PUBLIC_SERVICE = {"consented": Tone.GOOD, "missing": Tone.WARNING, "no": Tone.NEUTRAL}


class OrganizationsState(rx.State):
    """The list on screen, and the organization that is open."""

    is_loaded: bool = False
    organizations: rx.Field[list[ShownOrganization]] = rx.field(default_factory=list)
    open_one: ShownOrganization = ShownOrganization()
    suspensions: rx.Field[list[ShownSuspension]] = rx.field(default_factory=list)
    """Of the organization that is open, newest first."""
    in_force: ShownSuspension = ShownSuspension()
    may_decide: bool = False
    """The reader may suspend the organization that is open."""
    outcome: str = ""
    """What was done last: the end of the key of its words."""

    @event_for(Role.STAFF)
    async def load(self) -> None:
        """Read the list anew, and the open organization with it."""
        await self._read()

    @event_for(Role.STAFF)
    async def look(self, organization_id: str) -> None:
        """Open one of the organizations."""
        self.open_one = ShownOrganization(id=organization_id)
        await self._read()

    @event_for(Role.STAFF_REVIEWER)
    async def suspend(self, form: dict[str, Any]) -> None:
        """Refuse the calls of the organization that the form names."""
        await self._done(desk.suspend(caller(), get_settings(), form), "suspended")

    @event_for(Role.STAFF_REVIEWER)
    async def resume(self, form: dict[str, Any]) -> None:
        """Admit its calls again."""
        await self._done(desk.resume(caller(), get_settings(), form), "resumed")

    async def _done(self, deciding: Awaitable[None], outcome: str) -> None:
        """Decide, and say so; who was too late sees things as they are now."""
        async with shown_anew(self._read):
            await deciding
        await self._read(outcome)

    async def _read(self, outcome: str = "") -> None:
        """Read everything anew, and say what was done."""
        async with read_session() as session:
            found = await all_organizations(session)
            declaring = await organizations_declaring(session, Scenario.PUBLIC_SERVICE)
            consented = await having_confirmation(session, declaring, ConfirmationKind.PUBLIC_SERVICE, clock.utc_now())
        zone = await reader_zone(self)
        self.organizations = [
            shown_organization(view, public_service=_public_service(view.id, declaring, consented), time_zone=zone)
            for view in found
        ]
        which = self.open_one.id
        self.open_one = next((one for one in self.organizations if one.id == which), ShownOrganization())
        if self.open_one.id:
            await self._read_open(zone)
        self.outcome, self.is_loaded = outcome, True

    async def _read_open(self, zone: str) -> None:
        """Read when the open organization was suspended, and whether the reader may do so."""
        standing = await desk.standing_of(self.open_one.id)
        rows = [shown_suspension(one, names=standing.names, time_zone=zone) for one in standing.suspensions]
        self.suspensions = rows
        self.in_force = rows[0] if rows and not rows[0].until else ShownSuspension()
        own = {one.organization_id for one in caller().memberships}
        self.may_decide = caller().may(Role.STAFF_REVIEWER) and self.open_one.id not in own


def _public_service(organization_id: str, declaring: set[str], consented: set[str]) -> PublicService:
    """Judge whether an organization serves the public, and may."""
    if organization_id not in declaring:
        return PublicService.NO
    return PublicService.CONSENTED if organization_id in consented else PublicService.MISSING


def organizations() -> rx.Component:
    """Show the list, and the organization that is open."""
    state = OrganizationsState
    return framed(
        page_heading(text("organizations.title"), lead=text("organizations.lead")),
        parts.done_note(state.outcome),
        card(
            data_table(
                columns=[
                    Column(text("organizations.name"), lambda one: rx.el.span(one.name, class_name="strong")),
                    Column(text("organizations.code"), lambda one: rx.el.code(one.code)),
                    Column(
                        text("organizations.standing"),
                        lambda one: status_badge(one.standing, prefix="organization_standing", tones=_TONES),
                    ),
                    Column(
                        text("organizations.public_service"),
                        lambda one: status_badge(one.public_service, prefix="public_service", tones=_PUBLIC_SERVICE),
                    ),
                    Column(text("organizations.currency"), lambda one: one.currency),
                    Column(text("organizations.created"), lambda one: rx.el.span(one.created, class_name="figure")),
                    Column(
                        text("top_up.actions"),
                        lambda one: look_button(one.id, one.name, state.look),
                        align=Align.ACTIONS,
                    ),
                ],
                rows=state.organizations,
                caption=text("organizations.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("organizations.none"), text("organizations.none_next")),
            )
        ),
        rx.el.div(
            rx.cond(state.open_one.id != "", _open_one()),
            id=OPEN_ORDER,
            tab_index=-1,
            class_name="open-order",
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/organizations",
    )


def _open_one() -> rx.Component:
    """Show when the organization was suspended and why, and the form to do so or to end it."""
    state, whose = OrganizationsState, OrganizationsState.open_one.id
    suspending = card(
        parts.suspend_form(organization_id=whose, on_submit=state.suspend), title=text("suspension.suspend_title")
    )
    resuming = card(
        parts.resume_form(organization_id=whose, suspension_id=state.in_force.id, on_submit=state.resume),
        title=text("suspension.resume_title"),
    )
    deciding = rx.cond(state.in_force.id != "", resuming, suspending)
    return rx.fragment(
        card(
            parts.suspension_table(state.suspensions, is_loaded=state.is_loaded),
            title=state.open_one.name,
            side=status_badge(state.open_one.standing, prefix="organization_standing", tones=_TONES),
        ),
        rx.cond(state.may_decide, deciding, note(text("suspension.only_reviewers"))),
    )


PAGE = Page(
    route="/staff/organizations",
    title_key="organizations.title",
    body=organizations,
    on_load=(LocaleState.derive, OrganizationsState.load),
)
