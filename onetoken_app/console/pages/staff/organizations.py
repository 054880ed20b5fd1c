"""Every organization, for the operator's people."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import having_confirmation
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Column, data_table, empty_state
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.platform import PublicService, ShownOrganization, shown_organization
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.database import read_session
from onetoken_app.organizations.models import Scenario
from onetoken_app.organizations.queries import organizations as all_organizations
from onetoken_app.organizations.queries import organizations_declaring

_TONES = {"verified": Tone.GOOD, "unverified": Tone.WARNING, "suspended": Tone.BAD}
_PUBLIC_SERVICE = {"consented": Tone.GOOD, "missing": Tone.WARNING, "no": Tone.NEUTRAL}


class OrganizationsState(rx.State):
    """The list on screen."""

    is_loaded: bool = False
    organizations: rx.Field[list[ShownOrganization]] = rx.field(default_factory=list)

    @event_for(Role.STAFF)
    async def load(self) -> None:
        """Read the list anew."""
        async with read_session() as session:
            found = await all_organizations(session)
            declaring = await organizations_declaring(session, Scenario.PUBLIC_SERVICE)
            consented = await having_confirmation(session, declaring, ConfirmationKind.PUBLIC_SERVICE, clock.utc_now())
        zone = await reader_zone(self)
        self.organizations = [
            shown_organization(view, public_service=_public_service(view.id, declaring, consented), time_zone=zone)
            for view in found
        ]
        self.is_loaded = True


def _public_service(organization_id: str, declaring: set[str], consented: set[str]) -> PublicService:
    """Judge whether an organization serves the public, and may."""
    if organization_id not in declaring:
        return PublicService.NO
    return PublicService.CONSENTED if organization_id in consented else PublicService.MISSING


def organizations() -> rx.Component:
    """Show the list."""
    return framed(
        page_heading(text("organizations.title"), lead=text("organizations.lead")),
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
                ],
                rows=OrganizationsState.organizations,
                caption=text("organizations.title"),
                is_loaded=OrganizationsState.is_loaded,
                empty=empty_state(text("organizations.none"), text("organizations.none_next")),
            )
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/organizations",
    )


PAGE = Page(
    route="/staff/organizations",
    title_key="organizations.title",
    body=organizations,
    on_load=(LocaleState.derive, OrganizationsState.load),
)
